// Content descriptors: OCI image spec, descriptor.md.

import { isDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { asArray, asMap, asObject, asSize, asString, at, malformed, readFields, required } from './json.js';
import type { JsonPlace } from './json.js';
import { readPlatform } from './platform.js';
import type { Platform } from './platform.js';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Where else it is, for what registries need not have. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of a manifest in an index. */
  readonly platform?: Platform;
  /** What it is, if it is no image. */
  readonly artifactType?: string;
}

export function readDigest(value: unknown, place: JsonPlace): Digest {
  const text = asString(value, place);
  if (!isDigest(text)) throw malformed(place, 'a sha256 digest');
  return text;
}

/** Reads a descriptor out of a document; unknown fields are kept. Throws `invalid`. */
export function readDescriptor(value: unknown, place: JsonPlace): Descriptor {
  const read = readFields<Descriptor>(asObject(value, place), place, {
    mediaType: asString,
    digest: readDigest,
    size: asSize,
    urls: (list, where) => asArray(list, where, asString),
    annotations: (map, where) => asMap(map, where, asString),
    platform: readPlatform,
    artifactType: asString,
  });
  return {
    ...read,
    mediaType: required(read.mediaType, at(place, 'mediaType')),
    digest: required(read.digest, at(place, 'digest')),
    size: required(read.size, at(place, 'size')),
  };
}
