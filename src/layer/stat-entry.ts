// What stat says of a file, as a tar entry says it.

import type { Stat } from '../sys/index.js';
import { FILE_TYPES } from './file-facts.js';
import type { TarEntry, TarType } from './tar-entry.js';

/** Undefined for a socket: tar has no type for one. */
export function tarTypeOf(stat: Stat): TarType | undefined {
  const type = FILE_TYPES[stat.type];
  return type === 'socket' ? undefined : type;
}

/** An entry that has what stat does not say from the caller; `type` may be that of a further link. */
export function statEntry(stat: Stat, known: Pick<TarEntry, 'path' | 'type' | 'linkTarget' | 'xattrs'>): TarEntry {
  const { type } = known;
  const isDevice = type === 'char' || type === 'block';
  return {
    ...known,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: type === 'file' ? stat.size : 0,
    mtime: { sec: stat.mtimeSec, nsec: stat.mtimeNsec },
    devMajor: isDevice ? stat.rdevMajor : 0,
    devMinor: isDevice ? stat.rdevMinor : 0,
  };
}
