import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../../src/registry/challenge.js';

describe('parseChallenges', () => {
  test.each([
    [
      'a token server',
      'Bearer realm="https://auth.example/token",service="reg",scope="repository:a:pull,push"',
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://auth.example/token', service: 'reg', scope: 'repository:a:pull,push' },
        },
      ],
    ],
    ['Basic', 'Basic realm="x"', [{ scheme: 'basic', parameters: { realm: 'x' } }]],
    [
      'two in a line',
      'Bearer realm="a", service=b, Basic realm="c"',
      [
        { scheme: 'bearer', parameters: { realm: 'a', service: 'b' } },
        { scheme: 'basic', parameters: { realm: 'c' } },
      ],
    ],
    ['upper case', 'BEARER Realm="a"', [{ scheme: 'bearer', parameters: { realm: 'a' } }]],
    ['escapes', String.raw`Basic realm="a \"b\", c"`, [{ scheme: 'basic', parameters: { realm: 'a "b", c' } }]],
    [
      'spaces around signs',
      'Bearer realm = "a" , service = b',
      [{ scheme: 'bearer', parameters: { realm: 'a', service: 'b' } }],
    ],
    [
      'no parameters',
      'Negotiate, Basic realm=x',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'x' } },
      ],
    ],
    [
      'a token of its own',
      'NTLM TlRMTVNTUAAB==, Basic realm=x',
      [
        { scheme: 'ntlm', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'x' } },
      ],
    ],
    [
      'names of objects',
      'Bearer __proto__="a",constructor=b',
      [{ scheme: 'bearer', parameters: { ['__proto__']: 'a', constructor: 'b' } }],
    ],
    ['what is cut off', 'Bearer realm="a', [{ scheme: 'bearer', parameters: {} }]],
    ['nothing', ' , ,', []],
    ['nonsense', '"a" = b', []],
  ])('reads %s', (_what, header, challenges) => {
    expect(JSON.parse(JSON.stringify(parseChallenges(header)))).toEqual(JSON.parse(JSON.stringify(challenges)));
  });

  test('reads several headers, and none', () => {
    expect(parseChallenges(['Basic realm=a', 'Bearer realm=b']).map(({ scheme }) => scheme)).toEqual([
      'basic',
      'bearer',
    ]);
    expect(parseChallenges(undefined)).toEqual([]);
  });

  test('passes over what is longer than any registry sends', () => {
    expect(parseChallenges(`Bearer realm="${'a'.repeat(20_000)}"`)).toEqual([]);
    expect(parseChallenges(`Bearer ${'a="'.repeat(5000)}`).map(({ scheme }) => scheme)[0]).toBe('bearer');
  });
});
