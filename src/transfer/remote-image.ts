// What a registry says of an image: its manifest, chosen by platform where there are several, and its configuration. No layer is read.

import { digestOf, VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { describesImage, documentKind, familiarName, familiarReference, formatPlatform } from '../image/index.js';
import { hostPlatform, isConfigType, parseImageConfig, parseIndex, parseManifest } from '../image/index.js';
import { platformRank, platformsOf, selectManifest, tagOrDigest } from '../image/index.js';
import type { Descriptor, ImageConfig, Manifest, Platform, Reference } from '../image/index.js';
import type { RegistryClient, Repository } from '../registry/index.js';
import { namingImage } from './naming-image.js';

/** Indexes in indexes: two levels are in use. */
const MAX_DEPTH = 4;
/** Of a configuration, in bytes. */
const MAX_CONFIG = 8 * 1024 * 1024;

export interface ResolvedManifest {
  /** Of what the reference stands for: an index, or the manifest itself. */
  readonly digest: Digest;
  readonly manifest: {
    readonly bytes: Buffer;
    readonly digest: Digest;
    readonly mediaType: string;
    readonly document: Manifest;
  };
}

export interface RemoteImage extends ResolvedManifest {
  readonly reference: Reference;
  /** The digest of the configuration. */
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly configBytes: Buffer;
}

export interface RemoteOptions {
  /** What it must run on. Without one what fits this machine best is taken, or what there is. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadRemoteOptions extends RemoteOptions {
  /** Configurations that are at hand need not be fetched. */
  readonly configOf?: ((digest: Digest) => Buffer | undefined) | undefined;
}

/**
 * The manifest of a tag or a digest. Throws `not-found` also where an index has nothing for the platform, `unsupported` for what is
 * no image, `integrity`, `invalid`, `limit`, and what the registry's client throws.
 */
export function resolveRemote(
  repository: Repository,
  reference: Reference,
  options: RemoteOptions = {},
): Promise<ResolvedManifest> {
  return namingImage(reference, () => resolve(repository, reference, options));
}

async function resolve(
  repository: Repository,
  reference: Reference,
  { platform, signal }: RemoteOptions,
): Promise<ResolvedManifest> {
  const called = familiarReference(reference);
  let found = await repository.manifest(tagOrDigest(reference), { signal });
  const { digest } = found;
  for (let depth = 0; ; depth += 1) {
    const { kind, mediaType } = documentKind(found.bytes, found.mediaType, called);
    if (kind === 'manifest') {
      const document = parseManifest(found.bytes);
      if (!isConfigType(document.config.mediaType)) throw noImage(called, document);
      return { digest, manifest: { bytes: found.bytes, digest: found.digest, mediaType, document } };
    }
    if (depth >= MAX_DEPTH) {
      throw new VeneerError('limit', `${called} has indexes nested more than ${String(MAX_DEPTH)} deep`);
    }
    const { digest: listed, size } = choose(called, parseIndex(found.bytes).manifests, platform);
    found = await repository.manifest(listed, { size, signal });
  }
}

function noImage(called: string, { config }: Manifest): VeneerError {
  return new VeneerError('unsupported', `${called} is no image, but holds '${config.mediaType.slice(0, 100)}'`, {
    hint: 'an artifact is fetched with the program that it is for, or with oras',
  });
}

function choose(called: string, manifests: readonly Descriptor[], platform: Platform | undefined): Descriptor {
  const images = manifests.filter(describesImage);
  const wanted = platform ?? hostPlatform();
  const chosen =
    selectManifest(images, wanted) ?? (platform === undefined && images.length === 1 ? images[0] : undefined);
  if (chosen !== undefined) return chosen;
  throw noneFits(called, wanted, platformsOf(images));
}

function noneFits(called: string, wanted: Platform, offered: string): VeneerError {
  return new VeneerError('not-found', `${called} has no image for ${formatPlatform(wanted)}`, {
    ...(offered === '' ? {} : { hint: `it has ${offered}: choose with --platform` }),
  });
}

/** An image as its registry describes it. Errors: as `resolveRemote`. */
export function readRemoteImage(
  client: RegistryClient,
  reference: Reference,
  options: ReadRemoteOptions = {},
): Promise<RemoteImage> {
  return namingImage(reference, () => readImage(client, reference, options));
}

async function readImage(
  client: RegistryClient,
  reference: Reference,
  options: ReadRemoteOptions,
): Promise<RemoteImage> {
  const repository = client.repository(reference);
  const resolved = await resolveRemote(repository, reference, options);
  const { document } = resolved.manifest;
  const { digest, size } = document.config;
  const known = options.configOf?.(digest);
  const configBytes = known?.length === size ? known : await readConfig(repository, document.config, options.signal);
  const config = parseImageConfig(configBytes);
  const { platform } = options;
  if (platform !== undefined && platformRank(config, platform) === undefined) {
    throw noneFits(familiarReference(reference), platform, platformsOf([{ ...document.config, platform: config }]));
  }
  const [layers, expected] = [document.layers.length, config.rootfs.diff_ids.length];
  if (layers !== expected) {
    const what = `the configuration of ${familiarName(reference)} names ${String(expected)} layers`;
    throw new VeneerError('integrity', `${what}, its manifest ${String(layers)}`);
  }
  return { ...resolved, reference, id: document.config.digest, config, configBytes };
}

/** A configuration's bytes, verified. */
export async function readConfig(
  repository: Repository,
  { digest, size }: Descriptor,
  signal?: AbortSignal,
): Promise<Buffer> {
  if (size > MAX_CONFIG) {
    throw new VeneerError('limit', `configuration ${digest} has ${String(size)} bytes, too many for a document`);
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of repository.blob({ digest, size }).read({ offset: 0 }, { signal })) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  if (bytes.length === size && digestOf(bytes) === digest) return bytes;
  throw new VeneerError('integrity', `configuration ${digest} is not what its digest says: ${digestOf(bytes)}`);
}
