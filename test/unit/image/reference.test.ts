import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  familiarName,
  familiarReference,
  formatReference,
  isNameOnly,
  parseReference,
} from '../../../src/image/index.js';

const hex = 'a1'.repeat(32);
const digest = `sha256:${hex}`;

const good: Record<string, { canonical: string; familiar: string }> = {
  ubuntu: { canonical: 'docker.io/library/ubuntu:latest', familiar: 'ubuntu:latest' },
  'ubuntu:22.04': { canonical: 'docker.io/library/ubuntu:22.04', familiar: 'ubuntu:22.04' },
  'index.docker.io/ubuntu': { canonical: 'docker.io/library/ubuntu:latest', familiar: 'ubuntu:latest' },
  'docker.io/library/ubuntu': { canonical: 'docker.io/library/ubuntu:latest', familiar: 'ubuntu:latest' },
  'foo/bar': { canonical: 'docker.io/foo/bar:latest', familiar: 'foo/bar:latest' },
  'library/foo/bar': { canonical: 'docker.io/library/foo/bar:latest', familiar: 'library/foo/bar:latest' },
  'docker.io/foo.bar/x': { canonical: 'docker.io/foo.bar/x:latest', familiar: 'docker.io/foo.bar/x:latest' },
  'localhost/x': { canonical: 'localhost/x:latest', familiar: 'localhost/x:latest' },
  'localhost:5000/x': { canonical: 'localhost:5000/x:latest', familiar: 'localhost:5000/x:latest' },
  '[::1]:5000/x:y': { canonical: '[::1]:5000/x:y', familiar: '[::1]:5000/x:y' },
  'Quay.io/a/b': { canonical: 'Quay.io/a/b:latest', familiar: 'Quay.io/a/b:latest' },
  [`ubuntu@${digest}`]: { canonical: `docker.io/library/ubuntu@${digest}`, familiar: `ubuntu@${digest}` },
  [`ubuntu:1@${digest}`]: { canonical: `docker.io/library/ubuntu:1@${digest}`, familiar: `ubuntu:1@${digest}` },
  'a__b/c--d.e:V1._-': { canonical: 'docker.io/a__b/c--d.e:V1._-', familiar: 'a__b/c--d.e:V1._-' },
};

describe('parseReference', () => {
  for (const [text, { canonical, familiar }] of Object.entries(good)) {
    it(`accepts ${text}`, () => {
      const reference = parseReference(text);
      expect(formatReference(reference)).toBe(canonical);
      expect(familiarReference(reference)).toBe(familiar);
    });
  }

  it('has no tag where only a digest is given', () => {
    expect(parseReference(`a@${digest}`)).toEqual({ registry: 'docker.io', repository: 'library/a', digest });
  });

  const bad: Record<string, [string, RegExp]> = {
    'an empty text': ['', /repository is missing/],
    'an upper-case repository': ['Ubuntu', /lower case/],
    'an upper-case repository on a registry': ['quay.io/Foo', /lower case/],
    'a full image ID': [hex, /full image ID/],
    'an empty tag': ['ubuntu:', /a tag has/],
    'a tag with a leading dash': ['ubuntu:-a', /a tag has/],
    'a tag of 129 characters': [`ubuntu:${'a'.repeat(129)}`, /a tag has/],
    'a short digest': ['ubuntu@sha256:abc', /not a sha256 digest/],
    'another digest algorithm': [`ubuntu@sha512:${hex}${hex}`, /not a sha256 digest/],
    'three underscores': ['a___b', /single separators/],
    'a leading separator': ['-a', /single separators/],
    'a double slash': ['a//b', /single separators/],
    'a trailing slash': ['quay.io/', /repository is missing/],
    'a space': ['a b', /single separators/],
    'a bad registry': ['-x.io/a', /not a registry host/],
    'a scheme': ['https://quay.io/a', /is not an image name: it is a URL/],
    'a name of 256 characters': ['a'.repeat(256 - 'docker.io/library/'.length), /longer than 255/],
  };
  for (const [what, [text, why]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(() => parseReference(text)).toThrow(
        expect.objectContaining({ code: 'invalid', message: expect.stringMatching(why) as unknown }),
      );
    });
  }

  it('accepts a name of 255 characters', () => {
    expect(() => parseReference('a'.repeat(255 - 'docker.io/library/'.length))).not.toThrow();
  });

  it('reads every familiar form back', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,4}(?:[._-][a-z0-9]{1,3})?$/);
    const registry = fc.constantFrom('docker.io', 'localhost', 'quay.io:443', 'Host');
    fc.assert(
      fc.property(registry, fc.array(component, { minLength: 1, maxLength: 3 }), (host, parts) => {
        const reference = parseReference(`${host}/${parts.join('/')}:t`);
        expect(parseReference(familiarReference(reference))).toEqual(reference);
        expect(parseReference(formatReference(reference))).toEqual(reference);
        expect(parseReference(`${familiarName(reference)}:t`)).toEqual(reference);
      }),
    );
  });
});

test.each([
  ['debian', true],
  ['localhost:5000/a/b', true],
  ['[::1]:5000/a', true],
  ['debian:12', false],
  ['localhost:5000/a:1', false],
  ['localhost:5000/a@sha256:0', false],
])('isNameOnly(%j)', (text, expected) => {
  expect(isNameOnly(text)).toBe(expected);
});
