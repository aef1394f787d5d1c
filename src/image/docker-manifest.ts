// `manifest.json` of a docker archive: moby, image/tarexport. A list of images, each with the names of its files.

import { VeneerError } from '../core/index.js';
import { asArray, asObject, asString, at, malformed, readFields, required } from './json.js';
import type { JsonPlace } from './json.js';

export const DOCKER_MANIFEST_FILE = 'manifest.json';

export interface DockerManifestEntry {
  /** The path of its configuration in the archive. */
  readonly Config: string;
  readonly RepoTags?: readonly string[];
  /** The paths of its layers' tars, bottom first. */
  readonly Layers: readonly string[];
}

const MAX_IMAGES = 10_000;

function readEntry(value: unknown, place: JsonPlace): DockerManifestEntry {
  const strings = (list: unknown, where: JsonPlace): string[] => asArray(list, where, asString);
  const read = readFields<DockerManifestEntry>(asObject(value, place), place, {
    Config: asString,
    RepoTags: strings,
    Layers: strings,
  });
  // Go's null for an image without layers.
  return { ...read, Config: required(read.Config, at(place, 'Config')), Layers: read.Layers ?? [] };
}

/** Parses the list. Throws `invalid` and `limit`. */
export function parseDockerManifest(bytes: Uint8Array): DockerManifestEntry[] {
  const place = { document: DOCKER_MANIFEST_FILE, path: '' };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new VeneerError('invalid', `malformed ${place.document}: not JSON`, { cause });
  }
  if (!Array.isArray(value)) throw malformed(place, 'a list of images');
  if (value.length > MAX_IMAGES)
    throw new VeneerError('limit', `manifest.json names more than ${String(MAX_IMAGES)} images`);
  return asArray(value, place, readEntry);
}

/** The bytes as moby writes them: one line. */
export function encodeDockerManifest(entries: readonly DockerManifestEntry[]): Buffer {
  return Buffer.from(`${JSON.stringify(entries)}\n`, 'utf8');
}
