// Waiting that an AbortSignal ends.

import type { ByteSource } from './byte-reader.js';

/** What `promise` comes to, or the signal's reason, thrown, if that is first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * A source that fails with the signal's reason as soon as it is aborted, whatever it is waiting for. It is told then that no
 * more is wanted, but not waited for: it may never notice.
 */
export function abortable(source: ByteSource, signal: AbortSignal | undefined): ByteSource {
  if (signal === undefined) return source;
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      let given = false;
      const giveUp = (): void => {
        if (!given) iterator.return?.().catch(() => undefined);
        given = true;
      };
      return {
        async next() {
          try {
            return await orAborted(iterator.next(), signal);
          } catch (error) {
            if (signal.aborted) giveUp();
            throw error;
          }
        },
        async return() {
          if (signal.aborted) giveUp();
          else await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
