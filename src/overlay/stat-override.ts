// Owner, mode and device of files kept in an attribute, for who may not chown or mknod: `xattr_permissions` of
// fuse-overlayfs, which containers/storage writes, too. The value is `UID:GID:MODE[:TYPE]`, the mode octal, with or
// without the bits of the type; TYPE is `file`, `dir`, `symlink`, `pipe`, `socket`, `block-MAJOR-MINOR` or
// `char-MAJOR-MINOR`. What cannot be made as such is a regular file on disk.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { AT_FDCWD, entryPath, chmodEntry, fchownat, fdPath, getxattr, setxattr } from '../sys/index.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK } from '../sys/index.js';
import type { Place, Stat, XattrTarget } from '../sys/index.js';

/** The attribute of option 1, which needs CAP_SYS_ADMIN, and that of option 2, which regular files and directories can have. */
const PRIVILEGED = 'security.fuseoverlayfs.override_stat';
const CONTAINERS = 'user.containers.override_stat';
/** What fuse-overlayfs 1.10 and before wrote for option 2. */
const OLD = 'user.fuseoverlayfs.override_stat';

export interface Override {
  readonly uid: number;
  readonly gid: number;
  /** Without the type. */
  readonly mode: number;
  /** S_IFMT, for a regular file that stands for one of another type. */
  readonly type: number | undefined;
  readonly device: { readonly major: number; readonly minor: number } | undefined;
}

const TYPES: Readonly<Record<string, number>> = { pipe: S_IFIFO, socket: S_IFSOCK, block: S_IFBLK, char: S_IFCHR };
const VALUE =
  /^(\d{1,10}):(\d{1,10}):([0-7]{1,7})(?::(?:file|dir|symlink|(pipe|socket)|(block|char)-(\d{1,5})-(\d{1,7})))?$/;

/** Reads a value; undefined for what is none, or stands for the device 0/0, which is a whiteout. */
export function parseOverride(value: ByteString): Override | undefined {
  const match = VALUE.exec(value);
  if (match === null) return undefined;
  const [, uid, gid, mode = '', plain, special, major, minor] = match;
  const device = special === undefined ? undefined : { major: Number(major), minor: Number(minor) };
  if (special === 'char' && device?.major === 0 && device.minor === 0) return undefined;
  const word = plain ?? special;
  return {
    uid: Number(uid),
    gid: Number(gid),
    mode: Number.parseInt(mode, 8) & 0o7777,
    type: word === undefined ? undefined : TYPES[word],
    device,
  };
}

/** The value for a file that shows these attributes. Files and directories carry their type in the mode, as 1.x reads it. */
export function formatOverride(shown: Stat): ByteString {
  const owner = `${String(shown.uid)}:${String(shown.gid)}`;
  const permissions = `${owner}:${(shown.mode & 0o7777).toString(8)}`;
  const device = `${String(shown.rdevMajor)}-${String(shown.rdevMinor)}`;
  switch (shown.type) {
    case S_IFIFO:
      return `${permissions}:pipe`;
    case S_IFSOCK:
      return `${permissions}:socket`;
    case S_IFBLK:
      return `${permissions}:block-${device}`;
    case S_IFCHR:
      return `${permissions}:char-${device}`;
    default:
      return `${owner}:${shown.mode.toString(8)}`;
  }
}

/** The permissions the real file gets: the server must be able to use it, and nobody gains by them. */
function realMode(shown: number): number {
  return (shown & 0o777) | ((shown & S_IFMT) === S_IFDIR ? 0o700 : 0o600);
}

export class StatOverrides {
  /** The attribute that is written. */
  readonly name: ByteString;
  readonly #read: readonly ByteString[];

  constructor(option: 1 | 2) {
    this.name = option === 1 ? PRIVILEGED : CONTAINERS;
    this.#read = option === 1 ? [PRIVILEGED] : [CONTAINERS, OLD];
  }

  /** Whether an attribute is one of these, which users neither see nor set. */
  static isOne(name: ByteString): boolean {
    return name === PRIVILEGED || name === CONTAINERS || name === OLD;
  }

  /** Replaces in `stat`, the real file's, what its attribute says. */
  apply(target: XattrTarget, stat: Stat): void {
    for (const name of this.#read) {
      const value = getxattr(target, name);
      if (typeof value === 'number') continue;
      const override = parseOverride(value.toString('latin1'));
      if (override === undefined) continue;
      const { uid, gid, mode, device } = override;
      const type = stat.isRegular && override.type !== undefined ? override.type : stat.type;
      stat.assume({ uid, gid, mode: type | mode, ...(stat.isRegular && device !== undefined ? { device } : {}) });
      return;
    }
  }

  /** Writes what a file of the upper is to show. Returns 0 or -errno. */
  write(at: Place, shown: Stat): number {
    const written = setxattr(entryOf(at), this.name, Buffer.from(formatOverride(shown), 'latin1'));
    if (!shown.isSymlink) return written < 0 ? written : chmodEntry(at, realMode(shown.mode));
    if (written !== -errno.EPERM) return written;
    // `user.*` is not for symlinks: the owner is the real one, as far as we may change it.
    const owned = fchownat(at.dirfd, at.name, shown);
    return owned === -errno.EPERM ? 0 : owned;
  }

  /** As `write`, of an open file. */
  writeOpen(fd: number, shown: Stat): number {
    return this.write({ dirfd: AT_FDCWD, name: fdPath(fd) }, shown);
  }
}

/** A path from `fdPath` is a link that has to be followed. */
function entryOf(at: Place): XattrTarget {
  return at.dirfd === AT_FDCWD ? { follow: at.name } : entryPath(at.dirfd, at.name);
}
