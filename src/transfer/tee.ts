// One reading for two takers: each gets every chunk, and the source goes on when both have asked for more.

type Chunks = AsyncIterable<Uint8Array>;

/**
 * Splits a stream. A taker that stops early (return, or an error of its own) no longer holds the other one up. What the source throws
 * is thrown to both. Chunks are shared: neither may change them.
 */
export function tee(source: Chunks): readonly [Chunks, Chunks] {
  const iterator = source[Symbol.asyncIterator]();
  type Result = IteratorResult<Uint8Array>;
  /** The chunk being handed out, and who has not had it yet. */
  let current: Promise<Result> | undefined;
  const waiting = new Set<number>();
  const live = new Set([0, 1]);
  let wake: (() => void) | undefined;
  let passed = new Promise<void>((resolve) => (wake = resolve));

  const take = async (me: number): Promise<Result> => {
    // The other one has not had the chunk that this one has had.
    while (current !== undefined && !waiting.has(me)) await passed;
    if (current === undefined) {
      current = iterator.next();
      // Awaited by those who take it, if anybody does.
      current.catch(() => undefined);
      for (const taker of live) waiting.add(taker);
    }
    const mine = current;
    try {
      return await mine;
    } finally {
      leave(me);
    }
  };
  const leave = (me: number): void => {
    waiting.delete(me);
    if (waiting.size > 0) return;
    current = undefined;
    wake?.();
    passed = new Promise<void>((resolve) => (wake = resolve));
  };
  const stop = async (me: number): Promise<void> => {
    if (!live.delete(me)) return;
    leave(me);
    if (live.size === 0) await iterator.return?.();
  };

  const taker = async function* (me: number): AsyncGenerator<Uint8Array, void> {
    try {
      for (let next = await take(me); next.done !== true; next = await take(me)) yield next.value;
    } finally {
      await stop(me);
    }
  };
  return [taker(0), taker(1)];
}
