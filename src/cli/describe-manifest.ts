// Manifests as `docker manifest inspect -v` shows them: each with its descriptor and, of an index, for which platform.

import { digestOf } from '../core/index.js';
import { documentKind, MediaTypes, parseIndex, parseManifest } from '../image/index.js';
import type { Descriptor, Manifest, Platform } from '../image/index.js';

export interface FoundManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export interface ManifestSource {
  /** How to speak of what was asked for. */
  readonly name: string;
  /** One that an index lists. */
  read(descriptor: Descriptor): Promise<FoundManifest>;
  /** What the configuration of a manifest says; undefined where it is no image's. */
  platform(manifest: Manifest): Promise<Platform | undefined>;
}

/** docker's names of the two families. */
function withDocument(mediaType: string, document: object): object {
  return mediaType === MediaTypes.dockerManifest ? { SchemaV2Manifest: document } : { OCIManifest: document };
}

const raw = ({ bytes }: Pick<FoundManifest, 'bytes'>): string => bytes.toString('base64');

/** An object for a manifest, a list of them for an index. Indexes in an index stay as they are. Throws `invalid`, `unsupported`. */
export async function describeManifest({ bytes, mediaType }: FoundManifest, source: ManifestSource): Promise<object> {
  const { name } = source;
  const found = documentKind(bytes, mediaType, name);
  if (found.kind === 'index') {
    const entries = [];
    for (const descriptor of parseIndex(bytes).manifests) {
      const listed = await source.read(descriptor);
      const { kind, mediaType: type } = documentKind(listed.bytes, listed.mediaType, `${name}@${descriptor.digest}`);
      const document =
        kind === 'index' ? { Index: parseIndex(listed.bytes) } : withDocument(type, parseManifest(listed.bytes));
      entries.push({ Ref: `${name}@${descriptor.digest}`, Descriptor: descriptor, Raw: raw(listed), ...document });
    }
    return entries;
  }
  const manifest = parseManifest(bytes);
  const of = await source.platform(manifest);
  const platform = of === undefined ? {} : { platform: platformOf(of) };
  const descriptor = { mediaType: found.mediaType, digest: digestOf(bytes), size: bytes.length, ...platform };
  return { Ref: name, Descriptor: descriptor, Raw: raw({ bytes }), ...withDocument(found.mediaType, manifest) };
}

/** Of a configuration, these fields alone. */
function platformOf({ architecture, os, variant }: Platform): Platform {
  return variant === undefined ? { architecture, os } : { architecture, os, variant };
}
