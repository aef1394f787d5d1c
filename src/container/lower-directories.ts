// What a container's writable directory lies on: the layers of its image, and on them those of its commits.

import type { ChainId } from '../image/index.js';
import type { ContainerRecord, Store } from '../store/index.js';

/** Bottom first. */
export function lowerLayers(store: Store, record: ContainerRecord): ChainId[] {
  return [...store.images.get(record.image).layers, ...record.committed.map((layer) => layer.chainId)];
}

/** Top first. */
export function lowerDirectories(store: Store, record: ContainerRecord): string[] {
  return store.layers.paths(lowerLayers(store, record));
}
