// Whether an image that is asked for is in the store already, as far as that can be told without reading it from the registry.

import type { Digest } from '../core/index.js';
import { formatReference, hostPlatform, platformRank } from '../image/index.js';
import type { Platform, Reference } from '../image/index.js';
import type { Repository } from '../registry/index.js';
import type { Image, Store } from '../store/index.js';

export interface StoredImage {
  readonly image: Image;
  /** Of what the reference stands for. */
  readonly digest: Digest;
}

interface Wanted {
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The image in the store that a reference stands for now. A digest is looked up in the store alone; for a tag the registry is asked for
 * the digest, if there is anything to compare that with. Undefined where it takes more to know.
 */
export async function findStoredImage(
  store: Store,
  repository: Repository,
  reference: Reference,
  { platform, signal }: Wanted,
): Promise<StoredImage | undefined> {
  const digest = reference.digest ?? (await digestOfTag(store, repository, reference, signal));
  if (digest === undefined) return undefined;
  const { registry, repository: name } = reference;
  const image = store.images.find(formatReference({ registry, repository: name, digest }));
  return image !== undefined && isWhatIsWanted(store, { image, digest }, platform) ? { image, digest } : undefined;
}

async function digestOfTag(
  store: Store,
  repository: Repository,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const { tag } = reference;
  if (tag === undefined) return undefined;
  const tagged = store.images.find(formatReference(reference));
  const prefix = formatReference({ registry: reference.registry, repository: reference.repository });
  if (tagged?.digests.some((name) => name.startsWith(`${prefix}@`)) !== true) return undefined;
  return (await repository.head(tag, { signal }))?.digest;
}

/** One manifest stands for one image. What an index stands for depends on the platform: nothing is better than the very one. */
function isWhatIsWanted(store: Store, { image, digest }: StoredImage, platform: Platform | undefined): boolean {
  const manifests = store.images.manifests(image.id);
  if (manifests.length === 0) return false;
  const rank = platformRank(store.images.config(image.id), platform ?? hostPlatform());
  if (manifests.some((manifest) => manifest.digest === digest)) return platform === undefined || rank !== undefined;
  return rank === 0;
}
