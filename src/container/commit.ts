// `commit`: an image of what a container has become.

import { applyChanges } from '../image/index.js';
import { parseTaggedName } from '../store/index.js';
import type { Image, Store } from '../store/index.js';
import { childImage, historyEntry } from './child-image.js';
import { commitUpper } from './commit-upper.js';
import type { CommitProgress } from './pack-upper.js';
import { configOf } from './view.js';

export interface CommitOptions {
  /** What to name the image. */
  readonly reference?: string;
  /** The comment in its history. */
  readonly message?: string;
  readonly author?: string;
  /** Dockerfile instructions to apply to the container's configuration, for the image only. */
  readonly changes?: readonly string[];
  /** The creation date, now by default. */
  readonly created?: Date;
  readonly onProgress?: (progress: CommitProgress) => void;
}

/**
 * Makes an image of a container: the layers of its image, those of its earlier commits, and one of what changed since. Without
 * changes there is no new layer, as with Docker. The content of an unmounted container is read once and not copied.
 *
 * Throws `not-found`, and `invalid` for a malformed name or change, before anything is done.
 */
export async function commitContainer(store: Store, reference: string, options: CommitOptions = {}): Promise<Image> {
  const references = options.reference === undefined ? [] : [parseTaggedName(options.reference)];
  const found = store.containers.resolve(reference);
  using _lock = await store.containers.lock(found);
  const record = store.containers.get(found.id);
  const config = configOf(store, record);
  const changed = applyChanges(config, options.changes ?? []);
  const { created = new Date(), message, author, onProgress } = options;
  const entry = historyEntry(config, { created, message, author });
  using lease = store.lease();
  const diffId = await commitUpper({ store, record, entry, lease, onProgress });
  const earlier = record.committed.map((layer) => store.layers.get(layer.chainId).diffId);
  const layers = {
    diffIds: diffId === undefined ? earlier : [...earlier, diffId],
    committed: record.committed,
    entry,
    isEmpty: diffId === undefined,
  };
  return store.images.create(childImage(changed, layers), references);
}
