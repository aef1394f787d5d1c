// "Gone" and "opaque" as names in a tar archive (OCI image-spec, layer.md, "Whiteouts").

import { VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';

export const WHITEOUT_PREFIX = '.wh.';
/** Hides everything that lower layers have in the directory it stands in. */
export const OPAQUE_MARKER = '.wh..wh..opq';

export type OciName =
  | { readonly kind: 'plain' }
  | { readonly kind: 'opaque' }
  /** Hides `target`, a sibling of the whiteout, in the layers below. */
  | { readonly kind: 'whiteout'; readonly target: ByteString };

const PLAIN = { kind: 'plain' } as const;
const OPAQUE = { kind: 'opaque' } as const;

/** What the last component of an archive path means. Throws `invalid` for a whiteout of nothing, `.` or `..`. */
export function parseOciName(name: ByteString): OciName {
  if (!name.startsWith(WHITEOUT_PREFIX)) return PLAIN;
  if (name === OPAQUE_MARKER) return OPAQUE;
  const target = name.slice(WHITEOUT_PREFIX.length);
  if (target === '' || target === '.' || target === '..') {
    throw new VeneerError('invalid', `whiteout '${name}' names no file`);
  }
  return { kind: 'whiteout', target };
}
