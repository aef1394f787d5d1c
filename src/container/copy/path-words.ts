// What the text of a path says beside naming something: `cp` follows docker, which follows rsync and BSD's cp.

import type { ByteString } from '../../core/index.js';

export interface PathWords {
  /** A slash, `.` or `..` ends it: it has to be a directory, and a link is followed. */
  readonly isDirectory: boolean;
  /** `DIR/.`: what is in the directory, rather than the directory. */
  readonly isContents: boolean;
  /** Its last name; empty for the root, and where dots stand in its place. */
  readonly name: ByteString;
  /** The path of what it lies in. */
  readonly parent: ByteString;
}

/** An empty path is the directory it is relative to. */
export function readPath(path: ByteString): PathWords {
  const trimmed = path.replace(/\/+$/, '');
  const last = trimmed.slice(trimmed.lastIndexOf('/') + 1);
  const hasDots = last === '.' || last === '..';
  const name = hasDots ? '' : last;
  const parent = trimmed.slice(0, trimmed.length - last.length);
  return {
    isDirectory: name === '' || path.endsWith('/'),
    isContents: last === '.' || name === '',
    name,
    parent: parent === '' ? '.' : parent,
  };
}

/** The path that a link leads to, seen from where its own path starts. */
export function linkedPath(parent: ByteString, target: ByteString): ByteString {
  return target.startsWith('/') ? target : `${parent}/${target}`;
}
