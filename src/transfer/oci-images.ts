// The images of an OCI layout: what its index.json names, one for each name, chosen by platform.

import { digestOf, VeneerError } from '../core/index.js';
import {
  annotatedName,
  checkLayout,
  describesImage,
  formatPlatform,
  hostPlatform,
  INDEX_FILE,
} from '../image/index.js';
import { isConfigType, isIndexType, LAYOUT_FILE, MediaTypes, parseIndex, parseManifest } from '../image/index.js';
import { platformRank, platformsOf, selectManifest } from '../image/index.js';
import type { Descriptor, Platform } from '../image/index.js';
import { readDocument } from './archive.js';
import type { Archive } from './archive.js';
import { assembleImage, asTaggedName, layerOfBlob, readBlob } from './archive-image.js';
import type { ArchiveImage } from './archive-image.js';

/** Indexes in indexes: two levels are in use. */
const MAX_DEPTH = 4;

export interface ChooseOptions {
  /** What it must run on; without one, what fits this machine best is taken, or what there is. */
  readonly platform?: Platform | undefined;
}

/** True where the archive says that it is a layout. Throws `unsupported` for one of another version. */
export async function isLayout(archive: Archive): Promise<boolean> {
  const marker = archive.file(LAYOUT_FILE);
  if (marker === undefined || archive.file(INDEX_FILE) === undefined) return false;
  checkLayout(await readDocument(marker, LAYOUT_FILE));
  return true;
}

/** The images of a layout. Manifests that describe no image are passed over. */
export async function readOciImages(archive: Archive, options: ChooseOptions): Promise<ArchiveImage[]> {
  const file = archive.file(INDEX_FILE);
  if (file === undefined) return [];
  const { manifests } = parseIndex(await readDocument(file, INDEX_FILE));
  const images: ArchiveImage[] = [];
  for (const group of groupByName(manifests.filter(describesImage))) {
    for (const chosen of choose(group, archive, options)) {
      const image = await readImage(archive, { descriptor: chosen, naming: chosen, depth: 0 }, options);
      if (image !== undefined) images.push(image);
    }
  }
  return mergeSame(images);
}

/** What has one name is one image, in several forms. What has none is one image if all entries say for which platform. */
function groupByName(manifests: readonly Descriptor[]): Descriptor[][] {
  const named = new Map<string, Descriptor[]>();
  const groups: Descriptor[][] = [];
  for (const descriptor of manifests) {
    const { reference, ref } = annotatedName(descriptor);
    const key = reference === undefined && ref === undefined ? '' : JSON.stringify([reference, ref]);
    const isAlone = key === '' && descriptor.platform === undefined;
    const group = isAlone ? undefined : named.get(key);
    if (group !== undefined) {
      group.push(descriptor);
      continue;
    }
    const fresh = [descriptor];
    groups.push(fresh);
    if (!isAlone) named.set(key, fresh);
  }
  return groups;
}

/** One of several for a platform. The same platform twice means different images: all of them are taken. */
function choose(group: readonly Descriptor[], archive: Archive, { platform }: ChooseOptions): Descriptor[] {
  const [only] = group;
  if (only !== undefined && group.length === 1) return [only];
  const chosen = selectManifest(group, platform ?? hostPlatform());
  if (chosen === undefined) throw noneFits(archive, group, platform);
  const place = chosen.platform === undefined ? '' : formatPlatform(chosen.platform);
  const same = group.filter((it) => (it.platform === undefined ? '' : formatPlatform(it.platform)) === place);
  return annotatedName(chosen).ref === undefined ? same : [chosen];
}

function noneFits(archive: Archive, group: readonly Descriptor[], platform = hostPlatform()): VeneerError {
  const offered = platformsOf(group);
  return new VeneerError('not-found', `${archive.name} has no image for ${formatPlatform(platform)}`, {
    ...(offered === '' ? {} : { hint: `it has ${offered}: choose with --platform` }),
  });
}

interface Found {
  readonly descriptor: Descriptor;
  /** The entry of index.json that leads here. */
  readonly naming: Descriptor;
  readonly depth: number;
}

/** Undefined for what turns out to be no image. */
async function readImage(
  archive: Archive,
  { descriptor, naming, depth }: Found,
  options: ChooseOptions,
): Promise<ArchiveImage | undefined> {
  if (isIndexType(descriptor.mediaType)) {
    if (depth >= MAX_DEPTH)
      throw new VeneerError('limit', `${archive.name} has indexes nested more than ${String(MAX_DEPTH)} deep`);
    const { manifests } = parseIndex(await readBlob(archive, descriptor, 'index'));
    const images = manifests.filter(describesImage);
    if (images.length === 0) return undefined;
    const wanted = options.platform ?? hostPlatform();
    const chosen = selectManifest(images, wanted) ?? (images.length === 1 ? images[0] : undefined);
    if (chosen === undefined) throw noneFits(archive, images, options.platform);
    return readImage(archive, { descriptor: chosen, naming, depth: depth + 1 }, options);
  }
  const bytes = await readBlob(archive, descriptor, 'manifest');
  const manifest = parseManifest(bytes);
  if (!isConfigType(manifest.config.mediaType)) return undefined;
  const configBytes = await readBlob(archive, manifest.config, 'configuration');
  const { reference, ref } = annotatedName(naming);
  const name = asTaggedName(reference);
  const image = assembleImage({
    configBytes,
    layers: manifest.layers.map((layer) => layerOfBlob(archive, layer)),
    manifest: { bytes, mediaType: manifest.mediaType ?? descriptor.mediaType, digest: digestOf(bytes) },
    names: name === undefined ? [] : [name],
    refs: ref === undefined ? [] : [ref],
  });
  checkPlatform(archive, image, options);
  return image;
}

/** What an index does not say of an image, its configuration does. */
export function checkPlatform(archive: Archive, { config }: ArchiveImage, { platform }: ChooseOptions): void {
  if (platform === undefined || platformRank(config, platform) !== undefined) return;
  throw noneFits(
    archive,
    [{ mediaType: MediaTypes.manifest, digest: digestOf(''), size: 0, platform: platformOf(config) }],
    platform,
  );
}

function platformOf({ os, architecture, variant }: Platform): Platform {
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/** An image with several names stands in an index once for each. */
function mergeSame(images: readonly ArchiveImage[]): ArchiveImage[] {
  const merged = new Map<string, ArchiveImage>();
  for (const image of images) {
    const key = image.manifest?.digest ?? image.id;
    const before = merged.get(key);
    merged.set(
      key,
      before === undefined
        ? image
        : { ...before, names: [...before.names, ...image.names], refs: [...before.refs, ...image.refs] },
    );
  }
  return [...merged.values()];
}
