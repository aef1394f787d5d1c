// Work on many things, several at a time.

import { eitherSignal } from './abortable.js';

export interface AtOnceOptions {
  /** How many. */
  readonly atOnce: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` for each item, begun in their order. The first failure aborts the others' signal, and is thrown when all of them have come
 * to their end: nothing goes on in the background.
 */
export async function eachAtOnce<T>(
  items: readonly T[],
  { atOnce, signal: outer }: AtOnceOptions,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  outer?.throwIfAborted();
  const stop = new AbortController();
  const signal = eitherSignal(stop.signal, outer);
  const left = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (signal.aborted) return;
      try {
        await work(item, signal);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, worker));
  outer?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
