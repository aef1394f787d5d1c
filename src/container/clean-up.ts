// What is to be done when a container has ended, by whoever notices it.

import { hasCode } from '../core/index.js';
import type { ContainerRecord, ContainerRun, Store } from '../store/index.js';
import { reconcileRun } from './run-end.js';
import { runSettings } from './run-settings.js';

/**
 * Cleans up after a container that has ended: its network, its mount, what the runtime has of it; and removes it, if it was
 * made to be removed. Harmless for one that runs, was cleaned up, or is gone. `stays` is asked under the container's lock whether
 * one that has ended has something before it.
 */
export async function cleanUp(
  store: Store,
  id: string,
  stays: (record: ContainerRecord, run: ContainerRun) => boolean = () => false,
): Promise<void> {
  const found = store.containers.find(id);
  if (found === undefined) return;
  try {
    using _lock = await store.containers.lock(found);
    const record = store.containers.get(id);
    const run = await reconcileRun(store, record);
    if (run?.phase !== 'ended' || stays(record, run)) return;
    if (runSettings(store, record).autoRemove && run.kept !== true)
      await store.containers.remove(id, { ownVolumes: true });
  } catch (error) {
    // Removed meanwhile.
    if (!hasCode(error, 'not-found') || store.containers.find(id) !== undefined) throw error;
  }
}
