// The changes of a container as a layer of the store.

import { rmSync } from 'node:fs';
import { chainId } from '../image/index.js';
import type { DiffId, HistoryEntry } from '../image/index.js';
import type { ContainerRecord, Lease, Store } from '../store/index.js';
import { commitRewritten } from './commit-rewritten.js';
import type { Rewriting } from './commit-rewritten.js';
import { lowerDirectories, lowerLayers } from './lower-directories.js';
import { currentMountpoint } from './mount.js';
import { packUpper } from './pack-upper.js';
import type { CommitProgress, PackedLayer } from './pack-upper.js';
import { copySettled, sync } from './readable-upper.js';
import { settledUpper } from './settled-upper.js';
import { ensureDirectories } from './upper-directory.js';

export interface UpperCommit {
  readonly store: Store;
  /** Of a container whose lock is held. */
  readonly record: ContainerRecord;
  /** The history entry of the layer. */
  readonly entry: HistoryEntry;
  /** Keeps the layer until an image has it. */
  readonly lease: Lease;
  readonly onProgress?: ((progress: CommitProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a layer of what the container has changed since its last commit, and returns its DiffID; undefined without changes.
 * A mounted container is copied. One that is not mounted gives its directory away and goes on with an empty one on top. A layer
 * that is to be another one than the container's is written anew, and the container stays as it is.
 */
export async function commitUpper(commit: UpperCommit, rewriting?: Rewriting): Promise<DiffId | undefined> {
  if (rewriting !== undefined) return commitRewritten(commit, rewriting);
  const mountpoint = currentMountpoint(commit.record);
  const packed = mountpoint === undefined ? await commitInPlace(commit) : await commitCopy(commit, mountpoint);
  return packed?.diffId;
}

async function commitInPlace(commit: UpperCommit): Promise<PackedLayer | undefined> {
  const { store, record, entry, lease, onProgress, signal } = commit;
  const directory = store.containers.directory(record.id);
  const { upper, lower } = settledUpper(store, record);
  const skeleton = store.containers.skeleton(record.id);
  try {
    const packed = await packUpper({ upper, lower, skeleton, onProgress, signal });
    if (packed === undefined) return undefined;
    const parent = lowerLayers(store, record).at(-1);
    const id = chainId(parent, packed.diffId);
    // Content the store has already: the container keeps its own, and the image takes what is there.
    if (store.layers.reuse(id, lease) !== undefined) return packed;
    sync(upper);
    store.containers.moveUpper(record.id, { ...packed, parent, history: entry });
    ensureDirectories(directory, store.layers.path(id));
    return packed;
  } finally {
    rmSync(skeleton, { force: true });
  }
}

async function commitCopy(commit: UpperCommit, mountpoint: string): Promise<PackedLayer | undefined> {
  const { store, record, lease, onProgress, signal } = commit;
  const staged = store.layers.stage();
  let packed: PackedLayer | undefined;
  try {
    const lower = lowerDirectories(store, record);
    // What programs have written may still be with the kernel, which gives it to the server now.
    sync(mountpoint);
    copySettled({ store, record, lower, to: staged.diff, beside: staged.staged.path });
    packed = await packUpper({ upper: staged.diff, lower, skeleton: staged.record.skeleton, onProgress, signal });
  } catch (error) {
    store.layers.discard(staged);
    throw error;
  }
  if (packed === undefined) store.layers.discard(staged);
  else store.layers.commit(staged, { ...packed, parent: lowerLayers(store, record).at(-1) }, lease);
  return packed;
}
