import { expect, test } from 'vitest';
import { tee } from '../../../src/transfer/tee.js';

async function* numbers(count: number, end?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield await Promise.resolve(Uint8Array.of(at));
  if (end !== undefined) throw end;
}

async function collect(source: AsyncIterable<Uint8Array>, most = Infinity): Promise<number[]> {
  const found: number[] = [];
  if (most === 0) return found;
  for await (const chunk of source) {
    found.push(...chunk);
    if (found.length >= most) break;
  }
  return found;
}

test('both get everything', async () => {
  const [a, b] = tee(numbers(100));
  const all = Array.from({ length: 100 }, (_, at) => at);
  expect(await Promise.all([collect(a), collect(b)])).toEqual([all, all]);
});

test('neither is more than a chunk ahead', async () => {
  let handedOut = 0;
  const source = (async function* () {
    for await (const chunk of numbers(100)) {
      handedOut += 1;
      yield chunk;
    }
  })();
  const [a, b] = tee(source);
  const fast = collect(a);
  const slow = b[Symbol.asyncIterator]();
  await slow.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(handedOut).toBeLessThanOrEqual(2);
  await slow.return?.();
  expect(await fast).toHaveLength(100);
});

test('one that stops does not hold up the other, and with both the source ends', async () => {
  let closed = false;
  const source = (async function* () {
    try {
      yield* numbers(50);
    } finally {
      closed = true;
    }
  })();
  const [a, b] = tee(source);
  const [first, second] = await Promise.all([collect(a, 3), collect(b, 10)]);
  expect([first.length, second.length, closed]).toEqual([3, 10, true]);
});

test('what the source throws is thrown to both', async () => {
  const [a, b] = tee(numbers(3, new Error('torn')));
  const outcomes = await Promise.allSettled([collect(a), collect(b)]);
  expect(outcomes).toMatchObject([{ reason: { message: 'torn' } }, { reason: { message: 'torn' } }]);
});
