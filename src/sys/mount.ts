// Mounting, and what a mounted file system says of itself.

import type { ByteString } from '../core/index.js';
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC } from './constants.js';
import { close } from './file.js';
import { bind, bindAside, cString, result } from './libc.js';

const nativeMount = bind('int mount(void *, void *, void *, unsigned long, void *)');
const nativeUmount2 = bind('int umount2(void *, int)');
const nativeUmount2Aside = bindAside('int umount2(void *, int)');
const nativeFstatfs = bind('int fstatfs64(int, void *)');

export interface MountCall {
  readonly source: ByteString;
  readonly target: ByteString;
  readonly type: ByteString;
  /** MS_*. */
  readonly flags: number;
  readonly data: ByteString;
}

/** mount(2). */
export function mount(call: MountCall): number {
  const type = Buffer.from(`${call.type}\0`, 'latin1');
  const data = Buffer.from(`${call.data}\0`, 'latin1');
  return result(nativeMount(cString(call.source), cString(call.target, 1), type, call.flags, data));
}

export function umount2(target: ByteString, flags = 0): number {
  return result(nativeUmount2(cString(target), flags));
}

/** umount2(2) by another thread: of a file system that this one answers for. */
export function umount2Aside(target: ByteString, flags = 0): Promise<number> {
  return nativeUmount2Aside(Buffer.from(`${target}\0`, 'latin1'), flags);
}

const nativeOpenTree = bind('intptr_t syscall(intptr_t, int, void *, unsigned int)');
const nativeMountSetattr = bind('intptr_t syscall(intptr_t, int, void *, unsigned int, void *, size_t)');

/** No libc wrappers before glibc 2.36; the numbers are the same on every architecture. */
const SYS_OPEN_TREE = 428;
const SYS_MOUNT_SETATTR = 442;
const OPEN_TREE_CLONE = 1;
const MOUNT_ATTR_RDONLY = 0x1;
const MOUNT_ATTR_NODEV = 0x4;
const MOUNT_ATTR_NOATIME = 0x10;
const MOUNT_ATTR_ATIME_MASK = 0x70;

/**
 * A private mount of a directory that is in no namespace, read-only, without devices and access times: what is opened
 * below the fd cannot be written, reading leaves no trace, and a device that took a file's place is not opened (EACCES). Ends with the fd. Needs CAP_SYS_ADMIN (EPERM) and
 * Linux 5.12 (ENOSYS).
 */
export function openReadOnlyTree(path: ByteString): number {
  const fd = result(nativeOpenTree(SYS_OPEN_TREE, AT_FDCWD, cString(path), OPEN_TREE_CLONE | O_CLOEXEC));
  if (fd < 0) return fd;
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME), 0);
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_ATIME_MASK), 8);
  const set = result(
    nativeMountSetattr(SYS_MOUNT_SETATTR, fd, cString(''), AT_EMPTY_PATH, attributes, attributes.length),
  );
  if (set >= 0) return fd;
  close(fd);
  return set;
}

/** `struct statfs` (64-bit layout): sizes in units of `bsize`, except `frsize`. */
export interface FileSystemStatus {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly namelen: number;
  readonly frsize: number;
}

const statfsBytes = Buffer.alloc(256);

function wide(offset: number): number {
  return Number(statfsBytes.readBigUInt64LE(offset));
}

/** fstatfs(2), of an O_PATH file too; or -errno. */
export function fstatfs(fd: number): FileSystemStatus | number {
  const status = result(nativeFstatfs(fd, statfsBytes));
  if (status < 0) return status;
  return {
    type: wide(0),
    bsize: wide(8),
    blocks: wide(16),
    bfree: wide(24),
    bavail: wide(32),
    files: wide(40),
    ffree: wide(48),
    namelen: wide(64),
    frsize: wide(72),
  };
}

const ST_RDONLY = 1;

/** Whether the mount or the file system of an open file, of an O_PATH one too, is read-only; false where that cannot be told. */
export function isReadOnly(fd: number): boolean {
  return result(nativeFstatfs(fd, statfsBytes)) >= 0 && (wide(80) & ST_RDONLY) !== 0;
}
