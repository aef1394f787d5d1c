import { expect, test } from 'vitest';
import { orAborted } from '../../../src/core/index.js';

const never = new Promise<never>(() => undefined);

test('without a signal, and with one that stays silent, it is the promise', async () => {
  const { signal } = new AbortController();
  await expect(orAborted(Promise.resolve(1), undefined)).resolves.toBe(1);
  await expect(orAborted(Promise.resolve(1), signal)).resolves.toBe(1);
  await expect(orAborted(Promise.reject(new Error('lost')), signal)).rejects.toThrow('lost');
});

test('the reason comes where the promise does not', async () => {
  const controller = new AbortController();
  const waiting = orAborted(never, controller.signal);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(orAborted(never, controller.signal)).rejects.toThrow('enough');
});

test('a promise that fails after the abort bothers nobody', async () => {
  const controller = new AbortController();
  let fail: (error: Error) => void = () => undefined;
  const waiting = orAborted(new Promise<never>((_, reject) => (fail = reject)), controller.signal);
  controller.abort(new Error('enough'));
  fail(new Error('late'));
  await expect(waiting).rejects.toThrow('enough');
});
