// "Gone", "opaque" and the other marks of overlayfs on disk (Documentation/filesystems/overlayfs.rst,
// fs/overlayfs/overlayfs.h): character devices 0/0 and extended attributes `trusted.overlay.*`, or
// `user.overlay.*` where the trusted namespace is closed to us.

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import { close, entryPath, getxattr, listxattr, mknodat, openat, removexattr, setxattr, statx } from '../sys/index.js';
import { FS_APPEND_FL, FS_IMMUTABLE_FL, unlinkat } from '../sys/index.js';
import { O_CREAT, O_EXCL, O_WRONLY, S_IFCHR } from '../sys/index.js';
import type { Stat, XattrTarget } from '../sys/index.js';

export type XattrNamespace = 'trusted.overlay.' | 'user.overlay.';

export const TRUSTED: XattrNamespace = 'trusted.overlay.';
export const USER: XattrNamespace = 'user.overlay.';

/** Written by fuse-overlayfs 1.x. */
const FUSE_OVERLAYFS_OPAQUE = 'user.fuseoverlayfs.opaque';
const FUSE_OVERLAYFS_PREFIX = 'user.fuseoverlayfs.';

const YES = Buffer.from('y');
const XATTR_WHITEOUTS_INSIDE = Buffer.from('x');

/** The overlay marks of one file. */
export interface Marks {
  /** `y`: nothing below is merged. `x`: the directory holds xattr whiteouts. */
  readonly opaque: 'y' | 'x' | undefined;
  /** Where the directory, or the data, is found in the layers below: a name, or a path from the overlay's root. */
  readonly redirect: ByteString | undefined;
  readonly metacopy: boolean;
  readonly whiteout: boolean;
  /** The kernel's file handle of the lower file this one was copied up from. */
  readonly origin: boolean;
  /** FS_IMMUTABLE_FL and FS_APPEND_FL, which users have set and the real inode does not have (`protattr`). */
  readonly protection: number;
}

const NO_MARKS: Marks = {
  opaque: undefined,
  redirect: undefined,
  metacopy: false,
  whiteout: false,
  origin: false,
  protection: 0,
};

function valueOf(target: XattrTarget, name: ByteString): ByteString | undefined {
  const value = getxattr(target, name);
  return typeof value === 'number' ? undefined : value.toString('latin1');
}

/** Reads the marks a file carries, given the names of its attributes. */
export function readMarks(target: XattrTarget, names: readonly ByteString[]): Marks {
  if (names.length === 0) return NO_MARKS;
  let marks = NO_MARKS;
  for (const name of names) {
    const key = name.startsWith(TRUSTED)
      ? name.slice(TRUSTED.length)
      : name.startsWith(USER)
        ? name.slice(USER.length)
        : name === FUSE_OVERLAYFS_OPAQUE
          ? 'opaque'
          : '';
    switch (key) {
      case 'opaque': {
        const value = valueOf(target, name);
        if (value === 'y' || (value === 'x' && marks.opaque === undefined)) marks = { ...marks, opaque: value };
        break;
      }
      case 'redirect':
        marks = { ...marks, redirect: valueOf(target, name) };
        break;
      case 'metacopy':
        marks = { ...marks, metacopy: true };
        break;
      case 'whiteout':
        marks = { ...marks, whiteout: true };
        break;
      case 'origin':
        marks = { ...marks, origin: true };
        break;
      case 'protattr':
        marks = { ...marks, protection: parseProtection(valueOf(target, name) ?? '') };
        break;
      default:
    }
  }
  return marks;
}

const PROTECTION_LETTERS: ReadonlyMap<string, number> = new Map([
  ['a', FS_APPEND_FL],
  ['i', FS_IMMUTABLE_FL],
]);

/** Letters for flags; with one that is not known none counts (ovl_check_protattr, fs/overlayfs/util.c). */
function parseProtection(value: ByteString): number {
  let protection = 0;
  for (const letter of value) {
    const flag = PROTECTION_LETTERS.get(letter);
    if (flag === undefined) return 0;
    protection |= flag;
  }
  return protection;
}

/** The flags that `setProtection` keeps for a file. */
export function readProtection(target: XattrTarget, namespace: XattrNamespace): number {
  return parseProtection(valueOf(target, `${namespace}protattr`) ?? '');
}

/** Keeps FS_IMMUTABLE_FL and FS_APPEND_FL of `flags` for a file, in the attribute alone. Returns 0 or -errno. */
export function setProtection(target: XattrTarget, namespace: XattrNamespace, flags: number): number {
  const letters = [...PROTECTION_LETTERS].filter(([, flag]) => (flags & flag) !== 0).map(([letter]) => letter);
  if (letters.length > 0) return setxattr(target, `${namespace}protattr`, Buffer.from(letters.join('')));
  const removed = removexattr(target, `${namespace}protattr`);
  return removed === -errno.ENODATA || removed === -errno.EOPNOTSUPP ? 0 : removed;
}

/** True for attributes of the overlay itself, which its users neither see nor set. */
export function isInternalXattr(name: ByteString): boolean {
  return name.startsWith(TRUSTED) || name.startsWith(USER) || name.startsWith(FUSE_OVERLAYFS_PREFIX);
}

const ESCAPE = 'overlay.';

/**
 * The name under which a user's own attribute is kept: one in the overlay's namespace gets a second
 * `overlay.`, as the kernel does for nested overlays (fs/overlayfs/xattrs.c).
 */
export function escapeXattr(name: ByteString): ByteString {
  for (const namespace of [TRUSTED, USER]) {
    if (name.startsWith(namespace)) return namespace + ESCAPE + name.slice(namespace.length);
  }
  return name;
}

/** The name a user sees for a kept attribute, or undefined for one of the overlay's own. The inverse of `escapeXattr`. */
export function unescapeXattr(name: ByteString): ByteString | undefined {
  for (const namespace of [TRUSTED, USER]) {
    if (name.startsWith(namespace)) {
      return name.startsWith(ESCAPE, namespace.length)
        ? namespace + name.slice(namespace.length + ESCAPE.length)
        : undefined;
    }
  }
  return name.startsWith(FUSE_OVERLAYFS_PREFIX) ? undefined : name;
}

/** Makes the character device 0/0 that hides `name` below. Returns 0 or -errno. */
export function makeWhiteout(dirfd: number, name: ByteString): number {
  return mknodat(dirfd, name, S_IFCHR, 0);
}

/**
 * The form for places where mknod is not allowed: an empty file with an attribute. It counts in a directory that
 * announces such files. Returns 0 or -errno.
 */
export function makeXattrWhiteout(dirfd: number, name: ByteString, namespace: XattrNamespace): number {
  const fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  if (fd < 0) return fd;
  const marked = setxattr(fd, `${namespace}whiteout`, YES);
  close(fd);
  if (marked < 0) unlinkat(dirfd, name);
  return marked;
}

/** Announces that a directory holds whiteouts in the attribute form; in an opaque one they hide nothing. Returns 0 or -errno. */
export function announceXattrWhiteouts(dirfd: number, namespace: XattrNamespace): number {
  const directory = entryPath(dirfd, '.');
  const announced = getxattr(directory, `${namespace}opaque`);
  if (typeof announced !== 'number') return 0;
  if (announced !== -errno.ENODATA) return announced;
  return setxattr(directory, `${namespace}opaque`, XATTR_WHITEOUTS_INSIDE);
}

/** Whether an entry is a whiteout in either form, announced or not; `stat` gets its attributes. */
export function isWhiteout(dirfd: number, name: ByteString, stat: Stat): boolean {
  if (statx(dirfd, name, stat) < 0) return false;
  if (stat.isWhiteoutDevice) return true;
  if (!stat.isRegular || stat.size > 0) return false;
  const path = entryPath(dirfd, name);
  const names = listxattr(path);
  return typeof names !== 'number' && readMarks(path, names).whiteout;
}

/** Marks a directory opaque. Returns 0 or -errno. */
export function makeOpaque(target: XattrTarget, namespace: XattrNamespace): number {
  return setxattr(target, `${namespace}opaque`, YES);
}

/** Records where a renamed directory's lower contents are found. Returns 0 or -errno. */
export function setRedirect(target: XattrTarget, namespace: XattrNamespace, to: ByteString): number {
  return setxattr(target, `${namespace}redirect`, Buffer.from(to, 'latin1'));
}
