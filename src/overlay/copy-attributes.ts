// Everything of a file but its data, from a lower file to its copy in the upper.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import {
  FS_NOATIME_FL,
  FS_SYNC_FL,
  fchmodat,
  fchownat,
  getFlags,
  getxattr,
  listxattr,
  setFlags,
  setxattr,
  utimensat,
} from '../sys/index.js';
import type { Stat, Timestamp, XattrTarget } from '../sys/index.js';
import { isInternalXattr, setProtection, unescapeXattr } from '../whiteout/index.js';
import type { XattrNamespace } from '../whiteout/index.js';
import { PROTECTING } from './protection.js';

export function timesOf(stat: Stat): { atime: Timestamp; mtime: Timestamp } {
  return {
    atime: { sec: stat.atimeSec, nsec: stat.atimeNsec },
    mtime: { sec: stat.mtimeSec, nsec: stat.mtimeNsec },
  };
}

/** Whether an attribute belongs to the user's file and not to the overlay's bookkeeping. */
function isContent(name: ByteString): boolean {
  return !isInternalXattr(name) || unescapeXattr(name) !== undefined;
}

/**
 * Copies extended attributes, ACLs and capabilities among them. An attribute that the upper's file system or our
 * rights do not allow is left out, as the kernel does. Returns 0 or -errno.
 */
export function copyXattrs(from: XattrTarget, to: XattrTarget): number {
  const names = listxattr(from);
  if (typeof names === 'number') return names;
  for (const name of names) {
    if (!isContent(name)) continue;
    const value = getxattr(from, name);
    if (typeof value === 'number') {
      if (value === -errno.ENODATA) continue;
      return value;
    }
    const status = setxattr(to, name, value);
    if (status < 0 && status !== -errno.EOPNOTSUPP && status !== -errno.EPERM) return status;
  }
  return 0;
}

/** Gives the file at `path` (a /proc path or one that names it) owner and mode. Returns 0 or -errno. */
export function copyOwnerAndMode(dirfd: number, name: ByteString, stat: Stat): number {
  const owned = fchownat(dirfd, name, { uid: stat.uid, gid: stat.gid });
  if (owned < 0 || stat.isSymlink) return owned;
  return fchmodat(dirfd, name, stat.mode & 0o7777);
}

export function copyTimes(dirfd: number, name: ByteString, stat: Stat): number {
  return utimensat(dirfd, name, timesOf(stat));
}

/** Flags that a copy has from its original (OVL_COPY_FS_FLAGS_MASK). */
const COPIED = FS_SYNC_FL | FS_NOATIME_FL;

/** What a file system without flags answers; the kernel lists the same (ovl_copy_fileattr). */
const NO_FLAGS: readonly number[] = [-errno.ENOTTY, -errno.EINVAL, -errno.EOPNOTSUPP, -errno.ENOSYS, -errno.EBADF];

/**
 * Gives a copy the flags of the lower file or directory open as `from`; protecting ones would keep us from showing it,
 * so they go to the attribute of `target`. `onCopy` runs a call on the copy. Returns 0 or -errno.
 */
export function copyFlags(
  from: number,
  to: { target: XattrTarget; namespace: XattrNamespace; onCopy: (call: (fd: number) => number) => number },
): number {
  const flags = getFlags(from);
  if (flags < 0) return NO_FLAGS.includes(flags) ? 0 : flags;
  if ((flags & PROTECTING) !== 0) {
    const kept = setProtection(to.target, to.namespace, flags);
    if (kept < 0 && kept !== -errno.EOPNOTSUPP) return kept;
  }
  if ((flags & COPIED) === 0) return 0;
  const status = to.onCopy((fd) => {
    const present = getFlags(fd);
    return present < 0 ? present : setFlags(fd, (present & ~COPIED) | (flags & COPIED));
  });
  return NO_FLAGS.includes(status) ? 0 : status;
}
