// Images of archives that are named as images: `oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:REF]`.

import { VeneerError, hasCode } from '../core/index.js';
import type { Store } from '../store/index.js';
import type { ArchivedImage } from '../transfer/index.js';

/** Most names are not of archives, which the look alone tells. A repository may be called `oci`: what the store has comes first. */
export function isArchiveName(store: Store, name: string): boolean {
  return /^(?:oci|oci-archive|docker-archive):/.test(name) && !isStored(store, name);
}

function isStored(store: Store, name: string): boolean {
  try {
    return store.images.find(name) !== undefined;
  } catch (error) {
    // What is no image's name.
    if (hasCode(error, 'invalid')) return false;
    throw error;
  }
}

/** The images of a name for which `isArchiveName` is true. */
export async function readArchived(store: Store, name: string): Promise<ArchivedImage[]> {
  const { parseArchiveName, readArchive } = await import('../transfer/index.js');
  const { interruptible } = await import('./interruption.js');
  const parsed = parseArchiveName(name);
  return parsed === undefined ? [] : interruptible((signal) => readArchive(store, parsed, { signal }));
}

/** The one image of a name. Throws `usage` where an archive has several. */
export async function readOneArchived(store: Store, name: string): Promise<ArchivedImage> {
  const [image, another] = await readArchived(store, name);
  if (image !== undefined && another === undefined) return image;
  throw new VeneerError('usage', `'${name}' has several images`, { hint: `name one: ${name}:TAG` });
}
