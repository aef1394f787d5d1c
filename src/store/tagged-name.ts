// Names that can be given to an image.

import { VeneerError } from '../core/index.js';
import { parseReference } from '../image/index.js';
import type { Reference } from '../image/index.js';
import { refuseScratch } from './scratch.js';

export interface TaggedName extends Reference {
  readonly tag: string;
}

/**
 * Parses a name to give to an image: `latest` by default. Throws `invalid`, also for a digest, which names content and cannot
 * be given, and for the reserved `scratch`.
 */
export function parseTaggedName(text: string): TaggedName {
  const { registry, repository, tag, digest } = parseReference(text);
  refuseScratch({ registry, repository });
  if (tag !== undefined && digest === undefined) return { registry, repository, tag };
  throw new VeneerError('invalid', `'${text}' has a digest, which names content and cannot be given to an image`, {
    hint: 'give a name with a tag: REPOSITORY[:TAG]',
  });
}
