// Names in directories: making, linking, renaming and removing them, and what hangs on a name.

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, O_NOFOLLOW, O_PATH } from './constants.js';
import { close, openat } from './file.js';
import { bind, bindAside, cString, result } from './libc.js';

const nativeMkdirat = bind('int mkdirat(int, void *, unsigned int)');
const nativeMknodat = bind('int mknodat(int, void *, unsigned int, uint64_t)');
const nativeSymlinkat = bind('int symlinkat(void *, int, void *)');
const nativeReadlinkat = bind('intptr_t readlinkat(int, void *, void *, size_t)');
const nativeLinkat = bind('int linkat(int, void *, int, void *, int)');
const nativeUnlinkat = bind('int unlinkat(int, void *, int)');
const nativeRenameat2 = bind('int renameat2(int, void *, int, void *, unsigned int)');
const nativeFchmodat = bind('int fchmodat(int, void *, unsigned int, int)');
const nativeSyscall4 = bind('intptr_t syscall(long, int, void *, unsigned int, int)');
const nativeFchmod = bind('int fchmod(int, unsigned int)');
const nativeFchownat = bind('int fchownat(int, void *, unsigned int, unsigned int, int)');
const nativeUtimensat = bind('int utimensat(int, void *, void *, int)');
const nativeFutimens = bind('int futimens(int, void *)');
const nativeUmask = bind('unsigned int umask(unsigned int)');

/** fchmodat2(2) has no libc wrapper before glibc 2.39; the number is the same on every architecture. */
const SYS_FCHMODAT2 = 452;

export function mkdirat(dirfd: number, name: ByteString, mode: number): number {
  return result(nativeMkdirat(dirfd, cString(name), mode));
}

/** `dev` in the 32-bit encoding of `encodeDev`, which glibc's dev_t agrees with for majors below 4096. */
export function mknodat(dirfd: number, name: ByteString, mode: number, dev: number): number {
  return result(nativeMknodat(dirfd, cString(name), mode, dev));
}

export function symlinkat(target: ByteString, dirfd: number, name: ByteString): number {
  return result(nativeSymlinkat(cString(target, 1), dirfd, cString(name)));
}

const linkTarget = Buffer.alloc(4096);

/** The target of a symlink, or -errno. With an empty name, that of the O_PATH file `dirfd`. */
export function readlinkat(dirfd: number, name: ByteString): ByteString | number {
  const length = result(nativeReadlinkat(dirfd, cString(name), linkTarget, linkTarget.length));
  return length < 0 ? length : linkTarget.toString('latin1', 0, length);
}

export interface Place {
  readonly dirfd: number;
  readonly name: ByteString;
}

export function linkat(from: Place, to: Place): number {
  return result(nativeLinkat(from.dirfd, cString(from.name), to.dirfd, cString(to.name, 1), 0));
}

/** Gives an open file, an unnamed one too, a name. Goes through /proc, which needs no capability. */
export function linkFd(fd: number, to: Place): number {
  return result(nativeLinkat(AT_FDCWD, cString(fdPath(fd)), to.dirfd, cString(to.name, 1), AT_SYMLINK_FOLLOW));
}

const nativeUnlinkatAside = bindAside('int unlinkat(int, void *, int)');

/** unlinkat(2) of what is no directory, by another thread. */
export function unlinkatAside(dirfd: number, name: ByteString): Promise<number> {
  return nativeUnlinkatAside(dirfd, Buffer.from(`${name}\0`, 'latin1'), 0);
}

export function unlinkat(dirfd: number, name: ByteString, flags = 0): number {
  return result(nativeUnlinkat(dirfd, cString(name), flags));
}

export function renameat2(from: Place, to: Place, flags = 0): number {
  return result(nativeRenameat2(from.dirfd, cString(from.name), to.dirfd, cString(to.name, 1), flags));
}

/** chmod by name. Follows a symlink: call it for other types only (Linux has no mode on symlinks). */
export function fchmodat(dirfd: number, name: ByteString, mode: number): number {
  return result(nativeFchmodat(dirfd, cString(name), mode, 0));
}

/**
 * chmod of an entry of an open directory, never of what a symlink there leads to: EOPNOTSUPP. A `/proc` path with
 * AT_FDCWD (`fdPath`) is followed, as it has to be.
 */
export function chmodEntry(at: Place, mode: number): number {
  if (at.dirfd === AT_FDCWD) return fchmodat(AT_FDCWD, at.name, mode);
  const status = result(nativeSyscall4(SYS_FCHMODAT2, at.dirfd, cString(at.name), mode, AT_SYMLINK_NOFOLLOW));
  if (status !== -errno.ENOSYS && status !== -errno.EPERM) return status;
  return chmodOpened(at, mode);
}

/** Before Linux 6.6, and under a seccomp filter that is older. */
function chmodOpened(at: Place, mode: number): number {
  const fd = openat(at.dirfd, at.name, O_PATH | O_NOFOLLOW);
  if (fd < 0) return fd;
  const link = readlinkat(fd, '');
  const status = typeof link === 'string' ? -errno.EOPNOTSUPP : fchmodat(AT_FDCWD, fdPath(fd), mode);
  close(fd);
  return status;
}

export function fchmod(fd: number, mode: number): number {
  return result(nativeFchmod(fd, mode));
}

/** chown by name, of a symlink itself. -1 keeps a value. */
export function fchownat(dirfd: number, name: ByteString, owner: { uid: number; gid: number }): number {
  return result(nativeFchownat(dirfd, cString(name), owner.uid >>> 0, owner.gid >>> 0, AT_SYMLINK_NOFOLLOW));
}

/** chown of an open file, O_PATH ones included. */
export function fchown(fd: number, owner: { uid: number; gid: number }): number {
  return result(nativeFchownat(fd, cString(''), owner.uid >>> 0, owner.gid >>> 0, AT_EMPTY_PATH));
}

/** Seconds and nanoseconds; `nsec` may be UTIME_NOW or UTIME_OMIT. */
export interface Timestamp {
  readonly sec: number;
  readonly nsec: number;
}

const timespecs = Buffer.alloc(32);
/** As 32-bit halves, low ones first: BigInts would take longer than the call. */
const words = new Uint32Array(timespecs.buffer, timespecs.byteOffset, 8);
const HIGH = 0x100000000;

function writeTimes(atime: Timestamp, mtime: Timestamp): Buffer {
  words[0] = atime.sec;
  words[1] = Math.floor(atime.sec / HIGH);
  words[2] = atime.nsec;
  words[4] = mtime.sec;
  words[5] = Math.floor(mtime.sec / HIGH);
  words[6] = mtime.nsec;
  return timespecs;
}

/** Sets times by name, of a symlink itself. */
export function utimensat(dirfd: number, name: ByteString, times: { atime: Timestamp; mtime: Timestamp }): number {
  return result(nativeUtimensat(dirfd, cString(name), writeTimes(times.atime, times.mtime), AT_SYMLINK_NOFOLLOW));
}

/** Sets times by path, following symlinks: for `fdPath` of an O_PATH file. */
export function utimens(path: ByteString, times: { atime: Timestamp; mtime: Timestamp }): number {
  return result(nativeUtimensat(AT_FDCWD, cString(path), writeTimes(times.atime, times.mtime), 0));
}

/** Sets times of an open file (for an O_PATH one, through `fdPath`). */
export function futimens(fd: number, times: { atime: Timestamp; mtime: Timestamp }): number {
  return result(nativeFutimens(fd, writeTimes(times.atime, times.mtime)));
}

/** Sets the process's umask and returns the one before. It is shared by all threads. */
export function umask(mask: number): number {
  return nativeUmask(mask);
}

/** A path that names an open file: the way to calls that take no fd, or refuse an O_PATH one. */
export function fdPath(fd: number): ByteString {
  return `/proc/self/fd/${String(fd)}`;
}

/** A path that names an entry of an open directory, for calls that have no `at` form. */
export function entryPath(dirfd: number, name: ByteString): ByteString {
  return `/proc/self/fd/${String(dirfd)}/${name}`;
}
