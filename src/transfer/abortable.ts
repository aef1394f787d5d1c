import { addAbortSignal, Readable } from 'node:stream';

/** A stream whose readers a signal frees at once: what writes into a pipe may say nothing for long. */
export function abortable(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  return signal !== undefined && stream instanceof Readable ? addAbortSignal(signal, stream) : stream;
}
