// `commit`: an image of what a container has become.

import { applyChanges } from '../image/index.js';
import { parseTaggedName } from '../store/index.js';
import type { Image, Store } from '../store/index.js';
import { chooseByGlobs } from '../layer/index.js';
import type { DetailedChange } from '../layer/index.js';
import { childImage, historyEntry, squashedImage } from './child-image.js';
import { listCommit } from './commit-rewritten.js';
import type { Rewriting } from './commit-rewritten.js';
import { commitUpper } from './commit-upper.js';
import type { CommitProgress } from './pack-upper.js';
import { configOf } from './view.js';

export interface CommitOptions extends CommitChoice {
  /** What to name the image. */
  readonly reference?: string;
  /** The comment in its history. */
  readonly message?: string;
  readonly author?: string;
  /** Dockerfile instructions to apply to the container's configuration, for the image only. */
  readonly changes?: readonly string[];
  /** The creation date, now by default. */
  readonly created?: Date;
  /** Dates the image, and everything in the new layer that has changed later: the same changes then give the same image. */
  readonly sourceDateEpoch?: Date;
  /**
   * Whether a running container is held for the moment whose state the image has, so that all of its files are of that moment; true
   * unless told. Hashing comes afterwards.
   */
  readonly pause?: boolean | undefined;
  readonly onProgress?: (progress: CommitProgress) => void;
  /** Aborted before the layer is complete: nothing has changed. */
  readonly signal?: AbortSignal | undefined;
}

/** What of a container's changes is in the layer. Deletions, too, are changes of their path. */
export interface CommitChoice {
  /**
   * Patterns as in a .dockerignore, of whole paths from the root, that cover what they match and all below it: what an `exclude`
   * pattern covers is left out, unless an `include` pattern covers it, too. With `include` alone, nothing else is in it.
   */
  readonly exclude?: readonly string[];
  readonly include?: readonly string[];
  /** Makes one layer of all that the container shows, in place of those of its image. */
  readonly squash?: boolean;
}

/**
 * Makes an image of a container: the layers of its image, those of its earlier commits, and one of what changed since. Without
 * changes there is no new layer, as with Docker. The content of an unmounted container is read once and not copied, unless the layer is
 * to be another one than the container's: with a choice, or a date for what is in it. The container then keeps its changes.
 *
 * Throws `not-found`, and `invalid` for a malformed name, change or pattern, before anything is done.
 */
export async function commitContainer(store: Store, reference: string, options: CommitOptions = {}): Promise<Image> {
  const references = options.reference === undefined ? [] : [parseTaggedName(options.reference)];
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const config = configOf(store, record);
  const changed = applyChanges(config, options.changes ?? []);
  const {
    sourceDateEpoch,
    created = sourceDateEpoch ?? new Date(),
    message,
    author,
    onProgress,
    signal,
    pause,
  } = options;
  const entry = historyEntry(config, { created, message, author });
  const rewriting = await rewritingOf(options);
  using lease = store.lease();
  const diffId = await commitUpper({ store, record, entry, lease, onProgress, signal, pause }, rewriting);
  if (options.squash === true) {
    return store.images.create(squashedImage(changed, { diffId, committed: record.committed, entry }), references);
  }
  const earlier = record.committed.map((layer) => store.layers.get(layer.chainId).diffId);
  const layers = {
    diffIds: diffId === undefined ? earlier : [...earlier, diffId],
    committed: record.committed,
    entry,
    isEmpty: diffId === undefined,
  };
  return store.images.create(childImage(changed, layers), references);
}

/** Undefined where the layer is what the container has changed, as it is. */
async function rewritingOf(
  options: CommitChoice & Pick<CommitOptions, 'sourceDateEpoch'>,
): Promise<Rewriting | undefined> {
  const { exclude = [], include = [], squash = false, sourceDateEpoch } = options;
  const isFiltered = exclude.length > 0 || include.length > 0;
  if (!isFiltered && !squash && sourceDateEpoch === undefined) return undefined;
  return {
    squash,
    ...(isFiltered ? { paths: await chooseByGlobs({ exclude, include }) } : {}),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch: Math.floor(sourceDateEpoch.getTime() / 1000) }),
  };
}

/** A change of a container, and whether a commit would take it in. */
export interface PreviewedChange extends DetailedChange {
  readonly isExcluded: boolean;
}

/**
 * Lists what a commit would write, and what it would leave out, sorted by path, and makes nothing. The root is not
 * listed. Throws as `commitContainer` does.
 */
export async function previewCommit(
  store: Store,
  reference: string,
  choice: CommitChoice = {},
): Promise<PreviewedChange[]> {
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const { all, taken } = listCommit({ store, record }, (await rewritingOf(choice)) ?? { squash: false });
  const paths = new Set(taken.map(({ path }) => path));
  return all.filter(({ path }) => path !== '').map((change) => ({ ...change, isExcluded: !paths.has(change.path) }));
}
