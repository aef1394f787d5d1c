// `diff`: what a container's file system has changed against its image.

import { diffLayers } from '../layer/index.js';
import type { Change } from '../layer/index.js';
import type { Store } from '../store/index.js';
import { currentMountpoint } from './mount.js';
import { settledUpper } from './settled-upper.js';
import { containerDirectories } from './upper-directory.js';
import { committedLayers } from './view.js';

/**
 * The changes, sorted by path, against the image the container was made from, also after commits. A mounted container may
 * go on changing meanwhile. Throws `not-found`.
 */
export async function* diffContainer(store: Store, reference: string): AsyncGenerator<Change> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const mounted = currentMountpoint(record) !== undefined;
  const { upper } = mounted ? containerDirectories(store.containers.directory(record.id)) : settledUpper(store, record);
  const own = committedLayers(record).map((id) => store.layers.path(id));
  const lower = store.layers.paths(store.images.get(record.image).layers);
  yield* diffLayers({ upper: [upper, ...own.reverse()], lower });
}
