// `pull`: an image of a registry comes into the store.

import { VeneerError, isFull } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { chainIds, compressionOf, formatReference } from '../image/index.js';
import type { Platform, Reference } from '../image/index.js';
import type { LayerLimits } from '../layer/index.js';
import type { RegistryClient, Repository } from '../registry/index.js';
import type { Image, Store } from '../store/index.js';
import { asTaggedName, MAX_LAYERS } from './archive-image.js';
import { namingImage } from './naming-image.js';
import type { OnProgress } from './progress.js';
import { pullLayers } from './pull-layers.js';
import type { RemoteLayer } from './pull-layers.js';
import { readRemoteImage } from './remote-image.js';
import type { RemoteImage } from './remote-image.js';
import { findStoredImage } from './stored-image.js';

export interface PullOptions {
  /** Of an image for several platforms, the one to pull: this machine's by default. */
  readonly platform?: Platform | undefined;
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How many layers are downloaded at once: 4 by default. */
  readonly atOnce?: number | undefined;
}

export interface PulledImage {
  readonly image: Image;
  readonly reference: Reference;
  /** Of what the reference stands for: an index, or the manifest itself. */
  readonly digest: Digest;
  /** False where the reference stood for this image before. */
  readonly isNew: boolean;
}

/**
 * Pulls an image. Manifests, configuration and layers are verified; the compressed layers are kept byte for byte. The image and its
 * names appear when all of it is there, at once; a reference with a digest gives no tag. What is there costs one request for its tag,
 * and none by digest.
 *
 * After a failure the store has no part of the image but what has been downloaded, which the next attempt goes on with and `prune`
 * removes; and not even that where the file system is full.
 *
 * Errors: those of `readRemoteImage` and `pullLayers`; `unsupported` for layers of another kind.
 */
export async function pullImage(
  store: Store,
  client: RegistryClient,
  reference: Reference,
  options: PullOptions = {},
): Promise<PulledImage> {
  const repository = client.repository(reference);
  const stored = await findStoredImage(store, repository, reference, options);
  if (stored !== undefined) return { ...stored, reference, isNew: giveTag(store, stored.image, reference) };
  const configOf = (id: Digest) => (store.content.has(id) ? store.content.read(id) : undefined);
  const remote = await readRemoteImage(client, reference, { ...options, configOf });
  return namingImage(reference, () => fetchImage(store, { repository, remote }, options));
}

export interface PullAllOptions extends PullOptions {
  /** Called before a tag is pulled. */
  readonly onPull?: ((reference: Reference) => void) | undefined;
  /** Called as soon as one is in the store. */
  readonly onPulled?: ((pulled: PulledImage) => void) | undefined;
  /** Called for a tag that is no image: repositories have signatures and other artifacts beside their images. */
  readonly onSkipped?: ((reference: Reference, why: Error) => void) | undefined;
}

/**
 * Pulls every tag of a repository, one after the other, but for those that are no images. Errors as `pullImage`; what was pulled
 * before stays.
 */
export async function pullAllTags(
  store: Store,
  client: RegistryClient,
  name: { readonly registry: string; readonly repository: string },
  options: PullAllOptions = {},
): Promise<PulledImage[]> {
  const { registry, repository } = name;
  const { signal } = options;
  const all: PulledImage[] = [];
  for await (const tag of client.repository({ registry, repository }).tags({ signal })) {
    const reference = { registry, repository, tag };
    options.onPull?.(reference);
    try {
      const pulled = await pullImage(store, client, reference, options);
      options.onPulled?.(pulled);
      all.push(pulled);
    } catch (error) {
      if (!(error instanceof VeneerError) || error.code !== 'unsupported') throw error;
      options.onSkipped?.(reference, error);
    }
  }
  return all;
}

/** Whether that was something new. */
function giveTag(store: Store, image: Image, reference: Reference): boolean {
  const name = namesOf(reference).map(formatReference)[0];
  if (name === undefined || image.references.includes(name)) return false;
  store.images.tag(image.id, name);
  return true;
}

const namesOf = (reference: Reference) =>
  reference.digest === undefined ? [asTaggedName(reference)].filter((name) => name !== undefined) : [];

interface Fetched {
  readonly repository: Repository;
  readonly remote: RemoteImage;
}

async function fetchImage(store: Store, { repository, remote }: Fetched, options: PullOptions): Promise<PulledImage> {
  const { reference, digest, manifest, configBytes } = remote;
  const layers = layersOf(remote);
  const lease = store.lease();
  let failure: { readonly error: unknown } | undefined;
  try {
    await pullLayers(store, layers, { ...options, lease, open: (descriptor) => repository.blob(descriptor) });
    const before = store.images.find(formatReference(reference))?.id;
    const { registry, repository: name } = reference;
    const image = store.images.add(configBytes, {
      names: namesOf(reference),
      manifest,
      digestNames: [digest, manifest.digest].map((it) => ({ registry, repository: name, digest: it })),
    });
    const blobs = layers.map(({ descriptor }) => descriptor.digest);
    store.remotes.saw(reference, [image.id, ...blobs]);
    return { image, reference, digest, isNew: before !== image.id };
  } catch (error) {
    failure = { error };
    throw error;
  } finally {
    lease.release();
    putAway(store, layers, failure);
  }
}

/** Downloads serve the next attempt. Layers alone serve nobody, nor, in the end, the blobs of layers that are not compressed. */
function putAway(store: Store, layers: readonly RemoteLayer[], failure: { readonly error: unknown } | undefined): void {
  const isDone = failure === undefined;
  const needless = layers.filter(({ diffId, descriptor }) => !isDone || (descriptor.digest as string) === diffId);
  const blobs = isDone || isFull(failure.error) ? needless.map(({ descriptor }) => descriptor.digest) : [];
  if (isDone && blobs.length === 0) return;
  store.drop({ layers: isDone ? [] : chainIds(layers.map(({ diffId }) => diffId)), blobs });
}

/** Throws `unsupported` for what cannot be unpacked, and `limit`. */
function layersOf({ config, manifest }: RemoteImage): RemoteLayer[] {
  const { length } = manifest.document.layers;
  if (length > MAX_LAYERS) {
    throw new VeneerError('limit', `the image has ${String(length)} layers, more than ${String(MAX_LAYERS)}`);
  }
  return manifest.document.layers.map((descriptor, index) => {
    if (compressionOf(descriptor.mediaType) === undefined) {
      const kind = descriptor.mediaType.slice(0, 100);
      throw new VeneerError('unsupported', `'${kind}' is not a kind of layer that can be unpacked`);
    }
    const diffId = config.rootfs.diff_ids[index];
    if (diffId === undefined)
      throw new VeneerError('integrity', 'the configuration has fewer layers than the manifest');
    return { descriptor, diffId };
  });
}
