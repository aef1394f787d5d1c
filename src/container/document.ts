// What a container was made with, and where what is mounted in it is now.

import type { ContainerRecord, Store } from '../store/index.js';
import { readContainerDocument } from './container-config.js';
import type { ContainerDocument } from './container-config.js';

/** How the container runs. Throws `invalid` and `not-found` where its files are damaged. */
export function documentOf(store: Store, record: ContainerRecord): ContainerDocument {
  const directory = store.containers.directory(record.id);
  const { mounts, ...document } = readContainerDocument(directory, store.images.config(record.image));
  // A store may be moved with its volumes.
  const placed = mounts.map((one) => (one.Name === undefined ? one : { ...one, Source: store.volumes.path(one.Name) }));
  return { ...document, mounts: placed };
}
