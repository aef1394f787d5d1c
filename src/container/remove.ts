// `rm`: a container, its changes and its directory.

import { existsSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import type { Store } from '../store/index.js';
import { currentMountpoint } from './mount.js';
import { clearStale } from './mount-state.js';
import { unmountRecord } from './unmount.js';
import { containerDirectories } from './upper-directory.js';

/**
 * Removes a container with its changes; layers committed from it that no image has go with it. Resolves to its ID.
 * Throws `not-found`, and `in-use` while it is mounted, unless `force` un-mounts it first.
 */
export async function removeContainer(
  store: Store,
  reference: string,
  options: { force?: boolean } = {},
): Promise<string> {
  const found = store.containers.resolve(reference);
  const directory = store.containers.directory(found.id);
  if (!existsSync(directory)) {
    // Damage that check names; the record is all there is to remove, and to lock.
    store.containers.remove(found.id);
    return found.id;
  }
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const mountpoint = currentMountpoint(record);
  if (mountpoint !== undefined) {
    if (options.force !== true) {
      throw new VeneerError('in-use', `cannot remove container ${record.name}: it is mounted at ${mountpoint}`, {
        hint: `un-mount it first: veneer umount ${record.name}, or use --force`,
      });
    }
    await unmountRecord(store, record, mountpoint);
  }
  clearStale(containerDirectories(directory).merged);
  store.containers.remove(record.id);
  return record.id;
}
