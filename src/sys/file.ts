// Open files: open, read, write, and what changes or copies their content.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { O_CLOEXEC, SYNC_FILE_RANGE_WRITE } from './constants.js';
import { bind, cString, result } from './libc.js';

const nativeOpenat = bind('int openat(int, void *, int, unsigned int)');
const nativeSyscall4 = bind('intptr_t syscall(long, int, void *, void *, size_t)');
const nativeClose = bind('int close(int)');
const nativeRead = bind('intptr_t read(int, void *, size_t)');
const nativeWrite = bind('intptr_t write(int, void *, size_t)');
const nativePread = bind('intptr_t pread64(int, void *, size_t, int64_t)');
const nativePwrite = bind('intptr_t pwrite64(int, void *, size_t, int64_t)');
const nativeFtruncate = bind('int ftruncate64(int, int64_t)');
const nativeFsync = bind('int fsync(int)');
const nativeFdatasync = bind('int fdatasync(int)');
const nativeSyncfs = bind('int syncfs(int)');
const nativeSyncFileRange = bind('int sync_file_range(int, int64_t, int64_t, unsigned int)');
const nativeFallocate = bind('int fallocate64(int, int, int64_t, int64_t)');
const nativeLseek = bind('int64_t lseek64(int, int64_t, int)');
const nativeCopyFileRange = bind('intptr_t copy_file_range(int, void *, int, void *, size_t, unsigned int)');
const nativeIoctlInt = bind('int ioctl(int, unsigned long, int)');
const nativeIoctlPointer = bind('int ioctl(int, unsigned long, void *)');
const nativeFlock = bind('int flock(int, int)');

/** openat2(2) has no libc wrapper; the number is the same on every architecture since 5.6. */
const SYS_OPENAT2 = 437;
/** `_IOW(0x94, 9, int)`, linux/fs.h. */
const FICLONE = 0x40049409;

/** Opens `name` below `dirfd`; close-on-exec always. */
export function openat(dirfd: number, name: ByteString, flags: number, mode = 0): number {
  return result(nativeOpenat(dirfd, cString(name), flags | O_CLOEXEC, mode));
}

const openHow = Buffer.alloc(24);

/** So often a rename or mount beside the look-up can make the kernel unsure whether a `..` has left the root (openat2(2), EAGAIN). */
const MOST_TRIES = 1000;

/** openat2(2): opens a whole path under the RESOLVE_* rules. What others do meanwhile, on whatever file system, does not make it fail. */
export function openat2(
  dirfd: number,
  path: ByteString,
  options: { flags: number; mode?: number; resolve: number },
): number {
  openHow.writeBigUInt64LE(BigInt((options.flags | O_CLOEXEC) >>> 0), 0);
  openHow.writeBigUInt64LE(BigInt(options.mode ?? 0), 8);
  openHow.writeBigUInt64LE(BigInt(options.resolve), 16);
  let fd = -errno.EAGAIN;
  for (let tries = 0; fd === -errno.EAGAIN && tries < MOST_TRIES; tries += 1) {
    fd = result(nativeSyscall4(SYS_OPENAT2, dirfd, cString(path), openHow, openHow.length));
  }
  return fd;
}

export function close(fd: number): number {
  return result(nativeClose(fd));
}

export function read(fd: number, into: Uint8Array, length = into.length): number {
  return result(nativeRead(fd, into, length));
}

export function write(fd: number, from: Uint8Array, length = from.length): number {
  return result(nativeWrite(fd, from, length));
}

export function pread(fd: number, into: Uint8Array, offset: number): number {
  return result(nativePread(fd, into, into.length, offset));
}

export function pwrite(fd: number, from: Uint8Array, offset: number): number {
  return result(nativePwrite(fd, from, from.length, offset));
}

export function ftruncate(fd: number, size: number): number {
  return result(nativeFtruncate(fd, size));
}

export function fsync(fd: number): number {
  return result(nativeFsync(fd));
}

export function fdatasync(fd: number): number {
  return result(nativeFdatasync(fd));
}

/** Begins to write a range of a file to disk, and does not wait: an fsync that follows has less to do. */
export function startWriting(fd: number, range: { offset: number; length: number }): number {
  return result(nativeSyncFileRange(fd, range.offset, range.length, SYNC_FILE_RANGE_WRITE));
}

export function syncfs(fd: number): number {
  return result(nativeSyncfs(fd));
}

export function fallocate(fd: number, mode: number, offset: number, length: number): number {
  return result(nativeFallocate(fd, mode, offset, length));
}

/** The new offset, or -errno (ENXIO past the end for SEEK_DATA and SEEK_HOLE). */
export function lseek(fd: number, offset: number, whence: number): number {
  return result(nativeLseek(fd, offset, whence));
}

const offsetIn = Buffer.alloc(8);
const offsetOut = Buffer.alloc(8);

/** copy_file_range(2) at explicit offsets; may copy less than asked. */
export function copyFileRange(
  from: { fd: number; offset: number },
  to: { fd: number; offset: number },
  length: number,
): number {
  offsetIn.writeBigInt64LE(BigInt(from.offset));
  offsetOut.writeBigInt64LE(BigInt(to.offset));
  return result(nativeCopyFileRange(from.fd, offsetIn, to.fd, offsetOut, length, 0));
}

/** Makes `to` share all blocks of `from`; EOPNOTSUPP or EXDEV or EINVAL where the file system cannot. */
export function ficlone(to: number, from: number): number {
  return result(nativeIoctlInt(to, FICLONE, from));
}

/** ioctl whose argument is a buffer the kernel reads or fills. */
export function ioctl(fd: number, request: number, argument: Uint8Array): number {
  return result(nativeIoctlPointer(fd, request, argument));
}

export function flock(fd: number, operation: number): number {
  return result(nativeFlock(fd, operation));
}

/** Retries a call that a signal interrupted. */
export function retryIntr(call: () => number): number {
  for (;;) {
    const value = call();
    if (value !== -errno.EINTR) return value;
  }
}
