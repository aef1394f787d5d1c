import { describe, expect, test } from 'vitest';
import { parseRegistriesConf } from '../../../../src/registry/access/registries-conf.js';

const parse = (text: string): ReturnType<typeof parseRegistriesConf> => parseRegistriesConf(text, 'r.conf');

describe('registries.conf', () => {
  test('version 2, with all that is known of it', () => {
    const registries = parse(`
      unqualified-search-registries = ["example.com"]
      credential-helpers = ["containers-auth.json", "pass"]
      [[registry]]
      prefix = "example.com/foo/"
      location = "internal.example:5000/bar"
      insecure = false
      [[registry.mirror]]
      location = "m0.local/foo"
      [[registry.mirror]]
      location = "[::1]:5000"
      insecure = true
      pull-from-mirror = "tag-only"
      [[registry]]
      location = "registry.com"
      blocked = true
      mirror-by-digest-only = true
      [[registry.mirror]]
      location = "m1.local"
      [[registry]]
      prefix = "*.wild.example"
      [aliases]
      "alpine" = "docker.io/library/alpine"`);
    expect(registries).toEqual([
      {
        prefix: 'example.com/foo',
        location: 'internal.example:5000/bar',
        insecure: false,
        blocked: false,
        mirrors: [
          { location: 'm0.local/foo', insecure: undefined, pullFrom: 'all' },
          { location: '[::1]:5000', insecure: true, pullFrom: 'tag-only' },
        ],
        file: 'r.conf',
      },
      {
        prefix: 'registry.com',
        location: 'registry.com',
        insecure: undefined,
        blocked: true,
        mirrors: [{ location: 'm1.local', insecure: undefined, pullFrom: 'digest-only' }],
        file: 'r.conf',
      },
      {
        prefix: '*.wild.example',
        location: undefined,
        insecure: undefined,
        blocked: false,
        mirrors: [],
        file: 'r.conf',
      },
    ]);
  });

  test('an empty one says nothing', () => {
    expect(parse('# all comments')).toEqual([]);
  });

  test.each([
    ['not TOML', '[[registry]\n', "malformed 'r.conf', line 1: "],
    ['a scheme', '[[registry]]\nlocation="https://a"', "malformed [[registry]] in 'r.conf': 'location' has a scheme"],
    [
      'user info',
      '[[registry]]\nlocation="u:secret@a"',
      "malformed [[registry]] in 'r.conf': 'location' is not HOST[:PORT][/PATH]",
    ],
    ['a wildcard inside', '[[registry]]\nprefix="a.*.b"\nlocation="a"', "'prefix' is not HOST[:PORT][/PATH] or *.HOST"],
    ['a path below a wildcard', '[[registry]]\nprefix="*.b/c"', "'prefix' is not HOST[:PORT][/PATH] or *.HOST"],
    ['a table of nothing', '[[registry]]\ninsecure=true', "it has neither 'prefix' nor 'location'"],
    ['no location', '[[registry]]\nprefix="a"', "'location' is missing"],
    [
      'a mirror without location',
      '[[registry]]\nlocation="a"\n[[registry.mirror]]',
      "mirror in [[registry]] 'a' in 'r.conf': 'location' is missing",
    ],
    ['a flag that is text', '[[registry]]\nlocation="a"\ninsecure="yes"', "'insecure' is neither true nor false"],
    ['a table that is text', 'registry = "a"', "malformed 'r.conf': 'registry' is not a list"],
    ['a list of text', 'registry = ["a"]', 'it is not a table'],
    [
      'another kind of pull',
      '[[registry]]\nlocation="a"\n[[registry.mirror]]\nlocation="b"\npull-from-mirror="x"',
      "'pull-from-mirror' is none of all, digest-only, tag-only",
    ],
    [
      'two kinds of pull',
      '[[registry]]\nlocation="a"\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation="b"\npull-from-mirror="all"',
      "'pull-from-mirror' contradicts 'mirror-by-digest-only'",
    ],
    [
      'two tables that disagree',
      '[[registry]]\nlocation="a"\nblocked=true\n[[registry]]\nlocation="a"',
      "two [[registry]] tables contradict each other on 'a'",
    ],
  ])('%s is refused', (_what, text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(message) as unknown }) as Error,
    );
    expect(() => parse(text)).not.toThrow(/secret|\n/);
  });

  test('version 1 is named', () => {
    expect(() => parse("[registries.search]\nregistries = ['a']")).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        hint: expect.stringContaining('[[registry]]') as unknown,
      }) as Error,
    );
  });
});
