// What a text stands for, as Docker decides: a full ID, then a name, then the start of an ID.

import { VeneerError, isDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { parseReference } from '../image/index.js';
import type { Reference } from '../image/index.js';
import type { ImageRows } from './image-rows.js';

const ID = /^(?:sha256:)?([0-9a-f]{1,64})$/;

export interface Resolved {
  readonly id: Digest;
  /** The name it was found by; undefined when by its ID. */
  readonly reference: Reference | undefined;
}

export function noSuchImage(text: string): VeneerError {
  return new VeneerError('not-found', `no such image: ${text}`, { hint: "'veneer images' lists what there is" });
}

/** A text that can be nothing else. */
export function isFullId(text: string): boolean {
  return ID.exec(text)?.[1]?.length === 64;
}

/** Finds an image. Returns undefined where there is none; throws `invalid` for a malformed name or an ambiguous ID. */
export function resolveImage(rows: ImageRows, text: string): Resolved | undefined {
  const hex = ID.exec(text)?.[1];
  if (hex?.length === 64) {
    const id = `sha256:${hex}`;
    return isDigest(id) && rows.has(id) ? { id, reference: undefined } : undefined;
  }
  const reference = parseReference(text);
  const named = rows.named(reference);
  if (named !== undefined) return { id: named, reference };
  if (hex === undefined) return undefined;
  const [id, second] = rows.startingWith(hex);
  if (second !== undefined) {
    throw new VeneerError('invalid', `image ID '${text}' is ambiguous: more than one image ID starts with it`, {
      hint: 'give more digits of the ID',
    });
  }
  return id === undefined ? undefined : { id, reference: undefined };
}
