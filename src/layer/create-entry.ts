// Makes one file, link, device or directory with all its attributes, by directory fd and name.

import { readFileSync } from 'node:fs';
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

/** Fills an empty file that is open for writing; there may be nothing to wait for. */
export type Fill = (fd: number) => Promise<void> | undefined;

/** What there is to know when something new is made. */
export interface Making {
  readonly fill: Fill;
  /** Of this process. */
  readonly umask: number;
  /** New entries get our own user and group, and not the directory's. */
  readonly ownsNew: boolean;
}

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

/** What is made in a directory inherits it, so it is set when everything is there. */
const DEFAULT_ACL = 'system.posix_acl_default';

/** Sets what a directory gets when everything is in it. */
export function setDefaultAcl({ dirfd, name }: Place, acl: Buffer): void {
  must(setxattr(entryPath(dirfd, name), DEFAULT_ACL, acl), 'setxattr', DEFAULT_ACL);
}

export function defaultAclOf(entry: TarEntry): Buffer | undefined {
  return entry.xattrs.get(DEFAULT_ACL);
}

/**
 * Sets what chown(2) and write(2) would clear in the order that keeps it: owner, attributes (file capabilities), mode
 * (setuid). A user's attribute that looks like one of the overlay's own is escaped.
 */
function setXattrs(target: XattrTarget, xattrs: ReadonlyMap<ByteString, Buffer>): void {
  for (const [name, value] of xattrs) {
    if (name === DEFAULT_ACL) continue;
    const escaped = escapeXattr(name);
    // Marks of fuse-overlayfs have no escaped form; no user of the layer could see them.
    if (unescapeXattr(escaped) === undefined) continue;
    must(setxattr(target, escaped, value), 'setxattr', displayBytes(name));
  }
}

/** Owner, attributes and mode of something that is there already; not its times. */
export function setAttributes({ dirfd, name }: Place, entry: TarEntry): void {
  must(fchownat(dirfd, name, entry), 'chown', ownerOf(entry));
  setXattrs(entryPath(dirfd, name), entry.xattrs);
  if (entry.type !== 'symlink') must(fchmodat(dirfd, name, entry.mode), 'chmod');
}

/** Of this process; read where it does not have to be set for that, for all threads. */
export function readUmask(): number {
  const octal = /^Umask:\s*([0-7]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return octal === undefined ? 0o777 : Number.parseInt(octal, 8);
}

/** What a refusal names: in a user namespace, not every number is a user. */
const ownerOf = ({ uid, gid }: TarEntry): string => `${String(uid)}:${String(gid)}`;

const self = { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 };

/** Whether new entries of a directory with these attributes get our own group (inode_init_owner, fs/inode.c; `grpid`). */
export function ownsNewIn({ gid, mode }: Pick<TarEntry, 'gid' | 'mode'>): boolean {
  return gid === self.gid && (mode & 0o2000) === 0;
}

const SPECIAL_BITS = 0o7000;

/** Whether open(2) can give the mode, or chmod(2) has to. */
function isModeAtOnce(mode: number, umask: number): boolean {
  return (mode & (umask | SPECIAL_BITS)) === 0;
}

/**
 * Makes a file; at once where there is nothing to wait for. Comes to 0, or is -EEXIST where the name is taken; throws a SysError
 * for any other failure.
 */
export function createFile({ dirfd, name }: Place, entry: TarEntry, making: Making): number | Promise<0> {
  const mode = isModeAtOnce(entry.mode, making.umask) ? entry.mode : 0o600;
  const fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  if (fd === -errno.EEXIST) return fd;
  must(fd, 'open');
  let filling: Promise<void> | undefined;
  try {
    filling = making.fill(fd);
    if (filling === undefined) completeFile(fd, entry, making);
  } finally {
    if (filling === undefined) close(fd);
  }
  return filling === undefined ? 0 : completeLater(fd, entry, { making, filling });
}

async function completeLater(
  fd: number,
  entry: TarEntry,
  { making, filling }: { making: Making; filling: Promise<void> },
): Promise<0> {
  try {
    await filling;
    completeFile(fd, entry, making);
  } finally {
    close(fd);
  }
  return 0;
}

function completeFile(fd: number, entry: TarEntry, { ownsNew, umask }: Making): void {
  if (!ownsNew || entry.uid !== self.uid || entry.gid !== self.gid) must(fchown(fd, entry), 'chown', ownerOf(entry));
  setXattrs(fd, entry.xattrs);
  if (!isModeAtOnce(entry.mode, umask)) must(fchmod(fd, entry.mode), 'chmod');
  must(futimens(fd, timesOf(entry)), 'utimensat');
}

function makeNode({ dirfd, name }: Place, entry: TarEntry): number {
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

const SYSCALLS: Readonly<Record<string, string>> = { directory: 'mkdir', symlink: 'symlink' };

const isDevice = ({ type }: TarEntry): boolean => type === 'char' || type === 'block';

/**
 * Makes what an entry that is no file and no hard link describes; a directory's times are left to the caller, who may still
 * put something into it. Root of a user namespace may not make devices: they are left out there, as docker and podman leave them out;
 * what runs gets devices from the runtime. Returns 0, or -EEXIST where the name is taken; throws a SysError for any other failure.
 */
export function createNode(place: Place, entry: TarEntry): number {
  const status = makeNode(place, entry);
  if (status === -errno.EEXIST) return status;
  if (status === -errno.EPERM && self.uid === 0 && isDevice(entry)) return 0;
  if (status < 0) throw new SysError(-status, SYSCALLS[entry.type] ?? 'mknod');
  setAttributes(place, entry);
  if (entry.type !== 'directory') must(utimensat(place.dirfd, place.name, timesOf(entry)), 'utimensat');
  return 0;
}
