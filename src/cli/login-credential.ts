// Who logs in: from the options, from standard input, and from what is typed.

import { VeneerError } from '../core/index.js';
import type { Credential } from '../registry/index.js';

export interface LoginWords {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: true;
}

function wrong(message: string, hint?: string): VeneerError {
  return new VeneerError('usage', `login: ${message}`, hint === undefined ? {} : { hint });
}

function checkUsername(username: string): void {
  if (username === '') throw wrong('the user name is empty');
  // RFC 7617: the password begins after the first colon.
  if (username.includes(':'))
    throw wrong('a user name has no colon', 'the password is asked for, or read with --password-stdin');
}

/** Throws `usage` for options that contradict each other. */
export function checkLoginWords({ username, password, passwordStdin }: LoginWords): void {
  if (password !== undefined && passwordStdin === true)
    throw wrong('--password and --password-stdin contradict each other');
  if (passwordStdin === true && username === undefined) throw wrong('--password-stdin needs --username');
  if (username !== undefined) checkUsername(username);
  if (password === '') throw wrong('the password is empty');
}

/** What the options leave out is asked for, the password unseen. `known` is the user when nothing is typed. */
async function complete(words: LoginWords, known: string | undefined): Promise<{ username: string; password: string }> {
  const { ask } = await import('./prompt.js');
  const whom =
    words.username === undefined
      ? [{ text: known === undefined ? 'Username: ' : `Username (${known}): `, isHidden: false }]
      : [];
  const secret = words.password === undefined ? [{ text: 'Password: ', isHidden: true }] : [];
  const answers = await ask([...whom, ...secret]);
  const typed = whom.length === 0 ? undefined : answers[0]?.trim();
  const username = words.username ?? (typed === '' ? known : typed) ?? '';
  const password = words.password ?? answers[whom.length] ?? '';
  checkUsername(username);
  if (password === '') throw wrong('the password is empty');
  return { username, password };
}

/** Throws `usage` where there is no terminal to ask on. */
export async function loginCredential(words: LoginWords, known?: string): Promise<Credential> {
  const { Secret } = await import('../registry/access/index.js');
  if (words.username !== undefined && words.passwordStdin === true) {
    const { readPassword } = await import('./standard-input.js');
    return { kind: 'basic', username: words.username, password: new Secret(await readPassword()) };
  }
  const isComplete = words.username !== undefined && words.password !== undefined;
  const { username, password } = isComplete
    ? { username: words.username, password: words.password }
    : await complete(words, known);
  return { kind: 'basic', username, password: new Secret(password) };
}
