// Un-mounting, for whoever holds the lock.

import { resumeServer, unmountOverlay } from '../overlay/index.js';
import type { UnmountOptions } from '../overlay/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { MOUNT_TYPE, clearStale } from './mount-state.js';

/** Un-mounts a container whose lock is held, unless that was done. */
export async function unmountRecord(
  store: Store,
  record: ContainerRecord,
  mountpoint: string,
  options: UnmountOptions = {},
): Promise<void> {
  await takeAway(mountpoint, options);
  store.containers.setMountpoint(record.id, undefined);
}

/** What another file system has been mounted on is left alone. */
export async function takeAway(mountpoint: string, options: UnmountOptions = {}): Promise<void> {
  if (options.force === true) resumeServer(mountpoint, options.server);
  const state = clearStale(mountpoint);
  if (state.kind === 'live' && state.type === MOUNT_TYPE) await unmountOverlay(mountpoint, options);
}
