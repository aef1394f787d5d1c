// From a writer that pushes to a stream that is pulled.

import type { ByteSink } from '../layer/index.js';

/**
 * Runs a writer as far as its output is asked for; chunks are the taker's own. Its failure is thrown after what it has written; a taker
 * that stops early makes its sink throw.
 */
export async function* pulled(write: (sink: ByteSink) => Promise<unknown>): AsyncGenerator<Buffer, void> {
  let handOut: (chunk: Buffer | undefined) => void;
  let given = new Promise<Buffer | undefined>((resolve) => (handOut = resolve));
  let askForMore: () => void = () => undefined;
  let isStopped = false;
  const work = write(async (chunk) => {
    if (isStopped) throw new Error('nobody reads any more');
    const more = new Promise<void>((resolve) => (askForMore = resolve));
    handOut(Buffer.from(chunk));
    await more;
  }).finally(() => handOut(undefined));
  work.catch(() => undefined);
  try {
    for (let chunk = await given; chunk !== undefined; chunk = await given) {
      given = new Promise((resolve) => (handOut = resolve));
      yield chunk;
      askForMore();
    }
    await work;
  } finally {
    isStopped = true;
    askForMore();
    await work.catch(() => undefined);
  }
}
