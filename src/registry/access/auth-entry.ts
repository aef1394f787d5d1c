// One entry of `auths` in Docker's config.json and in containers-auth.json(5).

import { VeneerError } from '../../core/index.js';
import { Secret } from './secret.js';
import type { Credential } from './types.js';

type Fields = Readonly<Record<string, unknown>>;

function textOf(entry: Fields, field: string, where: string): string {
  const value = entry[field];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new VeneerError('invalid', `malformed ${where}: '${field}' is not a string`);
  return value;
}

/** `auth` is base64 of USER:PASSWORD; Docker pads short ones with NUL. */
function decodeAuth(auth: string, where: string): { username: string; password: string } {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) throw new VeneerError('invalid', `malformed ${where}: 'auth' is not base64 of USER:PASSWORD`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/^\0+|\0+$/g, '') };
}

/**
 * The credential of an entry; undefined for an empty one, which stands beside what a helper keeps. `where` names the entry in errors,
 * which never hold any of its values.
 */
export function readAuthEntry(value: unknown, where: string): Credential | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new VeneerError('invalid', `malformed ${where}: it is not an object`);
  const entry = value as Fields;
  const auth = textOf(entry, 'auth', where);
  const token = textOf(entry, 'identitytoken', where);
  const plain = { username: textOf(entry, 'username', where), password: textOf(entry, 'password', where) };
  const { username, password } = auth === '' ? plain : decodeAuth(auth, where);
  if (token !== '')
    return { kind: 'identity-token', token: new Secret(token), ...(username === '' ? {} : { username }) };
  if (username === '' && password === '') return undefined;
  return { kind: 'basic', username, password: new Secret(password) };
}

/** The entry that keeps a credential. */
export function writeAuthEntry(credential: Credential): Record<string, string> {
  const { username = '' } = credential;
  const password = credential.kind === 'basic' ? credential.password.reveal() : '';
  const auth = username === '' ? {} : { auth: Buffer.from(`${username}:${password}`).toString('base64') };
  return credential.kind === 'basic' ? auth : { ...auth, identitytoken: credential.token.reveal() };
}
