// `umount`: of a container by its name, or of whatever of ours is mounted at a directory.

import { VeneerError } from '../core/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { MOUNT_TYPE, canonicalMountpoint, mountState } from './mount-state.js';
import type { MountState } from './mount-state.js';
import { reconcileRun } from './run-end.js';
import { takeAway, unmountRecord } from './unmount-record.js';
import { viewOf } from './view.js';
import type { Container } from './view.js';

export interface Unmounted {
  readonly mountpoint: string;
  /** The container that was mounted there. */
  readonly container?: Container;
}

/**
 * Un-mounts and resolves when the server has ended and everything is in the container. A text with a slash is a directory; another
 * one is a container, or a directory if there is no such container. Throws `not-found` for what is not mounted.
 */
export async function unmount(store: Store, target: string): Promise<Unmounted> {
  const named = target.includes('/') ? undefined : store.containers.find(target);
  if (named !== undefined) return unmountContainer(store, named);
  const mountpoint = mountedDirectory(target);
  const owner = store.containers.list().find((record) => record.mountpoint === mountpoint);
  if (owner !== undefined) return unmountContainer(store, owner);
  await takeAway(mountpoint);
  store.mounts.remove(mountpoint);
  return { mountpoint };
}

async function unmountContainer(store: Store, found: ContainerRecord): Promise<Unmounted> {
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const { mountpoint } = record;
  if (mountpoint === undefined || !isOurs(mountState(mountpoint))) {
    throw containerNotMounted(record);
  }
  const run = await reconcileRun(store, record);
  if (run !== undefined && run.phase !== 'ended' && run.phase !== 'waiting') {
    throw new VeneerError('in-use', `container ${record.name} is running`, {
      hint: `stop it first: veneer stop ${record.name}`,
    });
  }
  // Whoever cleaned up just now may have un-mounted what the run had mounted.
  if (mountState(mountpoint).kind !== 'none') await unmountRecord(store, record, mountpoint);
  return { mountpoint, container: viewOf(store, store.containers.get(record.id)) };
}

/** Where what a user names as for `unmount` is mounted. Throws as it does. */
export function mountpointOf(store: Store, target: string): string {
  const named = target.includes('/') ? undefined : store.containers.find(target);
  if (named === undefined) return mountedDirectory(target);
  if (named.mountpoint === undefined || !isOurs(mountState(named.mountpoint))) throw containerNotMounted(named);
  return named.mountpoint;
}

/** The mount point a user means. Throws `not-found`, and `invalid` for a mount of another kind. */
function mountedDirectory(target: string): string {
  let mountpoint: string;
  try {
    mountpoint = canonicalMountpoint(target);
  } catch (cause) {
    throw notMounted(target, cause);
  }
  const state = mountState(mountpoint);
  if (state.kind === 'none') throw notMounted(target);
  if (state.kind === 'live' && state.type !== MOUNT_TYPE) {
    throw new VeneerError('invalid', `'${target}' is a mount of another kind (${state.type})`, {
      hint: `use umount '${target}'`,
    });
  }
  return mountpoint;
}

function isOurs(state: MountState): boolean {
  return state.kind === 'stale' || (state.kind === 'live' && state.type === MOUNT_TYPE);
}

function containerNotMounted({ name }: ContainerRecord): VeneerError {
  return new VeneerError('not-found', `container ${name} is not mounted`);
}

function notMounted(target: string, cause?: unknown): VeneerError {
  const what = target.includes('/')
    ? `nothing is mounted at '${target}'`
    : `no such container or mount point: ${target}`;
  return new VeneerError('not-found', what, {
    ...(cause === undefined ? {} : { cause }),
    hint: "'veneer ps' lists the mounted containers",
  });
}
