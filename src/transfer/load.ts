// `load`: the images of an archive come into the store.

import { VeneerError, digestOf } from '../core/index.js';
import { chainIds } from '../image/index.js';
import type { Platform, Reference } from '../image/index.js';
import type { LayerLimits } from '../layer/index.js';
import type { Image, Lease, Store, TaggedName } from '../store/index.js';
import type { ArchiveImage, ArchiveLayer } from './archive-image.js';
import { readArchiveImages } from './archive-images.js';
import { openArchive } from './open-archive.js';
import type { ArchiveSource } from './open-archive.js';
import type { OnProgress } from './progress.js';
import { unpackLayers } from './unpack-layers.js';
import type { LayerSource } from './unpack-layers.js';

export interface LoadOptions {
  /** Of images for several platforms, the one to load: this machine's by default. */
  readonly platform?: Platform | undefined;
  /** Only this image of the archive: a `ref.name` of a layout, a name, or the start of an ID. */
  readonly reference?: string | undefined;
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Called as soon as an image is in the store. */
  readonly onLoaded?: ((loaded: LoadedImage) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadedImage {
  readonly image: Image;
  /** The names that the archive gave it. */
  readonly names: readonly TaggedName[];
}

/**
 * Loads the images of a docker archive, an OCI archive or an OCI layout directory, plain or compressed. Every document and layer is
 * verified. Manifests, and the compressed layers they name, are kept byte for byte.
 *
 * Each image is loaded whole or not at all: after a failure those before it are there, and the store has nothing of the others.
 * Errors: see `openArchive`, `readArchiveImages`, `unpackLayers`.
 */
export async function loadImages(
  store: Store,
  source: ArchiveSource,
  options: LoadOptions = {},
): Promise<LoadedImage[]> {
  const { signal, limits, platform, reference, onProgress } = options;
  const name = 'path' in source ? source.path : (source.name ?? 'the stream');
  using archive = await openArchive(store, source, {
    limits,
    signal,
    onProgress: (bytes) => onProgress?.({ layer: name, phase: 'reading', bytes }),
  });
  const path = 'path' in source ? source.path : undefined;
  const found = await readArchiveImages(archive, { platform, reference, path });
  const loaded: LoadedImage[] = [];
  for (const image of found) {
    const one = { image: await loadImage(store, image, options), names: image.names };
    loaded.push(one);
    options.onLoaded?.(one);
  }
  return loaded;
}

async function loadImage(store: Store, found: ArchiveImage, options: LoadOptions): Promise<Image> {
  const { limits, onProgress, signal } = options;
  const layers = found.layers.map((layer, index) => sourceOf(found, layer, index));
  const lease = store.lease();
  let isLoaded = false;
  try {
    requireLayers(store, found, lease);
    await unpackLayers(store, layers, { lease, limits, onProgress, signal });
    const { manifest, names, configBytes } = found;
    const withManifest = manifest === undefined ? {} : { manifest, digestNames: namesByDigest(names, manifest) };
    const image = store.images.add(configBytes, { names, ...withManifest });
    isLoaded = true;
    return image;
  } finally {
    lease.release();
    // The layers that did come in are of no use to anybody.
    if (!isLoaded) store.prune();
  }
}

/** Before anything is unpacked: what the store does not have, the archive must. Throws `not-found`, `integrity`. */
function requireLayers(store: Store, { config, layers }: ArchiveImage, lease: Lease): void {
  for (const [index, id] of chainIds(config.rootfs.diff_ids).entries()) {
    if (store.layers.reuse(id, lease) === undefined) layers[index]?.open();
  }
}

/** REPOSITORY@DIGEST for each repository that the image has a name in. */
function namesByDigest(names: readonly TaggedName[], manifest: { readonly bytes: Uint8Array }): Reference[] {
  const digest = digestOf(manifest.bytes);
  return names.map(({ registry, repository }) => ({ registry, repository, digest }));
}

function sourceOf({ config, manifest }: ArchiveImage, layer: ArchiveLayer, index: number): LayerSource {
  const diffId = config.rootfs.diff_ids[index];
  if (diffId === undefined) throw new VeneerError('invalid', 'the configuration has fewer layers than the manifest');
  const { blob } = layer;
  // What is not compressed is made again from the unpacked layer.
  const isKept = manifest !== undefined && blob !== undefined && (blob.digest as string) !== diffId;
  return {
    diffId,
    name: blob?.digest ?? diffId,
    size: blob?.size,
    open: () => layer.open().stream(),
    keep: isKept ? { digest: blob.digest, size: blob.size } : undefined,
  };
}
