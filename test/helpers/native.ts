// System calls that tests make and the product does not: path truncate, access, raw getdents, identities, mappings.

import type { ByteString } from '../../src/core/index.js';
import { bind, cString, result } from '../../src/sys/libc.js';

const nativeTruncate = bind('int truncate64(void *, int64_t)');
const nativeFstatat = bind('int fstatat64(int, void *, void *, int)');
const nativeFaccessat = bind('int faccessat(int, void *, int, int)');
const nativeLseek = bind('int64_t lseek64(int, int64_t, int)');
const nativeGetdents = bind('intptr_t getdents64(int, void *, size_t)');
const nativeChownFollow = bind('int chown(void *, unsigned int, unsigned int)');
const nativeSyscall2 = bind('intptr_t syscall(long, intptr_t, void *)');
const nativeSyscall3 = bind('intptr_t syscall(long, intptr_t, intptr_t, intptr_t)');
const nativeMmap = bind('intptr_t mmap64(intptr_t, size_t, int, int, int, int64_t)');
const nativeMunmap = bind('int munmap(intptr_t, size_t)');
const nativeMsync = bind('int msync(intptr_t, size_t, int)');
const nativeStore = bind('intptr_t memcpy(intptr_t, void *, size_t)');
const nativeLoad = bind('intptr_t memmove(void *, intptr_t, size_t)');

const AT_FDCWD = -100;
const AT_EACCESS = 0x200;

/** Larger than any architecture's struct stat. */
const STAT = Buffer.alloc(256);

export function truncate(path: ByteString, size: number): number {
  return result(nativeTruncate(cString(path), size));
}

/** stat(2) without a birth time, as most programs ask; 0 or -errno. Follows a symlink. */
export function stat(path: ByteString): number {
  return result(nativeFstatat(AT_FDCWD, cString(path), STAT, 0));
}

/** access(2) for the effective identity: `mode` of R_OK 4, W_OK 2, X_OK 1. */
export function access(path: ByteString, mode: number): number {
  return result(nativeFaccessat(AT_FDCWD, cString(path), mode, AT_EACCESS));
}

/** chown(2): follows a symlink. */
export function chown(path: ByteString, owner: { uid: number; gid: number }): number {
  return result(nativeChownFollow(cString(path), owner.uid >>> 0, owner.gid >>> 0));
}

/** lseek(2) for positions beyond 2^53: those in directories. */
export function lseek(fd: number, offset: number | bigint, whence: number): number {
  return result(Number((nativeLseek as (...args: unknown[]) => number | bigint)(fd, offset, whence)));
}

export interface Dirent {
  readonly name: ByteString;
  readonly ino: bigint;
  readonly offset: bigint;
  readonly type: number;
}

/** One getdents64 call with a buffer of `size` bytes: the entries, `.` and `..` included; [] at the end; or -errno. */
export function getdents(fd: number, size = 32768): Dirent[] | number {
  const buffer = Buffer.alloc(size);
  const length = result(nativeGetdents(fd, buffer, size));
  if (length < 0) return length;
  const entries: Dirent[] = [];
  for (let at = 0; at < length; at += buffer.readUInt16LE(at + 16)) {
    entries.push({
      name: buffer.toString('latin1', at + 19, buffer.indexOf(0, at + 19)),
      ino: buffer.readBigUInt64LE(at),
      offset: buffer.readBigInt64LE(at + 8),
      type: buffer[at + 18]!,
    });
  }
  return entries;
}

// Linux syscall numbers, asm/unistd.h: the raw calls change the calling thread only.
const NUMBERS =
  process.arch === 'arm64'
    ? { setresuid: 147, setresgid: 149, setgroups: 159 }
    : { setresuid: 117, setresgid: 119, setgroups: 116 };

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly groups?: readonly number[];
}

function must(value: number, call: string): void {
  if (value < 0) throw new Error(`${call} failed with errno ${String(-value)}`);
}

function setGroups(groups: readonly number[]): void {
  const list = Buffer.alloc(4 * Math.max(groups.length, 1));
  groups.forEach((gid, index) => list.writeUInt32LE(gid, 4 * index));
  must(result(nativeSyscall2(NUMBERS.setgroups, groups.length, list)), 'setgroups');
}

/**
 * Runs synchronous code with the effective identity of a user: this thread only, without any capability.
 * Needs root; the saved uid leads back.
 */
export function runAs<T>(user: User, run: () => T): T {
  setGroups(user.groups ?? []);
  must(result(nativeSyscall3(NUMBERS.setresgid, -1, user.gid, -1)), 'setresgid');
  must(result(nativeSyscall3(NUMBERS.setresuid, -1, user.uid, -1)), 'setresuid');
  try {
    return run();
  } finally {
    must(result(nativeSyscall3(NUMBERS.setresuid, -1, 0, -1)), 'setresuid');
    must(result(nativeSyscall3(NUMBERS.setresgid, -1, 0, -1)), 'setresgid');
    setGroups([0]);
  }
}

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
const MS_SYNC = 4;

/** A mapping of a file. Access beyond the file's end, or after the server's death, is SIGBUS: fatal to the process. */
export class Mapping {
  readonly #address: number;
  readonly #length: number;
  #mapped = true;

  private constructor(address: number, length: number) {
    this.#address = address;
    this.#length = length;
  }

  /** mmap(2) from offset 0; or -errno. */
  static of(fd: number, options: { length: number; prot: number; flags: number }): Mapping | number {
    const address = result(nativeMmap(0, options.length, options.prot, options.flags, fd, 0));
    return address < 0 ? address : new Mapping(address, options.length);
  }

  load(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    nativeLoad(bytes, this.#address + offset, length);
    return bytes;
  }

  store(offset: number, bytes: Uint8Array): void {
    nativeStore(this.#address + offset, bytes, bytes.length);
  }

  sync(): number {
    return result(nativeMsync(this.#address, this.#length, MS_SYNC));
  }

  /** Harmless when it is done already. */
  unmap(): number {
    if (!this.#mapped) return 0;
    this.#mapped = false;
    return result(nativeMunmap(this.#address, this.#length));
  }
}

const FCNTL = process.arch === 'arm64' ? 25 : 72;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

/** struct flock, asm-generic/fcntl.h, from the start of the file. */
function flockRange(type: number, range: { start: number; length: number }): Buffer {
  const lock = Buffer.alloc(32);
  lock.writeInt16LE(type, 0);
  lock.writeBigInt64LE(BigInt(range.start), 8);
  lock.writeBigInt64LE(BigInt(range.length), 16);
  return lock;
}

const nativeFcntl = bind('intptr_t syscall(long, intptr_t, intptr_t, void *)');

/** A lock of the open file description: it conflicts between two opens of one process. */
export function ofdLock(fd: number, type: number, range = { start: 0, length: 0 }): number {
  return result(nativeFcntl(FCNTL, fd, F_OFD_SETLK, flockRange(type, range)));
}

/** The type of a lock that is in the way of this one, F_UNLCK for none; or -errno. */
export function ofdConflict(fd: number, type: number, range = { start: 0, length: 0 }): number {
  const lock = flockRange(type, range);
  const status = result(nativeFcntl(FCNTL, fd, F_OFD_GETLK, lock));
  return status < 0 ? status : lock.readInt16LE(0);
}
