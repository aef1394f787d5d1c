// `container cleanup`: what is to be done when a container has ended, by conmon's word or somebody's who was waiting for it.

import { hasCode } from '../core/index.js';
import type { Store } from '../store/index.js';
import { reconcileRun } from './run-end.js';
import { runSettings } from './run-settings.js';

/**
 * Cleans up after a container that has ended: its network, its mount, what the runtime has of it; and removes it, if it was
 * made to be removed. Harmless for one that runs, was cleaned up, or is gone.
 */
export async function cleanUp(store: Store, id: string): Promise<void> {
  const found = store.containers.find(id);
  if (found === undefined) return;
  let lock;
  try {
    lock = await store.containers.lock(found);
  } catch (error) {
    if (hasCode(error, 'not-found')) return;
    throw error;
  }
  try {
    const record = store.containers.get(found.id);
    const run = await reconcileRun(store, record);
    if (run?.phase === 'ended' && runSettings(store, record).autoRemove) store.containers.remove(record.id);
  } finally {
    lock.release();
  }
}
