// Attributes in the numbers of `fuse-native`: milliseconds, and 32 bits for most others.

import type { Attr } from '../fuse/index.js';
import type { FileSystemStatus } from '../sys/index.js';
import type { NativeStat, NativeStatus } from './library.js';

/** Times before 1970 have no form there. */
function milliseconds(sec: number, nsec: number): number {
  return Math.max(0, sec * 1000 + Math.floor(nsec / 1e6));
}

/** As struct stat; `ino` is the number to be shown, and a link count of 0 shows as 1. */
export function nativeStat(attr: Attr, ino: number): NativeStat {
  return {
    mode: attr.mode,
    ino,
    nlink: attr.nlink,
    uid: attr.uid,
    gid: attr.gid,
    size: attr.size,
    rdev: attr.rdev,
    blksize: attr.blksize,
    blocks: attr.blocks,
    atime: milliseconds(attr.atimeSec, attr.atimeNsec),
    mtime: milliseconds(attr.mtimeSec, attr.mtimeNsec),
    ctime: milliseconds(attr.ctimeSec, attr.ctimeNsec),
  };
}

const LIMIT = 2 ** 32;

/** Counts beyond 32 bits: blocks are counted in larger units, inodes as the highest number there is. */
export function nativeStatus(status: FileSystemStatus): NativeStatus {
  let unit = 1;
  while (status.blocks / unit >= LIMIT) unit *= 2;
  const inodes = (count: number): number => Math.min(count, LIMIT - 1);
  return {
    bsize: status.bsize,
    frsize: status.frsize * unit,
    blocks: Math.floor(status.blocks / unit),
    bfree: Math.floor(status.bfree / unit),
    bavail: Math.floor(status.bavail / unit),
    files: inodes(status.files),
    ffree: inodes(status.ffree),
    favail: inodes(status.ffree),
    namemax: status.namelen,
  };
}

/**
 * Inode numbers in 32 bits, different for different files: those that fit are themselves, others are counted down from the
 * highest, in the order in which they are first seen.
 */
export class ShortInos {
  readonly #known = new Map<string, number>();

  of(attr: { readonly inoLow: number; readonly inoHigh: number }): number {
    if (attr.inoHigh === 0) return attr.inoLow;
    const key = `${String(attr.inoHigh)}:${String(attr.inoLow)}`;
    let short = this.#known.get(key);
    if (short === undefined) {
      short = LIMIT - 1 - this.#known.size;
      this.#known.set(key, short);
    }
    return short;
  }
}
