// The configuration of the image a commit makes, as Docker makes it from the container's image.

import type { DiffId, HistoryEntry, ImageConfig } from '../image/index.js';
import type { CommittedLayer } from '../store/index.js';

export interface ChildLayers {
  /** Of the layers on top of the container's image, bottom first: those of earlier commits, then the new one if there is one. */
  readonly diffIds: readonly DiffId[];
  readonly committed: readonly CommittedLayer[];
  /** What this commit adds to the history. */
  readonly entry: HistoryEntry;
  /** Whether the commit made a layer. */
  readonly isEmpty: boolean;
}

/** Fields of Docker's own that describe how the parent was made, not what it is (image v1 specification). */
const OF_THE_PARENT = new Set([
  'id',
  'parent',
  'parent_id',
  'container',
  'container_config',
  'docker_version',
  'comment',
]);

/** `base` is the image's configuration, with the container's `config` and the changes of the commit in it. */
export function childImage(base: ImageConfig, { diffIds, committed, entry, isEmpty }: ChildLayers): ImageConfig {
  return {
    ...inherited(base, entry),
    rootfs: { type: 'layers', diff_ids: [...base.rootfs.diff_ids, ...diffIds] },
    history: [...alignedHistory(base), ...commitHistory(committed, entry, isEmpty)],
  };
}

/** What the image keeps of its parent, and what the commit says of it. */
function inherited(base: ImageConfig, entry: HistoryEntry): ImageConfig {
  const { author: _parents, ...kept } = Object.fromEntries(
    Object.entries(base).filter(([field]) => !OF_THE_PARENT.has(field)),
  ) as unknown as ImageConfig;
  return {
    ...kept,
    ...(entry.created === undefined ? {} : { created: entry.created }),
    ...(entry.author === undefined ? {} : { author: entry.author }),
  };
}

/**
 * The image of one layer in place of all. The history goes on telling what was done, of entries that have no layer any more, as
 * after `docker build --squash`.
 */
export function squashedImage(
  base: ImageConfig,
  { diffId, committed, entry }: Pick<ChildLayers, 'committed' | 'entry'> & { readonly diffId: DiffId | undefined },
): ImageConfig {
  const earlier = [...alignedHistory(base), ...committed.map((layer) => layer.history)];
  return {
    ...inherited(base, entry),
    rootfs: { type: 'layers', diff_ids: diffId === undefined ? [] : [diffId] },
    history: [
      ...earlier.map((one) => ({ ...one, empty_layer: true })),
      diffId === undefined ? { ...entry, empty_layer: true } : entry,
    ],
  };
}

/** The image's history with an entry for every layer: a history is optional, but one that exists must be complete. */
function alignedHistory({ history = [], rootfs }: ImageConfig): HistoryEntry[] {
  const described = history.filter((one) => one.empty_layer !== true).length;
  return [...history, ...rootfs.diff_ids.slice(described).map(() => ({}))];
}

/** A commit without changes since the last one describes that one's layer; without any layer, it is an empty entry. */
function commitHistory(committed: readonly CommittedLayer[], entry: HistoryEntry, isEmpty: boolean): HistoryEntry[] {
  const earlier = committed.map((layer) => layer.history);
  if (!isEmpty) return [...earlier, entry];
  return earlier.length === 0 ? [{ ...entry, empty_layer: true }] : [...earlier.slice(0, -1), entry];
}

/** The history entry of a commit. `created_by` is the container's command, as Docker has it. */
export function historyEntry(
  config: ImageConfig,
  options: { created: Date; message?: string | undefined; author?: string | undefined },
): HistoryEntry {
  const command = (config.config?.Cmd ?? []).join(' ');
  return {
    created: options.created.toISOString(),
    ...(command === '' ? {} : { created_by: command }),
    ...(options.author === undefined ? {} : { author: options.author }),
    ...(options.message === undefined ? {} : { comment: options.message }),
  };
}
