import { describe, expect, it } from 'vitest';
import { checkLayout, encodeDockerManifest, encodeLayout, parseDockerManifest } from '../../../src/image/index.js';

const parse = (document: unknown) => parseDockerManifest(Buffer.from(JSON.stringify(document)));

describe('parseDockerManifest', () => {
  it('reads what Docker writes, null lists included, and keeps unknown fields', () => {
    const entry = { Config: 'a.json', RepoTags: ['a:1'], Layers: ['x/layer.tar'], Parent: 'sha256:1' };
    expect(parse([entry, { Config: 'b.json', RepoTags: null, Layers: null }])).toEqual([
      entry,
      { Config: 'b.json', Layers: [] },
    ]);
    expect(parse(JSON.parse(encodeDockerManifest([entry]).toString()))).toEqual([entry]);
  });

  const bad: Record<string, [unknown, string, RegExp]> = {
    'an object': [{}, 'invalid', /not a list of images/],
    'no configuration': [[{ Layers: [] }], 'invalid', /'\[0\].Config' is missing/],
    'a layer that is no path': [[{ Config: 'x', Layers: [1] }], 'invalid', /'\[0\].Layers\[0\]' is not a string/],
    'too many': [Array.from({ length: 10_001 }, () => ({ Config: 'x' })), 'limit', /10000/],
  };
  for (const [what, [document, code, why]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(() => parse(document)).toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(why) as unknown }),
      );
    });
  }

  it('refuses what is not JSON', () => {
    expect(() => parseDockerManifest(Buffer.from('[{'))).toThrow(/not JSON/);
    expect(() => parseDockerManifest(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/not JSON/);
  });
});

describe('checkLayout', () => {
  it('takes version 1 and no other', () => {
    checkLayout(encodeLayout());
    expect(() => checkLayout(Buffer.from('{"imageLayoutVersion":"2.0.0"}'))).toThrow(/version 2.0.0, not 1/);
    expect(() => checkLayout(Buffer.from('{}'))).toThrow(/'imageLayoutVersion' is missing/);
  });
});
