import { describe, expect, it } from 'vitest';
import { encodeManifest, MediaTypes, parseManifest } from '../../../src/image/index.js';

const descriptor = { mediaType: MediaTypes.layerGzip, digest: `sha256:${'7'.repeat(64)}`, size: 12 };
const manifest = { schemaVersion: 2, mediaType: MediaTypes.manifest, config: descriptor, layers: [descriptor] };
const parse = (document: unknown) => parseManifest(Buffer.from(JSON.stringify(document)));

describe('parseManifest', () => {
  it('reads OCI and Docker manifests and keeps unknown fields', () => {
    const docker = { ...manifest, mediaType: MediaTypes.dockerManifest, subject: { x: 1 }, annotations: { a: 'b' } };
    expect(parse(docker)).toEqual(docker);
    expect(JSON.parse(encodeManifest(parse(docker)).toString())).toEqual(docker);
  });

  const bad: Record<string, [unknown, string, RegExp]> = {
    'schema 1': [{ schemaVersion: 1 }, 'unsupported', /schema version 1/],
    'an index': [{ ...manifest, mediaType: MediaTypes.index }, 'unsupported', /not an image manifest/],
    'no schema version': [{ ...manifest, schemaVersion: undefined }, 'invalid', /'schemaVersion' is missing/],
    'no config': [{ ...manifest, config: undefined }, 'invalid', /'config' is missing/],
    'no layers': [{ ...manifest, layers: undefined }, 'invalid', /'layers' is missing/],
    'a negative size': [{ ...manifest, config: { ...descriptor, size: -1 } }, 'invalid', /'config.size' is not a size/],
    'a size beyond 2^53': [{ ...manifest, config: { ...descriptor, size: 2 ** 53 } }, 'invalid', /'config.size'/],
    'a bad digest': [{ ...manifest, layers: [{ ...descriptor, digest: 'md5:x' }] }, 'invalid', /'layers\[0\].digest'/],
  };
  for (const [what, [document, code, why]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(() => parse(document)).toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(why) as unknown }),
      );
    });
  }
});
