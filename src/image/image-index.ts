// Image indexes: OCI image spec, image-index.md, and Docker's manifest lists, which have the same shape.

import { VeneerError } from '../core/index.js';
import { readDescriptor } from './descriptor.js';
import type { Descriptor } from './descriptor.js';
import { asArray, asMap, asSize, asString, at, parseDocument, readFields, required } from './json.js';
import { isIndexType, isManifestType } from './media-types.js';
import { formatPlatform, platformRank } from './platform.js';
import type { Platform } from './platform.js';

export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

type Loose = Omit<ImageIndex, 'schemaVersion'> & { readonly schemaVersion: number };

/** What stands in one index: more is an attack on memory, not a list of platforms or of images. */
const MAX_MANIFESTS = 10_000;

/** Parses an index; unknown fields are kept. Throws `invalid`, `limit`, and `unsupported` for another kind of document. */
export function parseIndex(bytes: Uint8Array): ImageIndex {
  const place = { document: 'image index', path: '' };
  const read = readFields<Loose>(parseDocument(bytes, place.document), place, {
    schemaVersion: asSize,
    mediaType: asString,
    manifests: (list, where) => asArray(list, where, readDescriptor),
    annotations: (map, where) => asMap(map, where, asString),
  });
  // Some writers leave the version out of a layout's index.json.
  if ((read.schemaVersion ?? 2) !== 2) {
    throw new VeneerError('unsupported', `image index has schema version ${String(read.schemaVersion)}, not 2`);
  }
  if (read.mediaType !== undefined && !isIndexType(read.mediaType)) {
    throw new VeneerError('unsupported', `'${read.mediaType.slice(0, 100)}' is not an image index`);
  }
  const manifests = required(read.manifests, at(place, 'manifests'));
  if (manifests.length > MAX_MANIFESTS) {
    throw new VeneerError('limit', `image index names more than ${String(MAX_MANIFESTS)} manifests`);
  }
  return { ...read, schemaVersion: 2, manifests };
}

/** The bytes of an index: deterministic for equal indexes with equal field order. */
export function encodeIndex(index: ImageIndex): Buffer {
  return Buffer.from(JSON.stringify(index), 'utf8');
}

/** Written by BuildKit for what it says about an image (provenance, SBOM) beside the image itself. */
const REFERENCE_TYPE = 'vnd.docker.reference.type';

/** True for an image or a list of them; false for attestations, signatures and whatever else stands in an index. */
export function describesImage(descriptor: Descriptor): boolean {
  const { mediaType, platform, annotations, artifactType } = descriptor;
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) return false;
  if (artifactType !== undefined || annotations?.[REFERENCE_TYPE] !== undefined) return false;
  return platform?.os !== 'unknown' && platform?.architecture !== 'unknown';
}

/**
 * The best of several manifests of one image for a platform: the first of those that run there best. One without a platform
 * counts only where none is better. Undefined where none runs there.
 */
export function selectManifest(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const unknown = Number.MAX_SAFE_INTEGER;
  const rank = ({ platform }: Descriptor): number | undefined =>
    platform === undefined ? unknown : platformRank(platform, wanted);
  return manifests.filter((it) => rank(it) !== undefined).sort((a, b) => (rank(a) ?? 0) - (rank(b) ?? 0))[0];
}

/** The platforms of an index in words, for what to say where none fits. */
export function platformsOf(manifests: readonly Descriptor[]): string {
  const names = manifests.flatMap(({ platform }) => (platform === undefined ? [] : [formatPlatform(platform)]));
  return [...new Set(names)].slice(0, 20).join(', ');
}
