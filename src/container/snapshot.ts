// `snapshot`: a state of a container's file system, kept by name.

import type { Snapshot, Store } from '../store/index.js';
import { treeSize } from '../store/index.js';
import { freezeContainer } from './freeze.js';

export interface SnapshotOptions {
  /** A made-up one by default. */
  readonly name?: string | undefined;
  /** Whether a running container is held for the moment; true unless told. */
  readonly pause?: boolean | undefined;
}

/**
 * Keeps the state of a container's file system, which goes on from there, running or not. Nothing is copied, but for files that are open
 * for writing. Throws `not-found`, `invalid` and `already-exists` for the name, `unavailable` where its server cannot be asked.
 */
export async function snapshotContainer(
  store: Store,
  reference: string,
  { name, pause }: SnapshotOptions = {},
): Promise<Snapshot> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const chosen = name ?? freeName(store, record.id, 'snapshot');
  await freezeContainer(store, record, { snapshot: chosen, pause });
  return store.frozen.snapshot(record.id, chosen);
}

/** The first of `stem-1`, `stem-2`, … that no snapshot of the container has. */
export function freeName(store: Store, container: string, stem: string): string {
  const taken = new Set(store.frozen.snapshots(container).map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = `${stem}-${String(number)}`;
    if (!taken.has(name)) return name;
  }
}

export interface ListedSnapshot extends Snapshot {
  /** Of what changed between it and the snapshot before, in bytes. */
  readonly size: number;
  /** Whether the container goes on from it. */
  readonly isCurrent: boolean;
}

/** The oldest first. Throws `not-found`. */
export function listSnapshots(store: Store, reference: string): ListedSnapshot[] {
  const record = store.containers.resolve(reference);
  const snapshots = store.frozen.snapshots(record.id);
  const tops = new Set(snapshots.map(({ frozen }) => frozen));
  const current = record.frozen.find((id) => tops.has(id));
  return snapshots.map((snapshot) => ({
    ...snapshot,
    size: sizeOf(store, snapshot.frozen, tops),
    isCurrent: snapshot.frozen === current,
  }));
}

function sizeOf(store: Store, top: string, tops: ReadonlySet<string>): number {
  let size = 0;
  for (const id of store.frozen.stack(top)) {
    if (id !== top && tops.has(id)) break;
    size += treeSize(store.frozen.path(id));
  }
  return size;
}

/** Forgets a snapshot; what nobody else needs of it goes. Throws `not-found`. */
export async function removeSnapshot(store: Store, reference: string, name: string): Promise<void> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  store.frozen.removeSnapshot(found.id, name);
}
