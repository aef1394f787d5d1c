import { describe, expect, it } from 'vitest';
import { encodeImageConfig, parseImageConfig } from '../../../src/image/index.js';
import type { ImageConfig } from '../../../src/image/index.js';

const diffId = `sha256:${'5'.repeat(64)}`;
const minimal = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };

const parse = (document: unknown): ImageConfig => parseImageConfig(Buffer.from(JSON.stringify(document)));

describe('parseImageConfig', () => {
  it('keeps fields it does not know, at every level', () => {
    const document = {
      ...minimal,
      'os.version': '1',
      config: { Env: ['A=1'], ArgsEscaped: true, Healthcheck: { Test: ['NONE'], New: 1 } },
      history: [{ created_by: 'x', empty_layer: true, future: {} }],
      moby: { buildkit: [1, 2] },
    };
    expect(parse(document)).toEqual(document);
    expect(JSON.parse(encodeImageConfig(parse(document)).toString())).toEqual(document);
  });

  it('takes null, which Go writes for empty lists, as absent', () => {
    const { config, history } = parse({ ...minimal, history: null, config: { Env: null, Cmd: ['a'] } });
    expect(config).toEqual({ Cmd: ['a'] });
    expect(history).toBeUndefined();
  });

  const bad: Record<string, [unknown, RegExp]> = {
    'a list as document': [[], /image config: it is not an object/],
    'a missing architecture': [{ ...minimal, architecture: undefined }, /'architecture' is missing/],
    'a missing os': [{ ...minimal, os: undefined }, /'os' is missing/],
    'a missing rootfs': [{ ...minimal, rootfs: undefined }, /'rootfs' is missing/],
    'another type of rootfs': [{ ...minimal, rootfs: { type: 'x' } }, /'rootfs.type' is not 'layers'/],
    'a bad DiffID': [{ ...minimal, rootfs: { type: 'layers', diff_ids: ['x'] } }, /'rootfs.diff_ids\[0\]' is not/],
    'a number in Env': [{ ...minimal, config: { Env: ['a', 1] } }, /'config.Env\[1\]' is not a string/],
    'a string as Cmd': [{ ...minimal, config: { Cmd: 'ls' } }, /'config.Cmd' is not a list/],
    'history that is no list': [{ ...minimal, history: {} }, /'history' is not a list/],
  };
  for (const [what, [document, why]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(() => parse(document)).toThrow(
        expect.objectContaining({ code: 'invalid', message: expect.stringMatching(why) as unknown }),
      );
    });
  }

  it('refuses what is not JSON, or not UTF-8', () => {
    expect(() => parseImageConfig(Buffer.from('{'))).toThrow(/not JSON/);
    expect(() => parseImageConfig(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/not JSON/);
  });
});

describe('encodeImageConfig', () => {
  it('gives equal bytes for equal configurations in any field order', () => {
    const one = parse({ ...minimal, config: { Cmd: ['a'], Env: ['b'] }, author: 'me' });
    const other = {
      rootfs: one.rootfs,
      config: { Env: ['b'], Cmd: ['a'] },
      os: 'linux',
      author: 'me',
      architecture: 'amd64',
    };
    expect(encodeImageConfig(other).toString()).toBe(encodeImageConfig(one).toString());
  });

  it('leaves a __proto__ label a label', () => {
    const config = parseImageConfig(
      Buffer.from(
        JSON.stringify({ ...minimal, config: { Labels: {} } }).replace('"Labels":{}', '"Labels":{"__proto__":"x"}'),
      ),
    );
    expect(encodeImageConfig(config).toString()).toContain('"__proto__":"x"');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
