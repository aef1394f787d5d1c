// One member of a tar archive, as data.

import { displayBytes, VeneerError } from '../core/index.js';
import type { ByteString, ErrorKind } from '../core/index.js';
import type { Timestamp } from '../sys/index.js';

export type TarType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

export interface TarEntry {
  /** As written in the archive: not yet checked, see `entryComponents`. */
  readonly path: ByteString;
  readonly type: TarType;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 for all but files. */
  readonly size: number;
  /** `nsec` is never negative: half a second before the epoch is -1 s and 500,000,000 ns. */
  readonly mtime: Timestamp;
  readonly atime?: Timestamp;
  /** Of a symlink: its text. Of a hard link: the path of an earlier entry. */
  readonly linkTarget: ByteString;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
}

/** The path of an entry, for messages. */
export function displayEntry(path: ByteString): string {
  return path.length > 300 ? `'${displayBytes(path.slice(0, 300))}...'` : `'${displayBytes(path)}'`;
}

/** An error about one entry; its name comes first in the message. */
export function entryError(code: ErrorKind, path: ByteString, why: string, cause?: unknown): VeneerError {
  return new VeneerError(code, `tar entry ${displayEntry(path)}: ${why}`, { cause });
}
