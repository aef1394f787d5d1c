// `system check --deep`, with a bar: everything there is, is read.

import type { ChainId } from '../image/index.js';
import type { Finding, Store } from '../store/index.js';
import { layerTar } from '../transfer/index.js';
import { interruptible } from './interruption.js';
import { Progress } from './progress.js';

/** Throws `Interrupted` after ^C. */
export async function checkDeep(store: Store, options: { quiet: boolean }): Promise<Finding[]> {
  const blobs = store.content.list().map((digest) => store.content.size(digest));
  const layers = store.layers.list().map(({ tarSize, size }) => tarSize ?? size);
  const total = [...blobs, ...layers].reduce((sum, size) => sum + size, 0);
  const progress = new Progress({ label: 'checking', total, quiet: options.quiet });
  let read = 0;
  async function* counted(id: ChainId, { signal }: { signal?: AbortSignal }): AsyncGenerator<Uint8Array> {
    for await (const chunk of layerTar(store, id, { signal })) {
      read += chunk.length;
      progress.update(read);
      yield chunk;
    }
  }
  return interruptible((signal) =>
    store.checkDeep({
      layerTar: counted,
      signal,
      // Blobs come first; what layers add is counted above.
      onProgress: ({ done }) => {
        read += blobs[done - 1] ?? 0;
        progress.update(read);
      },
    }),
  ).finally(() => progress.end());
}
