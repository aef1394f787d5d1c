// What a registry answers with where an image was asked for: the document says it by its media type, or only by its fields.

import { VeneerError } from '../core/index.js';
import { parseDocument } from './json.js';
import { isIndexType, isManifestType, MediaTypes } from './media-types.js';

export interface DocumentKind {
  readonly kind: 'index' | 'manifest';
  readonly mediaType: string;
}

/** Of `...v1+json`, and of the signed form. */
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+';

function kindOfType(mediaType: unknown): DocumentKind['kind'] | undefined {
  if (typeof mediaType !== 'string') return undefined;
  if (isIndexType(mediaType)) return 'index';
  return isManifestType(mediaType) ? 'manifest' : undefined;
}

/**
 * Whether the bytes are an index or a manifest, and their media type: what they say themselves counts before what they were sent
 * as. Throws `unsupported` for anything else, and `invalid` for a document that could be read as either: programs that read it
 * differently would see different images (GHSA-mc8v-mgrf-8f4m).
 */
export function documentKind(bytes: Uint8Array, sentAs: string, name: string): DocumentKind {
  const document = parseDocument(bytes, `manifest of ${name}`);
  const { mediaType: declared, schemaVersion } = document;
  const type = sentAs.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (schemaVersion === 1 || type.startsWith(SCHEMA_1)) {
    throw new VeneerError('unsupported', `${name} is in Docker's old format, schema 1`, {
      hint: 'have it pushed again by a current program, or convert it with skopeo copy',
    });
  }
  const [isIndex, isManifest] = ['manifests' in document, 'layers' in document || 'config' in document];
  const kind = isIndex ? 'index' : isManifest ? 'manifest' : undefined;
  const known = kindOfType(declared) ?? kindOfType(type);
  if (isIndex && isManifest) throw new VeneerError('invalid', `${name} is a manifest and an index at once`);
  if (kind === undefined || (typeof declared === 'string' && kindOfType(declared) === undefined)) {
    const called = typeof declared === 'string' ? declared : type;
    throw new VeneerError('unsupported', `${name} is no image: the registry has '${called.slice(0, 100)}' there`);
  }
  if (known !== undefined && known !== kind) {
    throw new VeneerError('invalid', `${name} is called ${article(known)}, but is ${article(kind)}`);
  }
  const fallback = kind === 'index' ? MediaTypes.index : MediaTypes.manifest;
  if (typeof declared === 'string') return { kind, mediaType: declared };
  return { kind, mediaType: kindOfType(type) === kind ? type : fallback };
}

function article(kind: DocumentKind['kind']): string {
  return kind === 'index' ? 'an index' : 'a manifest';
}
