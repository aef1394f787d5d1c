import { describe, expect, test } from 'vitest';
import {
  Digester,
  digestHex,
  digestOf,
  isDigest,
  parseDigest,
  shortDigest,
  VeneerError,
} from '../../../src/core/index.js';

// FIPS 180-2, appendix B.1.
const ABC = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('digests are those of the standard', () => {
  expect(digestOf('abc')).toBe(ABC);
  expect(digestOf(Buffer.from('abc'))).toBe(ABC);
  expect(digestHex(parseDigest(ABC))).toBe(ABC.slice(7));
  expect(shortDigest(parseDigest(ABC))).toBe('ba7816bf8f01');
});

test('a digester gives the digest and the size of all chunks', () => {
  const digester = new Digester();
  for (const chunk of ['a', '', 'bc']) digester.update(Buffer.from(chunk));
  expect(digester.size).toBe(3);
  expect(digester.digest()).toBe(ABC);
});

describe('parseDigest refuses', () => {
  test.each([
    ['nothing', ''],
    ['bare hex', ABC.slice(7)],
    ['upper case', ABC.toUpperCase()],
    ['another algorithm', ABC.replace('sha256', 'sha512')],
    ['a digit too few', ABC.slice(0, -1)],
    ['a digit too many', `${ABC}0`],
    ['a newline at the end', `${ABC}\n`],
    ['a path', 'sha256:../../etc/passwd'],
  ])('%s', (_what, text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(VeneerError);
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
