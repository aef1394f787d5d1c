import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { operation } from '../../../src/library/operation.js';

interface Step {
  readonly of: string;
  readonly done: number;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

describe('an operation', () => {
  test('is a promise of the result', async () => {
    expect(await operation(() => Promise.resolve(7))).toBe(7);
  });

  test('is begun at once, whoever looks', async () => {
    let begun = false;
    const task = operation(() => {
      begun = true;
      return Promise.resolve();
    });
    expect(begun).toBe(true);
    await task;
  });

  test('shows its progress until the work ends, and the result afterwards', async () => {
    const task = operation<string, number>(async (report) => {
      for (const step of [1, 2, 3]) {
        report(step);
        await delay(1);
      }
      return 'done';
    });
    expect(await collect(task)).toEqual([1, 2, 3]);
    expect(await task).toBe('done');
  });

  test('keeps of each object what was last, for a reader who comes late', async () => {
    const task = operation<void, Step>(
      (report) => {
        for (let done = 1; done <= 1000; done += 1) for (const of of ['a', 'b']) report({ of, done });
        return Promise.resolve();
      },
      { keyOf: ({ of }) => of },
    );
    await task;
    expect(await collect(task)).toEqual([
      { of: 'a', done: 1000 },
      { of: 'b', done: 1000 },
    ]);
  });

  test('ends the iteration with the error of the work, after its last progress', async () => {
    const task = operation<void, number>(async (report) => {
      await delay(1);
      report(1);
      throw new Error('no space left');
    });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const step of task) seen.push(step);
    })();
    await expect(reading).rejects.toThrow('no space left');
    expect(seen).toEqual([1]);
    await expect(task).rejects.toThrow('no space left');
  });

  test('a reader may leave early, and the work goes on', async () => {
    const task = operation<string, number>(async (report) => {
      report(1);
      await delay(5);
      report(2);
      return 'done';
    });
    for await (const step of task) {
      expect(step).toBe(1);
      break;
    }
    expect(await task).toBe('done');
  });

  test('a failure at the start is a rejection, not an exception', async () => {
    const task = operation(() => {
      throw new Error('at once');
    });
    await expect(task).rejects.toThrow('at once');
  });
});
