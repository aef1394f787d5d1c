// What of an image goes to a registry: a manifest that is there already, with the very blobs it names, or one that is to be made.

import { VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { compressionOf, isForeignLayer, layerTypeOf, MediaTypes, parseManifest } from '../image/index.js';
import type { ChainId, Descriptor, DiffId, Manifest } from '../image/index.js';
import type { Image, Lease, Store } from '../store/index.js';

export type PushFormat = 'oci' | 'docker';
export type PushCompression = 'gzip' | 'zstd';

export interface PushPlanOptions {
  /** By default that of the manifest the image came with, or `oci`. */
  readonly format?: PushFormat | undefined;
  /** Of layers. By default as they came, else gzip. */
  readonly compression?: PushCompression | undefined;
}

export interface PushLayer {
  readonly diffId: DiffId;
  readonly chainId: ChainId;
  /** As it goes, where that is known; otherwise it is to be compressed first. */
  readonly blob: Descriptor | undefined;
}

export interface PushPlan {
  readonly config: { readonly digest: Digest; readonly bytes: Buffer };
  /** Byte for byte; undefined: it is made when all layers are known. */
  readonly manifest: { readonly bytes: Buffer; readonly mediaType: string } | undefined;
  readonly format: PushFormat;
  readonly compression: PushCompression;
  /** Bottom first. */
  readonly layers: readonly PushLayer[];
}

/**
 * Plans a push; the lease keeps all it needs. Throws `usage` for Docker's format with zstd, which it does not have, and `not-found` for
 * layers or blobs that the store has lost.
 */
export function planPush(store: Store, image: Image, options: PushPlanOptions & { readonly lease: Lease }): PushPlan {
  const { lease } = options;
  if (options.format === 'docker' && options.compression === 'zstd') {
    throw new VeneerError('usage', 'the format docker has no layers compressed with zstd', {
      hint: 'use the format oci',
    });
  }
  const { images } = store;
  for (const id of image.layers) if (store.layers.reuse(id, lease) === undefined) store.layers.get(id);
  const config = { digest: image.id, bytes: images.configBytes(image.id) };
  const diffIds = images.config(image.id).rootfs.diff_ids;
  const stored = storedManifests(store, image).find((manifest) => fits(manifest, options));
  const format = options.format ?? stored?.family ?? 'oci';
  const compression = options.compression ?? 'gzip';
  const known = stored === undefined ? new KnownBlobs(store, image) : undefined;
  const layers = image.layers.map((chainId, index): PushLayer => {
    const diffId = diffIds[index];
    if (diffId === undefined) throw new VeneerError('integrity', `image ${image.id} has more layers than DiffIDs`);
    const blob = stored?.manifest.layers[index] ?? known?.find(diffId, { format, compression: options.compression });
    if (blob !== undefined && (blob.digest as string) !== diffId) keep(store, blob.digest, lease);
    return { diffId, chainId, blob: blob === undefined || stored !== undefined ? blob : inFormat(blob, format) };
  });
  return { config, manifest: stored, format, compression, layers };
}

interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly manifest: Manifest;
  readonly family: PushFormat;
}

function storedManifests(store: Store, image: Image): StoredManifest[] {
  return store.images.manifests(image.id).map(({ digest, mediaType }) => {
    const bytes = store.images.manifestBytes(digest);
    const family = mediaType === MediaTypes.dockerManifest ? 'docker' : 'oci';
    return { bytes, mediaType, manifest: parseManifest(bytes), family };
  });
}

function fits({ manifest, family }: StoredManifest, { format, compression }: PushPlanOptions): boolean {
  if (format !== undefined && format !== family) return false;
  return (
    compression === undefined || manifest.layers.every(({ mediaType }) => compressionOf(mediaType) === compression)
  );
}

function keep(store: Store, digest: Digest, lease: Lease): void {
  // Throws `not-found` for one that is missing.
  if (!store.content.reuse(digest, lease)) store.content.size(digest);
}

/** The same blob in a manifest of that format. */
function inFormat(blob: Descriptor, format: PushFormat): Descriptor {
  const { digest, size, urls } = blob;
  const compression = compressionOf(blob.mediaType) ?? 'none';
  const isForeign = isForeignLayer(blob.mediaType);
  const mediaType = layerTypeOf(format, { compression, isForeign });
  if (format === 'oci') return { ...blob, mediaType };
  return { mediaType, digest, size, ...(urls === undefined ? {} : { urls }) };
}

/** Compressed layers that came with this image or with others that lie on the same layers. */
class KnownBlobs {
  readonly #store: Store;
  readonly #image: Image;
  readonly #byDiffId = new Map<DiffId, Descriptor[]>();

  constructor(store: Store, image: Image) {
    this.#store = store;
    this.#image = image;
    const related = store.images
      .list({ all: true })
      .filter(({ id, layers }) => id !== image.id && layers[0] !== undefined && layers[0] === image.layers[0]);
    for (const one of [image, ...related]) this.#learn(one);
  }

  #learn(image: Image): void {
    const manifests = storedManifests(this.#store, image);
    if (manifests.length === 0) return;
    const diffIds = this.#store.images.config(image.id).rootfs.diff_ids;
    for (const { manifest } of manifests) {
      for (const [index, blob] of manifest.layers.entries()) {
        const diffId = diffIds[index];
        if (diffId === undefined) continue;
        // A plain layer is the image's own affair: another one's is compressed as ever.
        if ((blob.digest as string) === diffId && image.id !== this.#image.id) continue;
        this.#byDiffId.set(diffId, [...(this.#byDiffId.get(diffId) ?? []), blob]);
      }
    }
  }

  /** One that the format can have, of the compression that is asked for, if any is. */
  find(
    diffId: DiffId,
    { format, compression }: { readonly format: PushFormat; readonly compression: PushCompression | undefined },
  ): Descriptor | undefined {
    return this.#byDiffId.get(diffId)?.find(({ digest, mediaType }) => {
      const method = compressionOf(mediaType);
      if (method === 'zstd' && format === 'docker') return false;
      if (compression !== undefined && method !== compression) return false;
      return (digest as string) === diffId || this.#store.content.has(digest);
    });
  }
}
