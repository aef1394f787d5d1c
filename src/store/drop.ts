// Takes back what an operation has put in and does not need any more.

import type { Digest } from '../core/index.js';
import type { ChainId } from '../image/index.js';
import type { StoreParts } from './parts.js';

export interface Needless {
  /** A stack, bottom first. */
  readonly layers: readonly ChainId[];
  readonly blobs: readonly Digest[];
}

/** Removes those of the given layers and blobs that nothing needs, and that no operation has leased. */
export function dropUnneeded(parts: StoreParts, needless: Needless): void {
  const { lock, database, layers, content, images, staging } = parts;
  const trashed = lock.exclusively(() => {
    const forgotten = database.transactRemoval(() => layers.forgetUnneeded(needless.layers));
    content.removeAll(images.unneededBlobs(needless.blobs));
    return layers.trash(forgotten);
  });
  for (const staged of trashed) staging.discard(staged);
}
