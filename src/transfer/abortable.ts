import { setMaxListeners } from 'node:events';
import { addAbortSignal, Readable } from 'node:stream';

/** A stream whose readers a signal frees at once: what writes into a pipe may say nothing for long. */
export function abortable(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  return signal !== undefined && stream instanceof Readable ? addAbortSignal(signal, stream) : stream;
}

/** A signal that either of two aborts, for many who listen at once: one for each layer is no leak. */
export function eitherSignal(own: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  const signal = AbortSignal.any(given === undefined ? [own] : [own, given]);
  setMaxListeners(0, signal);
  return signal;
}
