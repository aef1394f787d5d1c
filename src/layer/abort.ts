// Reading that an AbortSignal ends.

import { orAborted } from '../core/index.js';
import type { ByteSource } from './byte-reader.js';

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
