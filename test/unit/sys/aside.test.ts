import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  POLLIN,
  PollSet,
  copyDataAside,
  copyFileRangeAside,
  eventLoopFd,
  failureAside,
  fallocateAside,
  fdatasyncAside,
  fsyncAside,
  preadAside,
  pwriteAside,
  startWritingAside,
  umount2Aside,
} from '../../../src/sys/index.js';
import { bind, result } from '../../../src/sys/libc.js';
import { scratch } from './scratch.js';

const dir = scratch('aside');
const nothing = 1_000_000;

describe('a call made by another thread', () => {
  test('does what its namesake does', async () => {
    const content = randomBytes(100_000);
    const from = dir.file('from', content);
    const [part, space] = [dir.file('part'), dir.file('space')];
    expect(await copyFileRangeAside({ fd: from, offset: 100 }, { fd: part, offset: 10 }, 1000)).toBe(1000);
    expect(readFileSync(`${dir.path}/part`).subarray(10).equals(content.subarray(100, 1100))).toBe(true);
    expect(await fallocateAside(space, 0, 0, 8192)).toBe(0);
    expect(statSync(`${dir.path}/space`).size).toBe(8192);
    const read = Buffer.alloc(10);
    expect(await pwriteAside(space, Buffer.from('0123456789'), 4096)).toBe(10);
    expect(await preadAside(space, read, 4096)).toBe(10);
    expect(read.toString()).toBe('0123456789');
    const range = { offset: 0, length: 8192 };
    expect([await fsyncAside(part), await fdatasyncAside(part), await startWritingAside(part, range)]).toEqual([
      0, 0, 0,
    ]);
  });

  test('fails with its own errno, whatever else fails meanwhile', async () => {
    const fd = dir.file('x');
    const calls = [
      fsyncAside(nothing),
      fallocateAside(fd, 0, 0, 0),
      umount2Aside(dir.path),
      fdatasyncAside(nothing),
      copyDataAside(nothing, fd, 10),
    ];
    expect(result(bind('int close(int)')(-1))).toBe(-errno.EBADF);
    expect(await Promise.all(calls)).toEqual([-errno.EBADF, -errno.EINVAL, -errno.EINVAL, -errno.EBADF, -errno.EBADF]);
  });

  test('may be one of more than there are threads, and than the library takes: each keeps its result', async () => {
    const fd = dir.file('y');
    const lengths = Array.from({ length: 1000 }, (_, index) => (index % 3 === 0 ? 0 : 4096));
    const results = await Promise.all(lengths.map((length) => fallocateAside(fd, 0, 0, length)));
    expect(results).toEqual(lengths.map((length) => (length === 0 ? -errno.EINVAL : 0)));
  });

  test('lets others go on while it waits', async () => {
    const pair = Buffer.alloc(8);
    expect(result(bind('int pipe2(void *, int)')(pair, 0))).toBe(0);
    const [reading, writing] = [pair.readInt32LE(0), pair.readInt32LE(4)];
    const order: string[] = [];
    const hungUp = failureAside(writing).then((count) => order.push(`hung up: ${String(count)}`));
    await fsyncAside(dir.file('z'));
    order.push('synced');
    bind('int close(int)')(reading);
    await hungUp;
    bind('int close(int)')(writing);
    expect(order).toEqual(['synced', 'hung up: 1']);
  });
});

describe('the event loop', () => {
  test('is seen to have something to do, and nothing when that is done', async () => {
    const poll = new PollSet([eventLoopFd()], POLLIN);
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await turn();
    const synced = fsyncAside(dir.file('loop'));
    expect(poll.wait(10_000)).toBe(1);
    let done = false;
    void synced.then(() => (done = true));
    // The runner of the tests has words for this process, too, whenever it likes.
    const quiet = async (): Promise<unknown> => {
      await turn();
      return [done, poll.wait(0)];
    };
    await expect.poll(quiet).toEqual([true, 0]);
  });
});

describe('a copy made by other threads', () => {
  test('has the content, over several stretches', async () => {
    const content = randomBytes(20 << 20);
    const from = dir.file('long', content);
    const to = dir.file('long-copy');
    expect(await copyDataAside(from, to, content.length)).toBe(0);
    expect(readFileSync(`${dir.path}/long-copy`).equals(content)).toBe(true);
  });

  test('keeps holes', async () => {
    const from = dir.file('holey');
    truncateSync(`${dir.path}/holey`, 64 << 20);
    expect(await pwriteAside(from, Buffer.from('end'), (64 << 20) - 3)).toBe(3);
    const to = dir.file('holey-copy');
    expect(await copyDataAside(from, to, 64 << 20)).toBe(0);
    const { size, blocks } = statSync(`${dir.path}/holey-copy`);
    expect([size, blocks]).toEqual([64 << 20, statSync(`${dir.path}/holey`).blocks]);
  });

  test('goes through memory where the kernel does not copy', async () => {
    // A file of procfs has no size and cannot be a source of copy_file_range(2).
    const to = dir.file('version');
    const from = result(bind('int open(void *, int)')(Buffer.from('/proc/version\0'), 0));
    const content = readFileSync('/proc/version');
    expect(await copyDataAside(from, to, content.length)).toBe(0);
    bind('int close(int)')(from);
    expect(readFileSync(`${dir.path}/version`).equals(content)).toBe(true);
    writeFileSync(`${dir.path}/version`, '');
  });
});
