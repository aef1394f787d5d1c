// Work that takes a while, as one object: a promise of its result and a stream of its progress.

/**
 * Work that has begun. `await` it for its result; iterate it for its progress, which ends when the work does. Both may
 * be done, in any order, or only one. A failure rejects the promise and ends the iteration with the same error; nobody
 * looking at either is an unhandled rejection, as with any promise.
 */
export interface Operation<Result, Progress> extends Promise<Result>, AsyncIterable<Progress> {}

/** Progress nobody has taken yet: of each object the latest. A slow reader misses steps, never the last one of an object. */
class Pending<Progress> {
  readonly #latest = new Map<unknown, Progress>();
  readonly #keyOf: (progress: Progress) => unknown;
  readonly #readers = new Set<() => void>();
  #ended = false;

  constructor(keyOf: (progress: Progress) => unknown) {
    this.#keyOf = keyOf;
  }

  put(progress: Progress): void {
    this.#latest.set(this.#keyOf(progress), progress);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#readers) wake();
    this.#readers.clear();
  }

  async *take(): AsyncGenerator<Progress, void> {
    for (;;) {
      for (const [key, progress] of this.#latest) {
        this.#latest.delete(key);
        yield progress;
      }
      if (this.#latest.size > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => this.#readers.add(resolve));
    }
  }
}

export interface OperationOptions<Progress> {
  /** What a progress is about: of each the latest is kept for the reader. One thing unless told. */
  readonly keyOf?: (progress: Progress) => unknown;
}

/** Begins `work`, which reports its progress by the function it is given. */
export function operation<Result, Progress>(
  work: (report: (progress: Progress) => void) => Promise<Result>,
  { keyOf = () => undefined }: OperationOptions<Progress> = {},
): Operation<Result, Progress> {
  const pending = new Pending<Progress>(keyOf);
  const result = (async () => {
    try {
      return await work((progress) => pending.put(progress));
    } finally {
      pending.end();
    }
  })();
  async function* iterate(): AsyncGenerator<Progress, void> {
    // The error is this reader's: it comes out below.
    result.catch(() => undefined);
    yield* pending.take();
    await result;
  }
  return Object.assign(result, { [Symbol.asyncIterator]: iterate });
}
