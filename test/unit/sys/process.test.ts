import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SysError, errno } from '../../../src/core/index.js';
import {
  POLLIN,
  PollSet,
  RLIMIT_NOFILE,
  close,
  duplicate,
  endAside,
  hasWriters,
  isCloseOnExec,
  kill,
  must,
  openProcess,
  raiseLimit,
  read,
  write,
} from '../../../src/sys/index.js';
import { bind, cString, result } from '../../../src/sys/libc.js';
import { MAP_SHARED, Mapping, PROT_READ, PROT_WRITE } from '../../helpers/native.js';
import { tempDir } from '../../helpers/tmp.js';

/** EFD_CLOEXEC | EFD_NONBLOCK. */
const eventfd = (): number => result(bind('int eventfd(unsigned int, int)')(0, 0o2004000));
const one = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

describe('PollSet', () => {
  test('a write wakes who waits, and is read once', () => {
    const [a, b] = [eventfd(), eventfd()];
    const set = new PollSet([a, b], POLLIN);
    expect(set.wait(0)).toBe(0);
    write(b, one);
    write(b, one);
    expect([set.wait(-1), set.ready(0), set.ready(1)]).toEqual([1, 0, POLLIN]);
    const counter = Buffer.alloc(8);
    expect([read(b, counter), counter.readBigUInt64LE()]).toEqual([8, 2n]);
    expect(read(b, counter)).toBe(-errno.EAGAIN);
    expect([set.wait(0), set.ready(1)]).toEqual([0, 0]);
    expect(isCloseOnExec(a)).toBe(1);
    for (const fd of [a, b]) close(fd);
  });

  test('waits as long as told', () => {
    const fd = eventfd();
    const start = performance.now();
    expect(new PollSet([fd], POLLIN).wait(30)).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(25);
    close(fd);
  });

  test('tells of an fd that is not open', () => {
    const set = new PollSet([1_000_000], POLLIN);
    expect([set.wait(0), set.ready(0)]).toEqual([1, 0x20]);
  });
});

describe('the process', () => {
  test('raises its limit of open files to the hard one', () => {
    const limit = raiseLimit(RLIMIT_NOFILE);
    expect(limit).toBeGreaterThan(0);
    expect(raiseLimit(RLIMIT_NOFILE)).toBe(limit);
    expect(raiseLimit(1000)).toBe(-errno.EINVAL);
  });

  test('probes others with signal 0', () => {
    expect(kill(process.pid, 0)).toBe(0);
    expect(kill(0x7ffffffe, 0)).toBe(-errno.ESRCH);
  });

  test('knows which fds exec closes', () => {
    const fd = eventfd();
    // dup(2) makes one without the mark.
    const plain = bind('int dup(int)')(fd);
    const second = duplicate(fd);
    expect([fd, plain, second].map(isCloseOnExec)).toEqual([1, 0, 1]);
    // All are one open file.
    write(second, one);
    expect(read(fd, Buffer.alloc(8))).toBe(8);
    for (const each of [fd, plain, second]) close(each);
    expect(duplicate(1_000_000)).toBe(-errno.EBADF);
    expect(isCloseOnExec(1_000_000)).toBe(-errno.EBADF);
  });
});

describe('must', () => {
  test('passes values and throws errors', () => {
    expect([must(0, 'x'), must(7, 'x')]).toEqual([0, 7]);
    expect(() => must(-errno.ENOENT, 'open', '/a')).toThrow(new SysError(errno.ENOENT, 'open', '/a'));
  });
});

describe('cString', () => {
  const bytes = (text: string, slot: 0 | 1 = 0): string => {
    const buffer = cString(text, slot);
    return buffer.toString('latin1', 0, buffer.indexOf(0));
  };

  test('is the bytes and a NUL, in one of two places', () => {
    expect(bytes('a\xff')).toBe('a\xff');
    expect(bytes('')).toBe('');
    const [first, second] = [cString('first', 0), cString('second', 1)];
    expect([first.toString('latin1', 0, 6), second.toString('latin1', 0, 7)]).toEqual(['first\0', 'second\0']);
  });

  test('never shortens a name to one that may exist', () => {
    expect(bytes('a\0b')).toBe('');
    expect(bytes('n'.repeat(100_000)).length).toBeGreaterThan(4096);
  });
});

describe('hasWriters', () => {
  test('while a file is open for writing, or mapped', () => {
    using temp = tempDir('writers');
    const path = `${temp.path}/f`;
    writeFileSync(path, 'content');
    const reader = openSync(path, 'r');
    const second = openSync(path, 'r');
    expect(hasWriters(reader)).toBe(false);
    const writer = openSync(path, 'r+');
    expect(hasWriters(reader)).toBe(true);
    const mapping = Mapping.of(writer, { length: 7, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED }) as Mapping;
    closeSync(writer);
    expect(hasWriters(reader)).toBe(true);
    mapping.unmap();
    expect(hasWriters(reader)).toBe(false);
    // The lease is given back: who opens the file does not wait for it.
    closeSync(openSync(path, 'r+'));
    for (const fd of [reader, second]) closeSync(fd);
  });

  test('there may be some where it cannot be told', () => {
    expect(hasWriters(-1)).toBe(true);
  });
});

describe('an fd of a process', () => {
  test('tells its end, to who did not start it, too', async () => {
    const child = spawn('sleep', ['100']);
    const fd = must(openProcess(child.pid!), 'pidfd_open');
    expect(isCloseOnExec(fd)).toBe(1);
    expect(await endAside(fd, 0)).toBe(0);
    const ended = endAside(fd, 10_000);
    child.kill('SIGKILL');
    expect(await ended).toBe(1);
    close(fd);
  });

  test('is not had of what is no process', () => {
    expect(openProcess(2 ** 22 + 1)).toBe(-errno.ESRCH);
  });
});

test('a process that exits at once runs none of what waits for its end', () => {
  const script = `process.on('exit', () => console.log('late')); import(process.argv[1]).then((sys) => sys.exitAtOnce(3))`;
  const { status, stdout } = spawnSync(process.execPath, ['-e', script, resolve('dist/sys/index.js')]);
  expect([status, stdout.toString()]).toEqual([3, '']);
});
