// The lines of `veneer images`.

import { formatSize, shortDigest } from '../core/index.js';
import { familiarName, formatReference, parseReference } from '../image/index.js';
import type { Image } from '../store/index.js';
import type { Row } from './output.js';
import { ago, timestamp } from './time.js';

const NONE = '<none>';

/** One row per name; an image without a name has one, too. */
export function imageRows(image: Image, trunc: boolean): Row[] {
  const names = image.references.map((text) => {
    const reference = parseReference(text);
    return { Repository: familiarName(reference), Tag: reference.tag ?? NONE };
  });
  return (names.length === 0 ? [{ Repository: NONE, Tag: NONE }] : names).map((name) => ({
    ...name,
    ID: trunc ? shortDigest(image.id) : image.id,
    CreatedSince: ago(image.created),
    CreatedAt: timestamp(image.created),
    Size: formatSize(image.size),
  }));
}

/** Keeps the names that `REPOSITORY[:TAG]` means. */
export function matchingImages(images: readonly Image[], wanted: string | undefined): Image[] {
  if (wanted === undefined) return [...images];
  const reference = parseReference(wanted);
  const hasTag = /:[^/]*$/.test(wanted);
  const keep = (text: string): boolean => {
    const candidate = parseReference(text);
    return hasTag ? text === formatReference(reference) : familiarName(candidate) === familiarName(reference);
  };
  return images
    .map((image) => ({ ...image, references: image.references.filter(keep) }))
    .filter((image) => image.references.length > 0);
}
