// Names that say what they stand for: REPOSITORY@DIGEST.

import { VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { formatReference } from '../image/index.js';
import type { Reference } from '../image/index.js';

export interface DigestName extends Reference {
  readonly digest: Digest;
}

/** The digest part of a name counts, a tag in it does not. Throws `invalid` for a name without a digest. */
export function toDigestName({ registry, repository, tag, digest }: Reference): DigestName {
  if (digest !== undefined) return { registry, repository, digest };
  const name = formatReference({ registry, repository, ...(tag === undefined ? {} : { tag }) });
  throw new VeneerError('invalid', `'${name}' has no digest`);
}
