// Takes the place of sys/libc.js in a copy of the build: the opcode of each request read from the FUSE device is
// appended to the file `VENEER_REQUESTS`, one byte each, before anything answers it.

import { openSync, writeSync } from 'node:fs';
import { bind as bindOriginal } from './libc-original.js';

export * from './libc-original.js';

const READ = /\bread\(/;
/** Only the buffer for requests has room for the largest write. */
const REQUEST_ROOM = 1 << 20;
/** struct fuse_in_header: the opcode follows the length. */
const OPCODE = 4;

export function bind(prototype) {
  const call = bindOriginal(prototype);
  const file = process.env.VENEER_REQUESTS;
  if (!READ.test(prototype) || file === undefined) return call;
  let log;
  return (fd, into, length) => {
    const got = call(fd, into, length);
    if (into.length > REQUEST_ROOM && got > 0) {
      log ??= openSync(file, 'a');
      writeSync(log, into.subarray(OPCODE, OPCODE + 1));
    }
    return got;
  };
}
