// What a container takes on disk.

import { join } from 'node:path';
import { treeSize } from '../store/index.js';
import type { Store } from '../store/index.js';
import { frozenDirectories } from './lower-directories.js';
import { committedLayers } from './view.js';

export interface ContainerSize {
  /** Of the files in its writable layer, in bytes; a file of which only the attributes were copied up does not count. */
  readonly writable: number;
  /** Of the layers below: its image's, and those committed since. */
  readonly layers: number;
}

/** Throws `not-found`. */
export function containerSize(store: Store, reference: string): ContainerSize {
  const record = store.containers.resolve(reference);
  const layers = [...store.images.get(record.image).layers, ...committedLayers(record)];
  return {
    writable: [join(store.containers.directory(record.id), 'upper'), ...frozenDirectories(store, record)].reduce(
      (sum, directory) => sum + treeSize(directory),
      0,
    ),
    layers: layers.reduce((sum, id) => sum + store.layers.get(id).size, 0),
  };
}
