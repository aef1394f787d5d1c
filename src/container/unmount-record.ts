// Un-mounting, for whoever holds the lock.

import { hasCode } from '../core/index.js';
import { unmountOverlay } from '../overlay/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { clearStale } from './mount-state.js';

/**
 * Un-mounts a container whose lock is held. `evenBusy`: one that somebody still uses is taken out of sight, and ends when nobody does.
 */
export async function unmountRecord(
  store: Store,
  record: ContainerRecord,
  mountpoint: string,
  { evenBusy = false }: { evenBusy?: boolean } = {},
): Promise<void> {
  try {
    await takeAway(mountpoint);
  } catch (error) {
    if (!evenBusy || !hasCode(error, 'in-use')) throw error;
    await unmountOverlay(mountpoint, { lazy: true });
  }
  store.containers.setMountpoint(record.id, undefined);
}

export async function takeAway(mountpoint: string): Promise<void> {
  if (clearStale(mountpoint).kind === 'live') await unmountOverlay(mountpoint);
}
