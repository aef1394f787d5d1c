// What a container's writable directory lies on: the layers of its image, on them those of its commits, and on these what was frozen.

import type { ChainId } from '../image/index.js';
import type { ContainerRecord, Store } from '../store/index.js';

/** The layers among them, bottom first. */
export function lowerLayers(store: Store, record: ContainerRecord): ChainId[] {
  return [...store.images.get(record.image).layers, ...record.committed.map((layer) => layer.chainId)];
}

/** What was frozen since its last commit, top first. */
export function frozenDirectories(store: Store, record: ContainerRecord): string[] {
  return record.frozen.map((id) => store.frozen.path(id));
}

/** The directories of its layers, top first. */
export function baseDirectories(store: Store, record: ContainerRecord): string[] {
  return store.layers.paths(lowerLayers(store, record));
}

/** All, top first. */
export function lowerDirectories(store: Store, record: ContainerRecord): string[] {
  return [...frozenDirectories(store, record), ...baseDirectories(store, record)];
}
