import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  close,
  fdPath,
  listenerAt,
  isCloseOnExec,
  must,
  read,
  receiveFd,
  socketPair,
  write,
} from '../../../src/sys/index.js';
import { requires, runProgram } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';

const temp = tempDir('socket');
afterAll(() => {
  temp.remove();
});

function pair(): readonly [number, number] {
  const made = socketPair();
  if (typeof made === 'number') throw new Error(`socketpair: ${String(made)}`);
  return made;
}

test('the two ends are connected and closed by exec', () => {
  const [a, b] = pair();
  write(a, Buffer.from('x'));
  const into = Buffer.alloc(4);
  expect([read(b, into), into[0]]).toEqual([1, 120]);
  expect([isCloseOnExec(a), isCloseOnExec(b)]).toEqual([1, 1]);
  close(a);
  close(b);
});

test('without an fd there is an error for each case', () => {
  const [a, b] = pair();
  expect(receiveFd(b)).toBe(-errno.EAGAIN);
  write(a, Buffer.from('x'));
  expect(receiveFd(b)).toBe(-errno.ENODATA);
  close(a);
  expect(receiveFd(b)).toBe(-errno.ENODATA);
  close(b);
  expect(receiveFd(b)).toBe(-errno.EBADF);
});

/** Sends an open file through fd 3. */
const SENDER = `
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
int main(int argc, char **argv) {
  char control[CMSG_SPACE(sizeof(int))] = {0}, data = 0;
  struct iovec io = {&data, 1};
  struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  int fd = open(argv[1], O_RDONLY);
  c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  return sendmsg(3, &m, 0) == 1 ? 0 : 1;
}`;

const gate = requires('gcc');
test.skipIf(gate.skip)(gate.title('an fd that another process sends arrives'), () => {
  const [source, program, file] = ['s.c', 's', 'file'].map((name) => path.join(temp.path, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(source, SENDER);
  writeFileSync(file, 'through the socket');
  runProgram('gcc', ['-o', program, source]);
  const [ours, theirs] = pair();
  expect(spawnSync(program, [file], { stdio: ['ignore', 'ignore', 'inherit', theirs] }).status).toBe(0);
  const fd = must(receiveFd(ours), 'recvmsg');
  expect(isCloseOnExec(fd)).toBe(1);
  expect(readFileSync(fdPath(fd), 'utf8')).toBe('through the socket');
  for (const each of [fd, ours, theirs]) close(each);
});

test('who listens at a socket is told', async () => {
  const at = path.join(temp.path, 'listening');
  expect(listenerAt(at)).toBe(-errno.ENOENT);
  const server = createServer().listen(at);
  await once(server, 'listening');
  expect(listenerAt(at)).toBe(process.pid);
  server.close();
  expect(listenerAt('x'.repeat(108))).toBe(-errno.ENAMETOOLONG);
});
