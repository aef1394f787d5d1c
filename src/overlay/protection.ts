// Immutable and append-only files (chattr +i, +a). The kernel checks these flags on its own inode, and FUSE gives a
// server no way to set them there (fuse_fileattr_set keeps nothing): so each operation asks here. Flags of what is in
// the upper are kept in an attribute and not on the real inode, which could not be worked with otherwise.

import { errno } from '../core/index.js';
import { FS_APPEND_FL, FS_IMMUTABLE_FL, O_ACCMODE, O_APPEND, O_RDONLY, O_TRUNC, UTIME_NOW } from '../sys/index.js';
import type { AttrChange } from '../fuse/index.js';
import type { Node } from './node.js';

export const PROTECTING = FS_IMMUTABLE_FL | FS_APPEND_FL;

const isImmutable = (node: Node): boolean => (node.protection & FS_IMMUTABLE_FL) !== 0;
const isAppendOnly = (node: Node): boolean => (node.protection & FS_APPEND_FL) !== 0;

/** Whether a file may not be opened with these flags (inode_permission, may_open). */
export function forbidsOpen(protection: number, flags: number): boolean {
  const truncates = (flags & O_TRUNC) !== 0;
  if ((flags & O_ACCMODE) === O_RDONLY && !truncates) return false;
  if ((protection & FS_IMMUTABLE_FL) !== 0) return true;
  return (protection & FS_APPEND_FL) !== 0 && (truncates || (flags & O_APPEND) === 0);
}

/** Whether owner, mode, links and attributes may not be changed: 0 or -EPERM. */
export function checkChange(node: Node): number {
  return node.protection === 0 ? 0 : -errno.EPERM;
}

/** setattr(2) and its kin (may_setattr, vfs_truncate, do_ftruncate): 0 or -EPERM. */
export function checkSetattr(node: Node, change: AttrChange): number {
  if (node.protection === 0) return 0;
  const { mode, uid, gid, size, fh, atime, mtime } = change;
  if (size !== undefined) return fh !== undefined && !isAppendOnly(node) ? 0 : -errno.EPERM;
  if (mode !== undefined || uid !== undefined || gid !== undefined) return -errno.EPERM;
  const touched = atime?.nsec === UTIME_NOW && mtime?.nsec === UTIME_NOW;
  return touched && !isImmutable(node) ? 0 : -errno.EPERM;
}

/** Whether a directory takes a new name (may_create): 0 or -EPERM. */
export function checkCreate(parent: Node): number {
  return isImmutable(parent) ? -errno.EPERM : 0;
}

/** Whether a name may go (may_delete): 0 or -EPERM. */
export function checkDelete(parent: Node, node: Node): number {
  return parent.protection === 0 && node.protection === 0 ? 0 : -errno.EPERM;
}

const FALLOC_FL_KEEP_SIZE = 1;

/** fallocate(2) on an open file (vfs_fallocate): 0 or -EPERM. */
export function checkFallocate(node: Node, mode: number): number {
  if (isImmutable(node)) return -errno.EPERM;
  return isAppendOnly(node) && (mode & ~FALLOC_FL_KEEP_SIZE) !== 0 ? -errno.EPERM : 0;
}

/** copy_file_range(2) to an open file (generic_copy_file_checks): 0 or -EPERM. */
export function checkCopyTo(node: Node): number {
  return isImmutable(node) ? -errno.EPERM : 0;
}
