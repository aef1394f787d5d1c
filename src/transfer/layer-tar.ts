// The tar of a stored layer, with the very bytes that its DiffID names.

import { VeneerError } from '../core/index.js';
import type { ChainId } from '../image/index.js';
import { assembleTar, writeLayer } from '../layer/index.js';
import type { Layer, Store } from '../store/index.js';
import { pulled } from './pulled.js';

/** The directories of the layers below, top first. */
function pathsBelow(store: Store, layer: Layer): string[] {
  const paths: string[] = [];
  for (let id = layer.parent; id !== undefined; id = store.layers.get(id).parent) paths.push(store.layers.path(id));
  return paths;
}

/**
 * Streams a layer's uncompressed tar, in chunks that are the taker's own; the last one comes only if all of them have the digest.
 * Errors: `not-found`; `integrity` for a layer whose files are damaged, or that an early version of the store unpacked without
 * a record of its tar.
 */
export async function* layerTar(
  store: Store,
  id: ChainId,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Buffer, void> {
  const layer = store.layers.get(id);
  const { diff, skeleton, replaced } = store.layers.parts(id);
  const below = pathsBelow(store, layer);
  if (skeleton !== undefined) {
    yield* assembleTar({ skeleton, replaced, directories: [diff, ...below], diffId: layer.diffId, signal });
    return;
  }
  yield* pulled(async (sink) => {
    const { diffId } = await writeLayer({
      upper: [diff],
      lower: below,
      sink: (chunk) => (signal?.throwIfAborted(), sink(chunk)),
    });
    if (diffId !== layer.diffId) throw unrecorded(layer);
  });
}

/**
 * The size of a layer's tar, in bytes. A layer without a record of its tar is read for it, so that what is wrong with it is known before
 * anything is written.
 */
export async function layerTarSize(store: Store, id: ChainId): Promise<number> {
  const layer = store.layers.get(id);
  const { diff, skeleton } = store.layers.parts(id);
  if (skeleton === undefined) {
    const { diffId, size } = await writeLayer({ upper: [diff], lower: pathsBelow(store, layer) });
    if (diffId !== layer.diffId) throw unrecorded(layer);
    return size;
  }
  if (layer.tarSize !== undefined) return layer.tarSize;
  let size = 0;
  for await (const chunk of layerTar(store, id)) size += chunk.length;
  return size;
}

function unrecorded(layer: Layer): VeneerError {
  return new VeneerError(
    'integrity',
    `the tar of layer ${layer.diffId} cannot be made again: the layer has no record of it, or is damaged`,
    { hint: 'import or load the image again: that adds the record' },
  );
}
