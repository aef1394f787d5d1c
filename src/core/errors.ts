// The two error types of the project. Expected failures are VeneerErrors of one of the kinds
// below; a failed system call is a SysError, shaped like Node's own. Anything else is a bug.

import { errnoMessage, errnoName } from './errno.js';

/**
 * The closed list of kinds. A caller decides by kind; the message is for people.
 *
 * - `usage`: the command line itself is wrong (exit code 2)
 * - `invalid`: an argument, file or document is malformed
 * - `not-found`, `already-exists`: the named object
 * - `in-use`: the object is busy: mounted, locked, referred to by another
 * - `permission`: the caller may not do this
 * - `integrity`: content does not match its digest, size or structure
 * - `limit`: a bound that protects against hostile input was passed
 * - `unavailable`: something outside (a tool, a device, a registry) cannot be had now
 * - `unsupported`: well-formed, but of a kind this program does not handle
 */
export type ErrorKind =
  | 'usage'
  | 'invalid'
  | 'not-found'
  | 'already-exists'
  | 'in-use'
  | 'permission'
  | 'integrity'
  | 'limit'
  | 'unavailable'
  | 'unsupported';

export interface ErrorDetail {
  /** What the user can do about it: one sentence, without a full stop. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure that a user can meet: what failed, on what, why; `hint` says what to do. */
export class VeneerError extends Error {
  override readonly name = 'VeneerError';
  readonly code: ErrorKind;
  readonly hint: string | undefined;

  constructor(code: ErrorKind, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.hint = detail.hint;
  }
}

/** A failed system call. `code` is the symbolic errno, so that `err.code === 'ENOENT'` works as with node:fs. */
export class SysError extends Error {
  override readonly name = 'SysError';
  /** The positive errno. */
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;
  readonly path: string | undefined;

  constructor(errno: number, syscall: string, path?: string) {
    const object = path === undefined ? '' : ` '${path}'`;
    super(`${syscall}${object}: ${errnoMessage(errno)} (${errnoName(errno)})`);
    this.errno = errno;
    this.code = errnoName(errno);
    this.syscall = syscall;
    this.path = path;
  }
}

/** True for an error of ours, or of Node's, whose `code` is the given one. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How Node, system calls and SQLite say that a file system is full, or the user's share of it used up. */
const FULL = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'];

/** True for an error that comes from a full file system. */
export function isFull(error: unknown): boolean {
  if (FULL.some((code) => hasCode(error, code))) return true;
  return error instanceof Error && error.cause !== undefined && isFull(error.cause);
}

/** The same error, or, for one that comes from a full file system, one that says which: that of `place`. */
export function namingFullDisk(error: unknown, place: string): unknown {
  if (!isFull(error) || (error instanceof VeneerError && error.message.includes(NO_SPACE))) return error;
  const what = error instanceof VeneerError ? `${error.message.replace(SAID, '')}: ` : '';
  return new VeneerError('unavailable', `${what}${NO_SPACE} '${place}'`, { cause: error, hint: 'make room there' });
}

const NO_SPACE = 'no space is left on the file system of';

/** What a SysError says at the end of a message. */
const SAID = /: \w+: [^:']*\((?:ENOSPC|EDQUOT)\)$/;
