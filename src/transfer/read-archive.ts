// What archives say of their images, read in place: nothing comes into the store.

import type { Digest } from '../core/index.js';
import type { ImageConfig, Platform } from '../image/index.js';
import type { Store, TaggedName } from '../store/index.js';
import type { ArchiveImage, ArchiveManifest } from './archive-image.js';
import { readArchiveImages } from './archive-images.js';
import type { ArchiveName } from './archive-name.js';
import { openArchive } from './open-archive.js';

export interface ArchivedImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly configBytes: Buffer;
  readonly manifest: ArchiveManifest | undefined;
  readonly names: readonly TaggedName[];
  /** Of its layers as they are in the archive, perhaps compressed, in bytes; bottom first. */
  readonly layerSizes: readonly number[];
}

/**
 * The images of an archive, or the one that the name picks. The store lends space for an archive that is compressed.
 * Errors: as `loadImages`, but for those of layers, which are not read.
 */
export async function readArchive(
  store: Store,
  { path, reference }: ArchiveName,
  options: { readonly platform?: Platform | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ArchivedImage[]> {
  const { platform, signal } = options;
  using archive = await openArchive(store, { path }, { signal });
  const images = await readArchiveImages(archive, { platform, reference, path });
  return images.map(toArchived);
}

function toArchived({ id, config, configBytes, manifest, names, layers }: ArchiveImage): ArchivedImage {
  const layerSizes = layers.map(({ blob, open }) => blob?.size ?? open().size);
  return { id, config, configBytes, manifest, names, layerSizes };
}
