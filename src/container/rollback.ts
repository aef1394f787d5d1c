// `rollback`: a container's file system is again what it was at a snapshot.

import { VeneerError } from '../core/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { freezeContainer, hasWritten } from './freeze.js';
import { currentMountpoint, mountContainer } from './mount.js';
import { reconcileRun } from './run-end.js';
import { freeName } from './snapshot.js';
import { startContainer } from './start.js';
import { containerState } from './state.js';
import { stopContainer } from './stop.js';
import { unmount } from './unmount.js';

export interface RollbackOptions {
  /** Whether what changed since is kept, as a snapshot; true unless told. */
  readonly keep?: boolean;
  /** Whether a container in use is stopped or un-mounted before, and started or mounted again. */
  readonly force?: boolean;
  /** Seconds that a running container has to end, as `stopContainer` takes them. */
  readonly timeout?: number | undefined;
}

export interface RolledBack {
  readonly id: string;
  /** The snapshot of the state before; undefined where nothing had changed, or it was not to be kept. */
  readonly kept: string | undefined;
}

/**
 * Takes a container back to a snapshot of it. Throws `not-found`, and `in-use` for one that runs or is mounted, unless that is to be
 * interrupted.
 */
export async function rollbackContainer(
  store: Store,
  reference: string,
  name: string,
  { keep = true, force = false, timeout }: RollbackOptions = {},
): Promise<RolledBack> {
  const { id } = store.containers.resolve(reference);
  // Before anything is stopped for it.
  store.frozen.snapshot(id, name);
  const resume = force ? await interrupt(store, id, timeout) : undefined;
  try {
    return await takeBack(store, id, { name, keep });
  } finally {
    await resume?.();
  }
}

/** Has a container be out of use; returns what puts it in use again. */
async function interrupt(store: Store, id: string, timeout: number | undefined): Promise<() => Promise<void>> {
  const isUp = ['running', 'paused', 'restarting'].includes(containerState(store, store.containers.get(id)).status);
  if (isUp) await stopContainer(store, id, { timeout, keep: true });
  const mountpoint = currentMountpoint(store.containers.get(id));
  if (mountpoint !== undefined) await unmount(store, id);
  return async () => {
    if (mountpoint !== undefined) await mountContainer(store, id, { mountpoint });
    if (isUp) await startContainer(store, id);
  };
}

async function takeBack(
  store: Store,
  id: string,
  { name, keep }: { name: string; keep: boolean },
): Promise<RolledBack> {
  const found = store.containers.get(id);
  using _lock = await store.containers.lock(found);
  await reconcileRun(store, store.containers.get(found.id));
  const record = store.containers.get(found.id);
  const { frozen } = store.frozen.snapshot(record.id, name);
  refuseUsed(store, record, name);
  const changed = hasWritten(store, record) || (record.frozen[0] !== undefined && !isNamed(store, record));
  const kept = keep && changed ? freeName(store, record.id, 'before-rollback') : undefined;
  // What is not kept goes the same way, so that there is one moment at which the container is another one.
  await freezeContainer(store, record, kept === undefined ? {} : { snapshot: kept });
  store.frozen.setTop(record.id, frozen);
  return { id: record.id, kept };
}

function isNamed(store: Store, record: ContainerRecord): boolean {
  return store.frozen.snapshots(record.id).some(({ frozen }) => frozen === record.frozen[0]);
}

function refuseUsed(store: Store, record: ContainerRecord, snapshot: string): void {
  const { name } = record;
  const { status } = containerState(store, record);
  if (status === 'running' || status === 'paused' || status === 'restarting') {
    throw new VeneerError('in-use', `container ${name} is running`, {
      hint:
        `'veneer rollback --force ${name} ${snapshot}' stops it and starts it again; ` +
        `'veneer branch ${name}@${snapshot}' goes on from there in another container`,
    });
  }
  const mountpoint = currentMountpoint(record);
  if (mountpoint === undefined) return;
  throw new VeneerError('in-use', `container ${name} is mounted at ${mountpoint}`, {
    hint: `un-mount it first (veneer umount ${name}), or 'veneer rollback --force ${name} ${snapshot}'`,
  });
}
