// `mount` of a container: its writable directory over the layers of its image and of its commits.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, hasCode } from '../core/index.js';
import { startOverlay, unmountOverlay } from '../overlay/index.js';
import type { Transport, WaitingServer } from '../overlay/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { MOUNT_TYPE, canonicalMountpoint, clearStale } from './mount-state.js';
import { lowerDirectories } from './lower-directories.js';
import { ensureDirectories } from './upper-directory.js';
import { viewOf } from './view.js';
import type { Container } from './view.js';

export interface MountedContainer {
  readonly container: Container;
  readonly mountpoint: string;
}

/**
 * Mounts a container, by default at a directory of its own, and resolves when the mount answers. Mounting a mounted one again
 * is harmless and gives the same mount point. A mount whose server has died is taken away first.
 *
 * Throws `not-found`, and `in-use` when the container is mounted elsewhere or the directory is a mount point already.
 */
export async function mountContainer(
  store: Store,
  reference: string,
  options: { mountpoint?: string; transport?: Transport | undefined } = {},
): Promise<MountedContainer> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const { mountpoint } = await mountRecord(store, store.containers.get(found.id), options);
  return { container: viewOf(store, store.containers.get(found.id)), mountpoint };
}

export interface RecordMount {
  readonly mountpoint: string;
  /** Of the server that was started for it; undefined where it was mounted already. */
  readonly server: number | undefined;
}

export interface RecordMountOptions {
  readonly mountpoint?: string;
  readonly transport?: Transport | undefined;
  /** It is about to run: what a runtime mounts on is there, without being a change of the container's; a mount that lacks it is made anew. */
  readonly toRun?: boolean;
  /** It is removed at the end of its run. */
  readonly temporary?: boolean;
  /** One that waits, if it is for where the container is to be mounted. */
  readonly server?: WaitingServer | undefined;
}

/** Mounts a container whose lock is held; as `mountContainer`. */
export async function mountRecord(
  store: Store,
  record: ContainerRecord,
  options: RecordMountOptions = {},
): Promise<RecordMount> {
  const wanted = options.mountpoint === undefined ? undefined : wantedMountpoint(options.mountpoint);
  const current = currentMountpoint(record);
  if (current !== undefined) {
    if (wanted !== undefined && wanted !== current) {
      throw new VeneerError('in-use', `container ${record.name} is mounted already, at ${current}`, {
        hint: `un-mount it first: veneer umount ${record.name}`,
      });
    }
    if (options.toRun !== true || hasMountPoints(store, current) || !(await giveUp(current))) {
      return { mountpoint: current, server: undefined };
    }
  }
  const lowerdir = lowerDirectories(store, record);
  const { upper, work, merged, log } = ensureDirectories(store.containers.directory(record.id), lowerdir[0] ?? '');
  const mountpoint = wanted ?? current ?? merged;
  refuseMounted(mountpoint);
  // Recorded first: a process that dies in between leaves a record of no mount, never a mount without a record.
  store.containers.setMountpoint(record.id, mountpoint);
  try {
    const { transport = 'direct', temporary = false, server } = options;
    const { pid } = await startOverlay({
      lowerdir: options.toRun === true ? [...lowerdir, store.mountPoints] : lowerdir,
      frozen: record.frozen.length,
      upperdir: upper,
      workdir: work,
      mountpoint,
      metacopy: true,
      temporary,
      logFile: log,
      transport,
      server: server?.mountpoint === mountpoint ? server : undefined,
    });
    return { mountpoint, server: pid };
  } catch (error) {
    store.containers.setMountpoint(record.id, undefined);
    throw error;
  }
}

/** Whether a tree has all that a runtime mounts on: most images do. */
function hasMountPoints(store: Store, mountpoint: string): boolean {
  const names = readdirSync(store.mountPoints, { recursive: true, encoding: 'utf8' });
  return names.every((name) => existsSync(join(mountpoint, name)));
}

/** Un-mounts what is to be mounted in another way; false where somebody uses it. */
async function giveUp(mountpoint: string): Promise<boolean> {
  try {
    await unmountOverlay(mountpoint);
    return true;
  } catch (error) {
    if (!hasCode(error, 'in-use')) throw error;
    return false;
  }
}

/** Where the container is mounted, after taking away a mount whose server has died. */
export function currentMountpoint(record: ContainerRecord): string | undefined {
  if (record.mountpoint === undefined) return undefined;
  const state = clearStale(record.mountpoint);
  return state.kind === 'live' && state.type === MOUNT_TYPE ? record.mountpoint : undefined;
}

/** The user's mount point as the kernel names it. Throws `not-found` when it cannot be there. */
export function wantedMountpoint(path: string): string {
  try {
    return canonicalMountpoint(path);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT') || hasCode(cause, 'ENOTDIR')) {
      throw new VeneerError('not-found', `cannot mount at '${path}': no such directory`, { cause });
    }
    throw cause;
  }
}

/** Throws `in-use` when something is mounted on a directory; a mount whose server has died is taken away. */
export function refuseMounted(mountpoint: string): void {
  const state = clearStale(mountpoint);
  if (state.kind === 'none') return;
  throw new VeneerError('in-use', `cannot mount at '${mountpoint}': a file system (${state.type}) is mounted there`, {
    hint: 'un-mount it first, or choose another directory',
  });
}
