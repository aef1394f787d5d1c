// Makes one file, link, device or directory with all its attributes, by directory fd and name.

import { displayBytes, errno, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import {
  close,
  encodeDev,
  entryPath,
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  futimens,
  mkdirat,
  mknodat,
} from '../sys/index.js';
import {
  must,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  openat,
  setxattr,
  symlinkat,
  utimensat,
  write,
} from '../sys/index.js';
import { S_IFBLK, S_IFCHR, S_IFIFO } from '../sys/index.js';
import type { Place, Timestamp, XattrTarget } from '../sys/index.js';
import { escapeXattr, unescapeXattr } from '../whiteout/index.js';
import type { TarEntry } from './tar-entry.js';

/** Fills an empty file that is open for writing. */
export type Fill = (fd: number) => Promise<void>;

const NODE_TYPES = { char: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO } as const;

/** Writes all of a piece. */
export function writeAll(fd: number, piece: Uint8Array): void {
  for (let done = 0; done < piece.length;) {
    done += must(write(fd, done === 0 ? piece : piece.subarray(done)), 'write');
  }
}

/** Times for a file that is complete: those without an access time get that of their last change. */
export function timesOf(entry: TarEntry): { atime: Timestamp; mtime: Timestamp } {
  return { atime: entry.atime ?? entry.mtime, mtime: entry.mtime };
}

/**
 * Sets what chown(2) and write(2) would clear in the order that keeps it: owner, attributes (file capabilities), mode
 * (setuid). A user's attribute that looks like one of the overlay's own is escaped.
 */
function setXattrs(target: XattrTarget, xattrs: ReadonlyMap<ByteString, Buffer>): void {
  for (const [name, value] of xattrs) {
    const escaped = escapeXattr(name);
    // Marks of fuse-overlayfs have no escaped form; no user of the layer could see them.
    if (unescapeXattr(escaped) === undefined) continue;
    must(setxattr(target, escaped, value), 'setxattr', displayBytes(name));
  }
}

/** Owner, attributes and mode of something that is there already; not its times. */
export function setAttributes({ dirfd, name }: Place, entry: TarEntry): void {
  must(fchownat(dirfd, name, entry), 'chown');
  setXattrs(entryPath(dirfd, name), entry.xattrs);
  if (entry.type !== 'symlink') must(fchmodat(dirfd, name, entry.mode), 'chmod');
}

async function createFile({ dirfd, name }: Place, entry: TarEntry, fill: Fill): Promise<number> {
  const fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  if (fd < 0) return fd;
  try {
    await fill(fd);
    must(fchown(fd, entry), 'chown');
    setXattrs(fd, entry.xattrs);
    must(fchmod(fd, entry.mode), 'chmod');
    must(futimens(fd, timesOf(entry)), 'utimensat');
  } finally {
    close(fd);
  }
  return 0;
}

function createNode({ dirfd, name }: Place, entry: TarEntry): number {
  switch (entry.type) {
    case 'directory':
      return mkdirat(dirfd, name, 0o700);
    case 'symlink':
      return symlinkat(entry.linkTarget, dirfd, name);
    case 'char':
    case 'block':
    case 'fifo':
      return mknodat(dirfd, name, NODE_TYPES[entry.type] | 0o600, encodeDev(entry.devMajor, entry.devMinor));
    default:
      throw new RangeError(`${entry.type} is made elsewhere`);
  }
}

/**
 * Makes what an entry describes; a directory's times are left to the caller, who may still put something into it.
 * Returns 0, or -EEXIST where the name is taken; throws a SysError for any other failure.
 */
export async function createEntry(place: Place, entry: TarEntry, fill: Fill): Promise<number> {
  const isFile = entry.type === 'file';
  const status = isFile ? await createFile(place, entry, fill) : createNode(place, entry);
  if (status === -errno.EEXIST) return status;
  if (status < 0) throw new SysError(-status, isFile ? 'open' : entry.type === 'directory' ? 'mkdir' : 'mknod');
  if (isFile) return 0;
  setAttributes(place, entry);
  if (entry.type !== 'directory') must(utimensat(place.dirfd, place.name, timesOf(entry)), 'utimensat');
  return 0;
}
