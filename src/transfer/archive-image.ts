// One image of an archive, as its documents describe it, before any layer is read.

import { digestOf, toByteString, VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { compressionOf, parseImageConfig } from '../image/index.js';
import type { Descriptor, ImageConfig, Reference } from '../image/index.js';
import { parseTaggedName } from '../store/index.js';
import type { TaggedName } from '../store/index.js';
import { readDocument } from './archive.js';
import type { Archive, ArchiveFile } from './archive.js';

export interface ArchiveLayer {
  /** The layer's tar, plain or compressed. Throws `not-found` where the archive does not have it. */
  readonly open: () => ArchiveFile;
  /** What a manifest says of it. */
  readonly blob: Descriptor | undefined;
}

export interface ArchiveManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: Digest;
}

export interface ArchiveImage {
  /** The digest of the configuration. */
  readonly id: Digest;
  readonly configBytes: Buffer;
  readonly config: ImageConfig;
  /** Bottom first, one for each DiffID of the configuration. */
  readonly layers: readonly ArchiveLayer[];
  /** Of an OCI image. */
  readonly manifest: ArchiveManifest | undefined;
  readonly names: readonly TaggedName[];
  /** The `ref.name` annotations of a layout's index: by these it is asked for. */
  readonly refs: readonly string[];
}

/** No image has that many: overlay file systems take 500. */
export const MAX_LAYERS = 2000;

export function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** A file that the archive must have. Throws `not-found`. */
export function requireFile(archive: Archive, path: string, what: string): ArchiveFile {
  const file = archive.file(toByteString(path));
  if (file !== undefined) return file;
  throw new VeneerError('not-found', `${what} is not in ${archive.name}`, {
    hint: 'the archive is incomplete: make it again',
  });
}

/** Reads a blob that is a document, and verifies it. Throws `not-found`, `integrity`, `limit`. */
export async function readBlob(archive: Archive, { digest, size }: Descriptor, what: string): Promise<Buffer> {
  const name = `${what} ${digest}`;
  const file = requireFile(archive, blobPath(digest), name);
  if (file.size !== size) {
    throw new VeneerError('integrity', `${name} has ${String(file.size)} bytes, not the announced ${String(size)}`);
  }
  const bytes = await readDocument(file, name);
  if (digestOf(bytes) !== digest) {
    throw new VeneerError('integrity', `${name} in ${archive.name} has another digest: ${digestOf(bytes)}`);
  }
  return bytes;
}

/** How to get at a layer that a manifest names. */
export function layerOfBlob(archive: Archive, blob: Descriptor): ArchiveLayer {
  if (compressionOf(blob.mediaType) === undefined) {
    throw new VeneerError(
      'unsupported',
      `'${blob.mediaType.slice(0, 100)}' is not a kind of layer that can be unpacked`,
    );
  }
  const open = (): ArchiveFile => {
    const file = requireFile(archive, blobPath(blob.digest), `layer ${blob.digest}`);
    if (file.size === blob.size) return file;
    throw new VeneerError(
      'integrity',
      `layer ${blob.digest} has ${String(file.size)} bytes, not the announced ${String(blob.size)}`,
    );
  };
  return { open, blob };
}

type Parts = Omit<ArchiveImage, 'id' | 'config'>;

/** Puts an image together. Throws `invalid` for a malformed configuration, `integrity` where it does not fit the layers. */
export function assembleImage(parts: Parts): ArchiveImage {
  const config = parseImageConfig(parts.configBytes);
  const [expected, found] = [config.rootfs.diff_ids.length, parts.layers.length];
  if (expected > MAX_LAYERS) {
    throw new VeneerError(
      'limit',
      `an image of the archive has ${String(expected)} layers, more than ${String(MAX_LAYERS)}`,
    );
  }
  if (expected !== found) {
    throw new VeneerError(
      'integrity',
      `an image's configuration names ${String(expected)} layers, its manifest ${String(found)}`,
    );
  }
  return { ...parts, id: digestOf(parts.configBytes), config };
}

/** The name to give to an image, if the reference is one: a digest alone names content. */
export function asTaggedName(reference: Reference | undefined): TaggedName | undefined {
  if (reference?.tag === undefined) return undefined;
  const { registry, repository, tag } = reference;
  return { registry, repository, tag };
}

/** As `parseTaggedName`, undefined for what is no name. */
export function tryTaggedName(text: string): TaggedName | undefined {
  try {
    return parseTaggedName(text);
  } catch (error) {
    if (error instanceof VeneerError) return undefined;
    throw error;
  }
}
