// Makes one file with what an entry says of it.

import { SysError, displayBytes, errno } from '../../core/index.js';
import type { TarEntry } from '../../layer/index.js';
import { AT_FDCWD, O_CREAT, O_EXCL, O_NOFOLLOW, O_TRUNC, O_WRONLY } from '../../sys/index.js';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_ISGID, S_ISUID } from '../../sys/index.js';
import {
  encodeDev,
  entryPath,
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  fdPath,
  futimens,
  mknodat,
} from '../../sys/index.js';
import { must, openat, setxattr, symlinkat, utimensat } from '../../sys/index.js';
import type { Place, Timestamp, XattrTarget } from '../../sys/index.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Gives an entry another owner. What let others act as the old one goes with him. */
export function withOwner(entry: TarEntry, { uid, gid }: Owner): TarEntry {
  if (entry.uid === uid && entry.gid === gid) return entry;
  let { mode } = entry;
  if (entry.type === 'file') {
    if (entry.uid !== uid) mode &= ~S_ISUID;
    if (entry.gid !== gid) mode &= ~S_ISGID;
  }
  const xattrs = new Map(entry.xattrs);
  xattrs.delete('security.capability');
  return { ...entry, uid, gid, mode, xattrs };
}

/** File systems without attributes, and users without the right to some, get the rest. */
const DISPENSABLE: readonly number[] = [-errno.EOPNOTSUPP, -errno.EPERM, -errno.EACCES];

function setXattrs(target: XattrTarget, { xattrs }: TarEntry): void {
  for (const [name, value] of xattrs) {
    const status = setxattr(target, name, value);
    if (!DISPENSABLE.includes(status)) must(status, 'setxattr', displayBytes(name));
  }
}

const isRoot = process.geteuid?.() === 0;

/** A user without rights has what he makes. */
function checkOwner(status: number, { uid, path }: TarEntry): void {
  if (status === -errno.EPERM && !isRoot && uid === process.geteuid?.()) return;
  must(status, 'chown', displayBytes(path));
}

function timesOf({ atime, mtime }: TarEntry): { atime: Timestamp; mtime: Timestamp } {
  return { atime: atime ?? mtime, mtime };
}

/** A new, empty file that is open for writing, or an old one emptied where its name cannot be taken away from it. -errno. */
export function createFile({ dirfd, name }: Place, { over = false } = {}): number {
  const flags = over ? O_WRONLY | O_TRUNC | O_NOFOLLOW : O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  return openat(dirfd, name, flags, 0o600);
}

/** The attributes of an open file whose content is there, in the order that keeps each of them. */
export function completeFile(fd: number, entry: TarEntry): void {
  checkOwner(fchown(fd, entry), entry);
  setXattrs(fd, entry);
  must(fchmod(fd, entry.mode), 'chmod', displayBytes(entry.path));
  must(futimens(fd, timesOf(entry)), 'utimensat', displayBytes(entry.path));
}

/** Those of a directory that is open by O_PATH; `mode` may be another one for as long as it is filled. */
export function describeDirectory(fd: number, entry: TarEntry, mode = entry.mode): void {
  checkOwner(fchown(fd, entry), entry);
  setXattrs({ follow: fdPath(fd) }, entry);
  must(fchmodat(AT_FDCWD, fdPath(fd), mode), 'chmod', displayBytes(entry.path));
}

const NODE_TYPES = { char: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO } as const;

/** Makes a link, a device or a fifo. Throws a SysError. */
export function makeNode({ dirfd, name }: Place, entry: TarEntry): void {
  const shown = displayBytes(entry.path);
  if (entry.type === 'symlink') {
    must(symlinkat(entry.linkTarget, dirfd, name), 'symlink', shown);
  } else if (entry.type === 'char' || entry.type === 'block' || entry.type === 'fifo') {
    const device = encodeDev(entry.devMajor, entry.devMinor);
    must(mknodat(dirfd, name, NODE_TYPES[entry.type] | 0o600, device), 'mknod', shown);
  } else {
    throw new SysError(errno.EINVAL, 'mknod', shown);
  }
  checkOwner(fchownat(dirfd, name, entry), entry);
  if (entry.type !== 'symlink') {
    setXattrs(entryPath(dirfd, name), entry);
    must(fchmodat(dirfd, name, entry.mode), 'chmod', shown);
  }
  must(utimensat(dirfd, name, timesOf(entry)), 'utimensat', shown);
}
