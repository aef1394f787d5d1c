import { describe, expect, test } from 'vitest';
import { readAuthEntry, writeAuthEntry } from '../../../../src/registry/access/auth-entry.js';
import { Secret } from '../../../../src/registry/index.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** With its secrets as text. */
function shown(entry: unknown): unknown {
  const credential = readAuthEntry(entry, 'entry');
  if (credential === undefined) return undefined;
  return credential.kind === 'basic'
    ? { ...credential, password: credential.password.reveal() }
    : { ...credential, token: credential.token.reveal() };
}

describe('an entry', () => {
  test.each([
    ['auth', { auth: base64('amy:pass:word') }, { kind: 'basic', username: 'amy', password: 'pass:word' }],
    ['padded with NUL', { auth: base64('amy:pw\0\0') }, { kind: 'basic', username: 'amy', password: 'pw' }],
    ['of no ASCII', { auth: base64('ämy:pä') }, { kind: 'basic', username: 'ämy', password: 'pä' }],
    ['in plain fields', { username: 'amy', password: 'pw' }, { kind: 'basic', username: 'amy', password: 'pw' }],
    [
      'identity token',
      { auth: base64('amy:'), identitytoken: 't' },
      { kind: 'identity-token', token: 't', username: 'amy' },
    ],
    ['identity token without a user', { identitytoken: 't' }, { kind: 'identity-token', token: 't' }],
    ['empty', {}, undefined],
    ['empty, with null', { auth: null, email: 'a@b' }, undefined],
  ])('%s', (_what, entry, expected) => {
    expect(shown(entry)).toEqual(expected);
  });

  test.each([
    ['a string', 'c2VjcmV0', 'malformed entry: it is not an object'],
    ['null', null, 'malformed entry: it is not an object'],
    ['auth of another type', { auth: 7 }, "malformed entry: 'auth' is not a string"],
    ['auth without a colon', { auth: base64('secret') }, "malformed entry: 'auth' is not base64 of USER:PASSWORD"],
    ['auth without a user', { auth: base64(':secret') }, "malformed entry: 'auth' is not base64 of USER:PASSWORD"],
  ])('%s is refused, and not repeated', (_what, entry, message) => {
    expect(() => readAuthEntry(entry, 'entry')).toThrow(expect.objectContaining({ code: 'invalid', message }) as Error);
  });

  test('is read back as it was written', () => {
    const credentials = [
      { kind: 'basic', username: 'amy', password: new Secret('p:w') },
      { kind: 'identity-token', token: new Secret('t'), username: 'amy' },
      { kind: 'identity-token', token: new Secret('t') },
    ] as const;
    expect(writeAuthEntry(credentials[0])).toEqual({ auth: base64('amy:p:w') });
    expect(credentials.map((credential) => shown(writeAuthEntry(credential)))).toEqual([
      { kind: 'basic', username: 'amy', password: 'p:w' },
      { kind: 'identity-token', token: 't', username: 'amy' },
      { kind: 'identity-token', token: 't' },
    ]);
  });
});
