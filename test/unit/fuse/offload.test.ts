import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { MockInstance } from 'vitest';
import { errno } from '../../../src/core/index.js';
import type { Job, Offload as OffloadType } from '../../../src/fuse/index.js';
import { POLLIN, PollSet } from '../../../src/sys/index.js';
import { DOOR, requires } from '../../helpers/requires.js';
import { scratch } from '../sys/scratch.js';
import { turn } from './harness.js';

const dir = scratch('offload');
// The worker is a file of its own, which exists only when built.
const gate = requires('build');
let current: OffloadType | undefined;

async function start(): Promise<OffloadType> {
  const door = pathToFileURL(path.resolve(path.dirname(DOOR), '../fuse/index.js')).href;
  const { Offload } = (await import(door)) as { Offload: new () => OffloadType };
  current = new Offload();
  return current;
}

afterEach(async () => {
  await current?.close();
  current = undefined;
});

/** Sleeps with the event loop. */
const sleep = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

/** Runs jobs as a session does: asleep in poll(2) until the eventfd wakes it. */
async function finish(offload: OffloadType, jobs: readonly Job[]): Promise<number[]> {
  const results = Promise.all(jobs.map((job) => offload.run(job)));
  const poll = new PollSet([offload.wakeFd], POLLIN);
  const deadline = Date.now() + 30_000;
  while (offload.pending > 0) {
    if (Date.now() > deadline) throw new Error(`${String(offload.pending)} jobs do not end`);
    poll.wait(100);
    offload.collect();
    // The worker's messages are posted from here.
    await turn();
  }
  return results;
}

describe.skipIf(gate.skip)(gate.title('work left to other threads'), () => {
  test('is done, and its results come back', async () => {
    const content = randomBytes(1 << 20);
    const from = dir.file('from', content);
    const [to, part, space] = [dir.file('to'), dir.file('part'), dir.file('space')];
    const results = await finish(await start(), [
      { kind: 'copy', from, to, size: content.length },
      { kind: 'copy-range', from, offsetFrom: 100, to: part, offsetTo: 0, length: 1000 },
      { kind: 'fallocate', fd: space, mode: 0, offset: 0, length: 8192 },
      { kind: 'fsync', fd: to },
      { kind: 'fdatasync', fd: to },
      { kind: 'syncfs', fd: dir.fd },
    ]);
    expect(results).toEqual([0, 1000, 0, 0, 0, 0]);
    expect(readFileSync(`${dir.path}/to`).equals(content)).toBe(true);
    expect(readFileSync(`${dir.path}/part`).equals(content.subarray(100, 1100))).toBe(true);
    expect(statSync(`${dir.path}/space`).size).toBe(8192);
  });

  test('fails with an errno', async () => {
    const fd = dir.file('x');
    const results = await finish(await start(), [
      { kind: 'fsync', fd: 1_000_000 },
      { kind: 'fallocate', fd, mode: 0, offset: 0, length: 0 },
      { kind: 'copy', from: 1_000_000, to: fd, size: 10 },
    ]);
    expect(results).toEqual([-errno.EBADF, -errno.EINVAL, -errno.EBADF]);
  });

  test('may be more than there are threads: each job keeps its own result', async () => {
    const fd = dir.file('y');
    // Every third one fails.
    const jobs = Array.from({ length: 1000 }, (_, index): Job => {
      return { kind: 'fallocate', fd, mode: 0, offset: 0, length: index % 3 === 0 ? 0 : 4096 };
    });
    const results = await finish(await start(), jobs);
    expect(results).toEqual(jobs.map((_, index) => (index % 3 === 0 ? -errno.EINVAL : 0)));
  });

  test('rings again when it ends after it was looked at, while another one is collected', async () => {
    const offload = await start();
    const fd = dir.file('ring');
    const jobs = [1, 2].map(() => offload.run({ kind: 'fsync', fd }));
    // Of its overloads the types know the last one alone.
    const load = vi.spyOn(Atomics, 'load') as unknown as MockInstance<(array: Int32Array, index: number) => number>;
    load.mockImplementationOnce((array) => {
      // Both end now, right after the first one was found not to have ended.
      const deadline = Date.now() + 30_000;
      while ((array[0] === 0 || array[1] === 0) && Date.now() < deadline) sleep(1);
      sleep(100);
      return 0;
    });
    try {
      expect(offload.collect()).toBe(true);
    } finally {
      load.mockRestore();
    }
    expect(offload.pending).toBe(1);
    expect(new PollSet([offload.wakeFd], POLLIN).wait(0)).toBe(1);
    await finish(offload, []);
    expect(await Promise.all(jobs)).toEqual([0, 0]);
  });

  test('is counted while it is pending', async () => {
    const offload = await start();
    expect([offload.pending, offload.collect()]).toEqual([0, false]);
    const job = offload.run({ kind: 'fsync', fd: dir.file('z') });
    expect(offload.pending).toBe(1);
    await finish(offload, []);
    expect([await job, offload.pending]).toEqual([0, 0]);
  });
});
