// `scratch`, the image without layers: a name nobody can give, and an image that is made when it is first asked for.

import { VeneerError, digestOf } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { encodeImageConfig, familiarName, hostPlatform } from '../image/index.js';
import type { Reference } from '../image/index.js';

const NAME = 'scratch';

let config: Buffer | undefined;
let id: Digest | undefined;

/** The bytes of its configuration: the same in every store of a platform. */
export function scratchConfig(): Buffer {
  return (config ??= encodeImageConfig({ ...hostPlatform(), config: {}, rootfs: { type: 'layers', diff_ids: [] } }));
}

export function isScratchId(other: Digest): boolean {
  return other === (id ??= digestOf(scratchConfig()));
}

export function isScratch(reference: Reference): boolean {
  return familiarName(reference) === NAME && reference.digest === undefined;
}

/** Throws `invalid` for a name in the repository `scratch`. */
export function refuseScratch(reference: Reference): void {
  if (familiarName(reference) === NAME) throw new VeneerError('invalid', `'${NAME}' is a reserved name`);
}
