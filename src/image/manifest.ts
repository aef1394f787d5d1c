// Image manifests: OCI image spec, manifest.md, and Docker's schema 2, which has the same shape.

import { VeneerError } from '../core/index.js';
import { readDescriptor } from './descriptor.js';
import type { Descriptor } from './descriptor.js';
import { asArray, asMap, asSize, asString, at, parseDocument, readFields, required } from './json.js';
import { isManifestType } from './media-types.js';

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  /** Bottom layer first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

type Loose = Omit<Manifest, 'schemaVersion'> & { readonly schemaVersion: number };

/** Parses a manifest; unknown fields are kept. Throws `invalid`, and `unsupported` for another kind of document. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const place = { document: 'image manifest', path: '' };
  const read = readFields<Loose>(parseDocument(bytes, place.document), place, {
    schemaVersion: asSize,
    mediaType: asString,
    config: readDescriptor,
    layers: (list, where) => asArray(list, where, readDescriptor),
    annotations: (map, where) => asMap(map, where, asString),
  });
  if (read.schemaVersion !== undefined && read.schemaVersion !== 2) {
    throw new VeneerError('unsupported', `image manifest has schema version ${String(read.schemaVersion)}, not 2`);
  }
  if (read.mediaType !== undefined && !isManifestType(read.mediaType)) {
    throw new VeneerError('unsupported', `'${read.mediaType.slice(0, 100)}' is not an image manifest`);
  }
  required(read.schemaVersion, at(place, 'schemaVersion'));
  return {
    ...read,
    schemaVersion: 2,
    config: required(read.config, at(place, 'config')),
    layers: required(read.layers, at(place, 'layers')),
  };
}

/** The bytes of a manifest: deterministic for equal manifests with equal field order. */
export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(JSON.stringify(manifest), 'utf8');
}
