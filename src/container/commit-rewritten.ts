// A layer that is to be another one than what the container has changed: some of it, all that it shows, or with other dates.

import type { DiffId } from '../image/index.js';
import { listLayerEntries, rewriteLayer } from '../layer/index.js';
import type { AppliedLayer, DetailedChange, PathChoice } from '../layer/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import type { UpperCommit } from './commit-upper.js';
import { lowerLayers } from './lower-directories.js';
import { readableUpper } from './readable-upper.js';

/** How a layer differs from what the container has changed. */
export interface Rewriting {
  readonly paths?: PathChoice;
  /** Everything the container shows as one layer. */
  readonly squash: boolean;
  /** In seconds. */
  readonly sourceDateEpoch?: number;
}

/** Makes a layer and returns its DiffID, undefined where nothing is in it. The container keeps what it has. */
export async function commitRewritten(commit: UpperCommit, rewriting: Rewriting): Promise<DiffId | undefined> {
  const { store, record, lease, onProgress, signal } = commit;
  const { squash, ...settings } = rewriting;
  const staged = store.layers.stage();
  let applied: AppliedLayer;
  try {
    // What a mounted container has changed was frozen just before; what it writes now is not part of it.
    using readable = readableUpper({ store, record, scratch: () => staged.staged.path, frozenOnly: true });
    const { upper, lower, base } = readable;
    applied = await rewriteLayer({
      ...settings,
      now: [upper, ...lower],
      before: squash ? [] : base,
      target: staged.diff,
      onto: squash ? [] : base,
      record: staged.record,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress: (bytes: number) => onProgress({ bytes }) }),
    });
  } catch (error) {
    store.layers.discard(staged);
    throw error;
  }
  const { diffId, entries, contentSize, uncompressedSize } = applied;
  if (entries === 0) {
    store.layers.discard(staged);
    return undefined;
  }
  const parent = squash ? undefined : lowerLayers(store, record).at(-1);
  store.layers.commit(staged, { diffId, parent, size: contentSize, tarSize: uncompressedSize }, lease);
  return diffId;
}

/** What a commit with these settings would write, without making anything that stays. */
export function listCommit(
  { store, record }: { readonly store: Store; readonly record: ContainerRecord },
  { paths, squash }: Rewriting,
): { readonly taken: readonly DetailedChange[]; readonly all: readonly DetailedChange[] } {
  const staged = store.layers.stage();
  try {
    using readable = readableUpper({ store, record, scratch: () => staged.staged.path, live: true });
    const { upper, lower, base } = readable;
    const layers = { now: [upper, ...lower], before: squash ? [] : base };
    const all = listLayerEntries(layers);
    return { all, taken: paths === undefined ? all : listLayerEntries({ ...layers, paths }) };
  } finally {
    store.layers.discard(staged);
  }
}
