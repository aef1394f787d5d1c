// `push`: an image goes out of the store into a registry.

import type { Digest } from '../core/index.js';
import { encodeManifest, formatReference, isForeignLayer, layerTypeOf, MediaTypes } from '../image/index.js';
import type { Descriptor } from '../image/index.js';
import type { RegistryClient } from '../registry/index.js';
import type { Image, Store, TaggedName } from '../store/index.js';
import { eachAtOnce } from './each-at-once.js';
import type { OnProgress } from './progress.js';
import { BlobPusher } from './push-blob.js';
import { planPush } from './push-plan.js';
import type { PushLayer, PushPlan, PushPlanOptions } from './push-plan.js';

export interface PushOptions extends PushPlanOptions {
  /** The image, by name or ID; by default the one that has the name it is pushed to. */
  readonly image?: string | undefined;
  /** As the compressor takes it; of layers that are to be compressed. */
  readonly level?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How many layers go at a time; 4 by default. */
  readonly atOnce?: number | undefined;
}

export interface PushedImage {
  /** Of the manifest. */
  readonly digest: Digest;
  /** Of the manifest, in bytes. */
  readonly size: number;
  readonly mediaType: string;
}

const AT_ONCE = 4;

/**
 * Pushes an image under a name. What the registry has is not sent, or taken from another repository of its own; the manifest goes last, so
 * that whoever sees it can have all of the image. An image that came with a manifest goes as it came, byte for byte, unless another
 * format or compression is asked for.
 *
 * Errors: `not-found` for the image; `usage`; what the registry says; `integrity` for damaged layers, or a registry that
 * stores something else.
 */
export async function pushImage(
  store: Store,
  client: RegistryClient,
  name: TaggedName,
  options: PushOptions = {},
): Promise<PushedImage> {
  const image = store.images.resolve(options.image ?? formatReference(name));
  using lease = store.lease();
  const plan = planPush(store, image, { ...options, lease });
  const { registry, repository } = name;
  const target = client.repository({ registry, repository });
  const blobs = new BlobPusher(store, target, { ...options, compression: plan.compression });
  const descriptors = await pushBlobs(plan, blobs, options);
  options.signal?.throwIfAborted();
  const manifest = plan.manifest ?? makeManifest(plan, descriptors);
  const digest = await target.putManifest(name.tag, manifest, { signal: options.signal });
  recordDigest(store, image, { name, digest });
  return { digest, size: manifest.bytes.length, mediaType: manifest.mediaType };
}

/** Sends the layers, then the configuration; resolves to the layers as they are in the registry. */
async function pushBlobs(plan: PushPlan, blobs: BlobPusher, options: PushOptions): Promise<Descriptor[]> {
  const { atOnce = AT_ONCE, signal } = options;
  const descriptors = new Map<PushLayer, Descriptor>();
  await eachAtOnce(plan.layers, { atOnce, signal }, async (layer, stop) => {
    const { blob, diffId } = layer;
    if (blob !== undefined && isForeignLayer(blob.mediaType) && (blob.urls ?? []).length > 0) {
      options.onProgress?.({ layer: diffId, phase: 'skipped', bytes: 0, total: blob.size });
      descriptors.set(layer, blob);
      return;
    }
    const { digest, size } = await blobs.layer(layer, stop);
    const mediaType = layerTypeOf(plan.format, { compression: plan.compression });
    descriptors.set(layer, blob ?? { mediaType, digest, size });
  });
  await blobs.document(plan.config, signal);
  return plan.layers.flatMap((layer) => descriptors.get(layer) ?? []);
}

function makeManifest(
  { config, format }: PushPlan,
  layers: readonly Descriptor[],
): { bytes: Buffer; mediaType: string } {
  const isDocker = format === 'docker';
  const mediaType = isDocker ? MediaTypes.dockerManifest : MediaTypes.manifest;
  const configType = isDocker ? MediaTypes.dockerConfig : MediaTypes.config;
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest: config.digest, size: config.bytes.length },
    layers,
  });
  return { bytes, mediaType };
}

/** As Docker does: an image of the repository is known by the digest it has there. */
function recordDigest(
  store: Store,
  image: Image,
  { name, digest }: { readonly name: TaggedName; readonly digest: Digest },
): void {
  const { registry, repository } = name;
  const isNamed = image.references.some((reference) => reference.startsWith(`${registry}/${repository}:`));
  if (!isNamed) return;
  store.images.nameDigest(image.id, { registry, repository, digest });
}
