// The changes of a container as a layer of the store.

import { rmSync } from 'node:fs';
import { chainId } from '../image/index.js';
import type { DiffId, HistoryEntry } from '../image/index.js';
import type { ContainerRecord, Lease, Store } from '../store/index.js';
import { commitRewritten } from './commit-rewritten.js';
import type { Rewriting } from './commit-rewritten.js';
import { refuseLostTree } from './lost-tree.js';
import { freezeContainer, hasWritten } from './freeze.js';
import { baseDirectories, lowerLayers } from './lower-directories.js';
import { currentMountpoint } from './mount.js';
import { packUpper } from './pack-upper.js';
import type { CommitProgress } from './pack-upper.js';
import { sync } from './readable-upper.js';
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
  /** Whether a running container is held for the moment at which it is frozen; true unless told. */
  readonly pause?: boolean | undefined;
}

/**
 * Makes a layer of what the container has changed since its last commit, and returns its DiffID; undefined without changes. The directory of
 * one that is not mounted becomes the layer, and the container goes on with an empty one on top. That of a mounted one is frozen first, and
 * becomes the layer in the same way. Where snapshots share what was frozen, and where the layer is to be another one than the container's,
 * it is written anew, and the container stays as it is.
 */
export async function commitUpper(commit: UpperCommit, rewriting?: Rewriting): Promise<DiffId | undefined> {
  const { store, record, pause } = commit;
  refuseLostTree(store, record);
  const isMounted = currentMountpoint(record) !== undefined;
  // One without changes is not frozen.
  const frozen = isMounted && hasWritten(store, record) ? await freezeContainer(store, record, { pause }) : undefined;
  const now = { ...commit, record: store.containers.get(record.id) };
  if (rewriting !== undefined) return commitRewritten(now, rewriting);
  if (frozen !== undefined && store.frozen.isAlone(record.id, frozen)) return commitFrozen(now, frozen);
  if (now.record.frozen.length > 0) return commitRewritten(now, { squash: false });
  return isMounted ? undefined : commitInPlace(now);
}

async function commitInPlace(commit: UpperCommit): Promise<DiffId | undefined> {
  const { store, record } = commit;
  const { upper, lower } = settledUpper(store, record);
  return adopt(commit, { upper, lower });
}

async function commitFrozen(commit: UpperCommit, frozen: string): Promise<DiffId | undefined> {
  const { store, record } = commit;
  return adopt(commit, { upper: store.frozen.path(frozen), lower: baseDirectories(store, record), frozen });
}

interface Adoption {
  readonly upper: string;
  /** Top first. */
  readonly lower: readonly string[];
  /** Where `upper` is a frozen directory: its ID. */
  readonly frozen?: string;
}

/** Hashes a directory that nobody writes to, and makes it a layer by renaming it. */
async function adopt(commit: UpperCommit, { upper, lower, frozen }: Adoption): Promise<DiffId | undefined> {
  const { store, record, entry, lease, onProgress, signal } = commit;
  const skeleton = store.containers.skeleton(record.id);
  try {
    const packed = await packUpper({ upper, lower, skeleton, onProgress, signal });
    if (packed === undefined) return undefined;
    const parent = lowerLayers(store, record).at(-1);
    const id = chainId(parent, packed.diffId);
    // Content the store has already: the container keeps its own, and the image takes what is there.
    if (store.layers.reuse(id, lease) !== undefined) return packed.diffId;
    sync(upper);
    const move = { ...packed, parent, history: entry, ...(frozen === undefined ? {} : { frozen }) };
    store.containers.moveUpper(record.id, move);
    if (frozen === undefined) ensureDirectories(store.containers.directory(record.id), store.layers.path(id));
    return packed.diffId;
  } finally {
    rmSync(skeleton, { force: true });
  }
}
