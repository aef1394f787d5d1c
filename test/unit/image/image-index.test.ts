import { describe, expect, it } from 'vitest';
import {
  annotatedName,
  compressionOf,
  describesImage,
  encodeIndex,
  formatReference,
} from '../../../src/image/index.js';
import {
  isConfigType,
  MediaTypes,
  parseIndex,
  parsePlatform,
  platformsOf,
  selectManifest,
} from '../../../src/image/index.js';
import type { Descriptor } from '../../../src/image/index.js';

const digest = `sha256:${'7'.repeat(64)}`;
const descriptor = { mediaType: MediaTypes.manifest, digest, size: 12 };
const parse = (document: unknown) => parseIndex(Buffer.from(JSON.stringify(document)));
const read = (fields: object): Descriptor => {
  const [found] = parse({ schemaVersion: 2, manifests: [{ ...descriptor, ...fields }] }).manifests;
  if (found === undefined) throw new Error('no descriptor');
  return found;
};

describe('parseIndex', () => {
  it('reads OCI indexes and Docker lists and keeps unknown fields', () => {
    const platform = { architecture: 'amd64', os: 'linux', 'os.version': '10' };
    const list = {
      schemaVersion: 2,
      mediaType: MediaTypes.dockerManifestList,
      manifests: [{ ...descriptor, platform }],
      x: 1,
    };
    expect(parse(list)).toEqual(list);
    expect(JSON.parse(encodeIndex(parse(list)).toString())).toEqual(list);
    expect(parse({ manifests: [] })).toMatchObject({ schemaVersion: 2 });
  });

  const bad: Record<string, [unknown, string, RegExp]> = {
    'another version': [{ schemaVersion: 1, manifests: [] }, 'unsupported', /schema version 1/],
    'a manifest': [
      { schemaVersion: 2, mediaType: MediaTypes.manifest, manifests: [] },
      'unsupported',
      /not an image index/,
    ],
    'no list': [{ schemaVersion: 2 }, 'invalid', /'manifests' is missing/],
    'a platform without os': [
      { schemaVersion: 2, manifests: [{ ...descriptor, platform: { architecture: 'x' } }] },
      'invalid',
      /'manifests\[0\].platform.os' is missing/,
    ],
    'a digest that is a path': [
      { schemaVersion: 2, manifests: [{ ...descriptor, digest: 'sha256:../../../etc/passwd' }] },
      'invalid',
      /digest/,
    ],
    'too many': [{ schemaVersion: 2, manifests: Array.from({ length: 10_001 }, () => descriptor) }, 'limit', /10000/],
  };
  for (const [what, [document, code, why]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(() => parse(document)).toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(why) as unknown }),
      );
    });
  }
});

describe('describesImage', () => {
  it.each<[string, object, boolean]>([
    ['a manifest', {}, true],
    ['an index', { mediaType: MediaTypes.index }, true],
    ['an attestation', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }, false],
    ['an unknown platform', { platform: { os: 'unknown', architecture: 'unknown' } }, false],
    ['an artifact', { artifactType: 'application/spdx+json' }, false],
    ['another media type', { mediaType: 'text/plain' }, false],
  ])('%s', (_what, fields, expected) => {
    expect(describesImage(read(fields))).toBe(expected);
  });
});

describe('selectManifest', () => {
  const on = (text: string, size = 1): Descriptor => read({ platform: parsePlatform(text), size });
  const select = (manifests: readonly Descriptor[], wanted: string): string | undefined => {
    const found = selectManifest(manifests, parsePlatform(wanted));
    return found === undefined ? undefined : platformsOf([found]);
  };

  it('takes the best variant, not the first that runs', () => {
    const all = ['linux/arm/v5', 'linux/arm/v7', 'linux/amd64', 'linux/arm64'].map((text) => on(text));
    expect(select(all, 'linux/arm/v7')).toBe('linux/arm/v7');
    expect(select(all, 'linux/arm/v6')).toBe('linux/arm/v5');
    expect(select(all, 'linux/arm64')).toBe('linux/arm64');
    expect(select(all, 'linux/s390x')).toBeUndefined();
    expect(platformsOf(all)).toBe('linux/arm/v5, linux/arm/v7, linux/amd64, linux/arm64');
  });

  it('takes the first of equals, and one without a platform where none is better', () => {
    expect(selectManifest([on('linux/amd64', 1), on('linux/amd64', 2)], parsePlatform('amd64'))?.size).toBe(1);
    expect(selectManifest([read({ size: 5 }), on('linux/amd64')], parsePlatform('amd64'))?.size).toBe(1);
    expect(selectManifest([read({ size: 5 }), on('linux/amd64')], parsePlatform('s390x'))?.size).toBe(5);
  });
});

describe('annotatedName', () => {
  const named = (annotations: Record<string, string>): string | undefined => {
    const { reference } = annotatedName(read({ annotations }));
    return reference === undefined ? undefined : formatReference(reference);
  };
  it.each<[string, Record<string, string>, string | undefined]>([
    [
      "Docker's name",
      { 'io.containerd.image.name': 'docker.io/library/a:1', 'org.opencontainers.image.ref.name': '1' },
      'docker.io/library/a:1',
    ],
    ["Podman's whole name", { 'org.opencontainers.image.ref.name': 'localhost/a:1' }, 'localhost/a:1'],
    [
      'a name that the tag contradicts',
      { 'io.containerd.image.name': 'docker.io/library/a:1', 'org.opencontainers.image.ref.name': '2' },
      undefined,
    ],
    ['a tag alone', { 'org.opencontainers.image.ref.name': 'latest' }, undefined],
    ['what is no name', { 'org.opencontainers.image.ref.name': '../../etc:x' }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_what, annotations, expected) => {
    expect(named(annotations)).toBe(expected);
  });
});

describe('media types', () => {
  it.each([
    [MediaTypes.layer, 'none'],
    [MediaTypes.layerGzip, 'gzip'],
    [MediaTypes.layerZstd, 'zstd'],
    [MediaTypes.dockerLayer, 'none'],
    [MediaTypes.dockerLayerGzip, 'gzip'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'zstd'],
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', undefined],
    ['application/vnd.cncf.helm.chart.content.v1.tar+gzip', undefined],
  ])('%s: %s', (mediaType, expected) => {
    expect(compressionOf(mediaType)).toBe(expected);
  });

  it('tells an image from an artifact by its configuration', () => {
    expect([MediaTypes.config, MediaTypes.dockerConfig, MediaTypes.empty].map(isConfigType)).toEqual([
      true,
      true,
      false,
    ]);
  });
});
