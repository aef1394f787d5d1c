import { describe, expect, test } from 'vitest';
import { RegistryFailure } from '../../../src/registry/errors.js';
import { backOff, parseRetryAfter, withRetries } from '../../../src/registry/retry.js';
import type { Wait } from '../../../src/registry/retry.js';

const passing = (retryAfter?: number): RegistryFailure =>
  new RegistryFailure('unavailable', 'x: busy', { passing: 'HTTP 503', retryAfter, status: 503 });

describe('parseRetryAfter', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');

  test.each([
    ['12', 12_000],
    [' 0 ', 0],
    ['Tue, 01 Jan 2030 00:01:00 GMT', 60_000],
    ['Mon, 31 Dec 2029 00:00:00 GMT', 0],
    ['-5', undefined],
    ['1.5', undefined],
    ['9999999999', undefined],
    ['2030-01-02', undefined],
    ['Foo, bar', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j as %j', (value, milliseconds) => {
    expect(parseRetryAfter(value, now)).toBe(milliseconds);
  });
});

describe('backOff', () => {
  test('doubles up to half a minute, a quarter more or less', () => {
    expect([1, 2, 3, 6, 60].map((nth) => backOff(nth, 1000, () => 0.5))).toEqual([1000, 2000, 4000, 30_000, 30_000]);
    expect([0, 1].map((random) => backOff(1, 1000, () => random))).toEqual([750, 1250]);
  });
});

describe('withRetries', () => {
  const failing = (times: number, error: () => Error): { attempt: () => Promise<string>; made: () => number } => {
    let made = 0;
    return {
      attempt: () => ((made += 1) <= times ? Promise.reject(error()) : Promise.resolve('done')),
      made: () => made,
    };
  };

  test('goes on while there is hope', async () => {
    const waits: Wait[] = [];
    const { attempt } = failing(2, passing);
    const policy = { attempts: 3, delay: 1, onWait: (wait: Wait) => waits.push(wait) };
    expect(await withRetries(attempt, { policy, registry: 'r' })).toBe('done');
    expect(waits.map(({ registry, reason }) => [registry, reason])).toEqual([
      ['r', 'HTTP 503'],
      ['r', 'HTTP 503'],
    ]);
  });

  test('gives up after so many attempts', async () => {
    const { attempt, made } = failing(9, passing);
    await expect(withRetries(attempt, { policy: { attempts: 3, delay: 1 }, registry: 'r' })).rejects.toThrow('x: busy');
    expect(made()).toBe(3);
  });

  test('does not repeat what will not change', async () => {
    const { attempt, made } = failing(9, () => new RegistryFailure('not-found', 'no'));
    await expect(withRetries(attempt, { policy: { attempts: 3, delay: 1 }, registry: 'r' })).rejects.toThrow('no');
    expect(made()).toBe(1);
  });

  test('waits as long as it is told to, but not for hours', async () => {
    const waits: number[] = [];
    const policy = { attempts: 2, delay: 60_000, onWait: (wait: Wait) => waits.push(wait.milliseconds) };
    await withRetries(failing(1, () => passing(2)).attempt, { policy, registry: 'r' });
    expect(waits).toEqual([2]);
    const { attempt, made } = failing(1, () => passing(3 * 3600_000));
    await expect(withRetries(attempt, { policy, registry: 'r' })).rejects.toMatchObject({
      message: 'x: busy',
      hint: 'the registry asks to come again in 3 hours',
    });
    expect(made()).toBe(1);
  });

  test('ends with its signal', async () => {
    const abort = new AbortController();
    const policy = { attempts: 9, delay: 60_000, onWait: () => abort.abort(new Error('stop')) };
    await expect(
      withRetries(failing(9, passing).attempt, { policy, registry: 'r', signal: abort.signal }),
    ).rejects.toThrow('stop');
  });
});
