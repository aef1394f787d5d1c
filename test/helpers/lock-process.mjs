// Takes POSIX record locks for a test, since those of one process never conflict. Commands on stdin, one a line:
//   open NAME | lock read|write|none [wait] | close
// Each is answered by one line: 'ok' or 'errno N'.

import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import koffi from 'koffi';

const FCNTL = process.arch === 'arm64' ? 25 : 72;
const F_SETLK = 6;
const F_SETLKW = 7;
const TYPES = { read: 0, write: 1, none: 2 };

const syscall = koffi.load(null).func('intptr_t syscall(long, intptr_t, intptr_t, void *)');

let fd = -1;

function lock(type, wait) {
  const range = Buffer.alloc(32);
  range.writeInt16LE(TYPES[type], 0);
  const status = syscall(FCNTL, fd, wait === 'wait' ? F_SETLKW : F_SETLK, range);
  return status < 0 ? `errno ${koffi.errno()}` : 'ok';
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...args] = line.split(' ');
  let answer = 'ok';
  if (command === 'open') fd = openSync(args[0], 'r+');
  else if (command === 'close') closeSync(fd);
  else answer = lock(...args);
  process.stdout.write(`${answer}\n`);
}
