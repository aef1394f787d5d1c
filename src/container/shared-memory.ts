// /dev/shm where containers have it in common: --ipc shareable, and --ipc container:NAME.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, errno, toByteString } from '../core/index.js';
import { sharedContainer } from '../runtime/index.js';
import type { HostConfig } from '../runtime/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, mount, must, umount2 } from '../sys/index.js';
import { runFilesOf } from './state.js';
import { documentOf } from './document.js';

/** In the host's tree, as no container can bind what is mounted in another one's. */
const mountpointOf = (store: Store, id: string): string => join(runFilesOf(store, id).directory, 'shm');

/**
 * Where the memory is that a container about to start has in common with others; one that is shareable gets it here. Throws `unavailable` where the other one
 * keeps its own for itself.
 */
export function prepareSharedMemory(store: Store, { id }: ContainerRecord, host: HostConfig): string | undefined {
  const other = sharedContainer(host.IpcMode);
  if (other !== undefined) return memoryOf(store, store.containers.resolve(other));
  if (host.IpcMode !== 'shareable') return undefined;
  const target = mountpointOf(store, id);
  removeSharedMemory(store, id);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const call = {
    source: 'shm',
    target: toByteString(target),
    type: 'tmpfs',
    flags: MS_NOSUID | MS_NODEV | MS_NOEXEC,
    data: `mode=1777,size=${String(host.ShmSize)}`,
  };
  must(mount(call), 'mount', target);
  return target;
}

function memoryOf(store: Store, record: ContainerRecord): string {
  const { IpcMode } = documentOf(store, record).host;
  const other = sharedContainer(IpcMode);
  if (other !== undefined) return memoryOf(store, store.containers.resolve(other));
  if (IpcMode === 'host') return '/dev/shm';
  if (IpcMode === 'shareable') return mountpointOf(store, record.id);
  throw new VeneerError('unavailable', `cannot join the IPC of container ${record.name}: it is its own`, {
    hint: `make that one with --ipc shareable`,
  });
}

/** Takes it away again. Containers that have it in common keep it until they end. */
export function removeSharedMemory(store: Store, id: string): void {
  const target = mountpointOf(store, id);
  if (!existsSync(target)) return;
  const status = umount2(toByteString(target), MNT_DETACH);
  // No mount, or none of this boot.
  if (status !== -errno.EINVAL) must(status, 'umount2', target);
}
