import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Interrupted, interruptible } from '../../../src/cli/interruption.js';

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s aborts what is going on, which puts away what it has begun', async (signal, exitCode) => {
  let tidied = false;
  const run = interruptible(async (abort) => {
    const aborted = once(abort, 'abort');
    process.kill(process.pid, signal);
    await aborted;
    tidied = true;
    abort.throwIfAborted();
  });
  await expect(run).rejects.toMatchObject({ name: 'Interrupted', exitCode });
  expect(tidied).toBe(true);
  expect(process.listenerCount(signal)).toBe(0);
});

test('a failure for another reason is that failure, and a result a result', async () => {
  await expect(interruptible(() => Promise.reject(new Error('other')))).rejects.toThrow('other');
  await expect(interruptible(() => Promise.resolve(7))).resolves.toBe(7);
});

test('whatever it throws once it was asked to stop is the interruption', async () => {
  const run = interruptible(async (abort) => {
    const aborted = once(abort, 'abort');
    process.kill(process.pid, 'SIGINT');
    await aborted;
    throw new Error('a child died of the same ^C');
  });
  await expect(run).rejects.toBeInstanceOf(Interrupted);
});
