// What `rmi` takes away, by Docker's rules: a name first, and the image with its last one.

import { VeneerError, shortDigest } from '../core/index.js';
import { familiarReference, formatReference, parseReference } from '../image/index.js';
import type { Reference } from '../image/index.js';
import { toDigestName } from './digest-name.js';
import type { Image, ImageRows } from './image-rows.js';
import { repositoryOf } from './image-rows.js';
import type { ImageUsers } from './image-users.js';
import { noSuchImage } from './resolve-image.js';
import type { Resolved } from './resolve-image.js';

export interface RemovalParts {
  readonly rows: ImageRows;
  readonly users: ImageUsers;
}

export interface Removal {
  /** As it was asked for. */
  readonly text: string;
  readonly resolved: Resolved;
  readonly force: boolean;
}

export interface Untagged {
  /** Names, in canonical form. */
  readonly untagged: readonly string[];
  /** The image, where it goes, too. Its rows are still there but for its names. */
  readonly image: Image | undefined;
}

/**
 * Within a transaction: takes the name away, or with an ID all of them, and says whether the image goes with it.
 *
 * Without `force` neither the last name of an image in use is taken away, nor an ID of several names. With it, an image in use
 * loses its name, as with Docker while a container runs; the image itself is what the user lies on, and stays.
 */
export function removeNames({ rows, users }: RemovalParts, { text, resolved, force }: Removal): Untagged {
  const image = rows.get(resolved.id);
  if (image === undefined) throw noSuchImage(text);
  const name = nameOf(resolved, image);
  if (name === undefined) {
    if (!force && countNames(image) > 0 && !hasSingleName(image)) throw severalNames(text, image);
    users.refuseInUse(image.id, text);
    return { untagged: [...image.references, ...image.digests], image };
  }
  if (!force && hasSingleName(image)) users.refuseInUse(image.id, text);
  const untagged = [formatReference(name), ...digestsLeftBehind(name, image)];
  for (const one of untagged) rows.removeName(parseReference(one));
  const isLast = untagged.length === countNames(image);
  return { untagged, image: isLast && !users.has(image.id) ? image : undefined };
}

/** The name to take away, where an image was found by one it has. */
function nameOf({ reference }: Resolved, image: Image): Reference | undefined {
  if (reference === undefined) return undefined;
  if (reference.digest === undefined) return reference;
  const name = toDigestName(reference);
  return image.digests.includes(formatReference(name)) ? name : undefined;
}

/** Names by digest in the repository of a tag that is the last one there: they go with it. */
function digestsLeftBehind(name: Reference, image: Image): string[] {
  if (name.digest !== undefined) return [];
  const ofRepository = (text: string): boolean => repositoryOf(parseReference(text)) === repositoryOf(name);
  return image.references.filter(ofRepository).length > 1 ? [] : image.digests.filter(ofRepository);
}

function countNames({ references, digests }: Image): number {
  return references.length + digests.length;
}

/** One tag at most, and nothing in another repository. */
function hasSingleName({ references, digests }: Image): boolean {
  if (references.length > 1) return false;
  return new Set([...references, ...digests].map((text) => repositoryOf(parseReference(text)))).size === 1;
}

function severalNames(text: string, image: Image): VeneerError {
  const names = [...image.references, ...image.digests].map((name) => familiarReference(parseReference(name)));
  return new VeneerError('in-use', `cannot remove image ${text}: it has several names: ${names.join(', ')}`, {
    hint: `remove the names, or use --force with the ID ${shortDigest(image.id)}`,
  });
}
