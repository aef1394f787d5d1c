// What there is to say of one side of a change, without its content.

import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from '../sys/index.js';
import type { Timestamp } from '../sys/index.js';
import type { Seen } from './compare.js';

export type FileType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

export interface FileFacts {
  readonly type: FileType;
  /** Bytes of content; 0 for all but files. */
  readonly size: number;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
}

/** By the bits of a mode. */
export const FILE_TYPES: Readonly<Record<number, FileType>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'directory',
  [S_IFLNK]: 'symlink',
  [S_IFCHR]: 'char',
  [S_IFBLK]: 'block',
  [S_IFIFO]: 'fifo',
  [S_IFSOCK]: 'socket',
};

/** The facts as statx tells them; they stay as they are when `stat` is filled again. */
export function factsOf({ stat }: Pick<Seen, 'stat'>): FileFacts {
  return {
    type: FILE_TYPES[stat.type] ?? 'file',
    size: stat.isRegular ? stat.size : 0,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtime: { sec: stat.mtimeSec, nsec: stat.mtimeNsec },
  };
}
