import { describe, expect, test } from 'vitest';
import { eachAtOnce } from '../../../src/transfer/each-at-once.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('eachAtOnce', () => {
  test('begins in order, and works on so many at a time', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    await eachAtOnce([5, 1, 3, 1, 1], { atOnce: 2 }, async (turns) => {
      begun.push(turns);
      most = Math.max(most, (running += 1));
      for (let left = turns; left > 0; left -= 1) await turn();
      running -= 1;
    });
    expect(begun).toEqual([5, 1, 3, 1, 1]);
    expect(most).toBe(2);
  });

  test('stops after a failure, when what goes on has been told and has ended', async () => {
    const seen: string[] = [];
    const work = eachAtOnce(['slow', 'bad', 'never'], { atOnce: 2 }, async (item, signal) => {
      if (item === 'bad') throw new Error('no');
      while (!signal.aborted) await turn();
      await turn();
      seen.push(item);
    });
    await expect(work).rejects.toThrow('no');
    expect(seen).toEqual(['slow']);
  });

  test("ends with the signal's reason", async () => {
    const stop = new AbortController();
    const work = eachAtOnce([1, 2, 3], { atOnce: 1, signal: stop.signal }, async (item) => {
      if (item === 2) stop.abort(new Error('enough'));
      expect(item).toBeLessThan(3);
      await turn();
    });
    await expect(work).rejects.toThrow('enough');
  });
});
