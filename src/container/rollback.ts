// `rollback`: a container's file system is again what it was at a snapshot.

import { VeneerError } from '../core/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { freezeContainer, hasWritten } from './freeze.js';
import { currentMountpoint } from './mount.js';
import { reconcileRun } from './run-end.js';
import { freeName } from './snapshot.js';
import { containerState } from './state.js';

export interface RollbackOptions {
  /** Whether what changed since is kept, as a snapshot; true unless told. */
  readonly keep?: boolean;
}

export interface RolledBack {
  readonly id: string;
  /** The snapshot of the state before; undefined where nothing had changed, or it was not to be kept. */
  readonly kept: string | undefined;
}

/**
 * Takes a container that is neither mounted nor running back to a snapshot of it. Throws `not-found`, and `in-use` for one that is
 * in use.
 */
export async function rollbackContainer(
  store: Store,
  reference: string,
  name: string,
  { keep = true }: RollbackOptions = {},
): Promise<RolledBack> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  await reconcileRun(store, store.containers.get(found.id));
  const record = store.containers.get(found.id);
  const { frozen } = store.frozen.snapshot(record.id, name);
  refuseUsed(store, record);
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

function refuseUsed(store: Store, record: ContainerRecord): void {
  const { name } = record;
  const { status } = containerState(store, record);
  if (status === 'running' || status === 'paused' || status === 'restarting') {
    throw new VeneerError('in-use', `container ${name} is running`, {
      hint: `stop it first (veneer stop ${name}), or go on from the snapshot in another container: veneer branch`,
    });
  }
  const mountpoint = currentMountpoint(record);
  if (mountpoint === undefined) return;
  throw new VeneerError('in-use', `container ${name} is mounted at ${mountpoint}`, {
    hint: `un-mount it first: veneer umount ${name}`,
  });
}
