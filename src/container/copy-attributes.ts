// Extended attributes of a writable layer, copied: the users' all, the overlay's as far as they say what a layer contains.

import { SysError, errno } from '../core/index.js';
import { Stat, fchmod, fchown, fstatx, futimens, getxattr, listxattr, must, setxattr } from '../sys/index.js';
import type { Timestamp, XattrTarget } from '../sys/index.js';

/** A user's own attribute in the overlay's namespace is kept with a second `overlay.` (fs/overlayfs/xattrs.c). */
const INTERNAL = /^(?:trusted|user)\.overlay\.(?!overlay\.)/;

/** Those that are content: without them files would appear, vanish or lose their data. */
const CONTENT = /^(?:trusted|user)\.overlay\.(?:opaque|redirect|metacopy|whiteout)$/;

export interface XattrChoice {
  /**
   * Whether the copy is to be the same layer: with the attributes by which the overlay describes it, and none left out.
   * Otherwise attributes that our rights or the file system do not allow are passed over, as at copy-up.
   */
  readonly layerMarks: boolean;
}

/** Copies extended attributes. Throws a SysError. */
export function copyXattrs(from: XattrTarget, to: XattrTarget, { layerMarks }: XattrChoice): void {
  const names = listxattr(from);
  if (typeof names === 'number') throw new SysError(-names, 'listxattr');
  for (const name of names) {
    if (INTERNAL.test(name) && !(layerMarks && CONTENT.test(name))) continue;
    const value = getxattr(from, name);
    // Removed since it was listed.
    if (value === -errno.ENODATA) continue;
    if (typeof value === 'number') throw new SysError(-value, 'getxattr', name);
    const status = setxattr(to, name, value);
    if (!layerMarks && (status === -errno.EPERM || status === -errno.EOPNOTSUPP)) continue;
    must(status, 'setxattr', name);
  }
}

export interface Times {
  readonly atime: Timestamp;
  readonly mtime: Timestamp;
}

export function timesOf(stat: Stat): Times {
  return {
    atime: { sec: stat.atimeSec, nsec: stat.atimeNsec },
    mtime: { sec: stat.mtimeSec, nsec: stat.mtimeNsec },
  };
}

/** Makes an open directory look like another one: owner, mode, the users' attributes, times. Throws a SysError. */
export function copyDirectoryAttributes(from: number, to: number): void {
  const stat = new Stat();
  must(fstatx(from, stat), 'statx');
  must(fchown(to, stat), 'fchown');
  must(fchmod(to, stat.mode & 0o7777), 'fchmod');
  copyXattrs(from, to, { layerMarks: false });
  must(futimens(to, timesOf(stat)), 'futimens');
}
