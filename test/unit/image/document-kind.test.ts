import { describe, expect, test } from 'vitest';
import { documentKind, MediaTypes } from '../../../src/image/index.js';

const { index, manifest, dockerManifest, dockerManifestList } = MediaTypes;
const kindOf = (document: unknown, sentAs: string): object =>
  documentKind(Buffer.from(JSON.stringify(document)), sentAs, 'debian:12');

describe('a document is told by', () => {
  test.each([
    ['its own media type', { mediaType: dockerManifest, layers: [] }, 'text/plain', 'manifest', dockerManifest],
    ['its own, where it came as another', { mediaType: manifest, config: {} }, dockerManifest, 'manifest', manifest],
    ['what it came as', { manifests: [] }, dockerManifestList, 'index', dockerManifestList],
    ['what it came as, with parameters', { manifests: [] }, `${index}; charset=utf-8`, 'index', index],
    ['its fields', { manifests: [] }, 'application/octet-stream', 'index', index],
    ['its fields', { layers: [], config: {} }, '', 'manifest', manifest],
  ])('%s', (_how, document, sentAs, kind, mediaType) => {
    expect(kindOf({ schemaVersion: 2, ...document }, sentAs)).toEqual({ kind, mediaType });
  });
});

describe('refused is', () => {
  const other = 'application/vnd.example+json';
  test.each([
    ['both at once', { manifests: [], layers: [] }, index, 'debian:12 is a manifest and an index at once'],
    ['an index called a manifest', { manifests: [] }, manifest, 'debian:12 is called a manifest, but is an index'],
    ['a manifest that calls itself an index', { mediaType: index, layers: [] }, manifest, 'is called an index'],
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'application/json', "Docker's old format, schema 1"],
    ['schema 1 by its type', {}, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema 1'],
    ['another kind', { mediaType: other, layers: [] }, manifest, `is no image: the registry has '${other}' there`],
    ['nothing known', { errors: [] }, 'application/json', "is no image: the registry has 'application/json' there"],
    ['a list', [], index, 'malformed manifest of debian:12: it is not an object'],
  ])('%s', (_what, document, sentAs, message) => {
    expect(() => kindOf(Array.isArray(document) ? document : { schemaVersion: 2, ...document }, sentAs)).toThrow(
      message,
    );
  });
});
