// statx(2): times to the nanosecond, birth time, and inode numbers no wider number type rounds.

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IFCHR, STATX_BASIC_STATS, STATX_BTIME } from './constants.js';
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from './constants.js';
import { bind, cString, result } from './libc.js';
import type { ByteString } from '../core/index.js';

const native = bind('int statx(int, void *, int, unsigned int, void *)');

const HIGH = 0x100000000;

/**
 * What statx filled in: a view on its own 256 bytes (`struct statx`, linux/stat.h), so that one object can be
 * reused for every call. Sizes and seconds are safe integers; inode numbers come as two 32-bit halves or a bigint.
 */
export class Stat {
  readonly bytes = Buffer.alloc(256);
  readonly #u32 = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, 64);
  readonly #i32 = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, 64);

  #word(index: number): number {
    return this.#u32[index] ?? 0;
  }
  #seconds(index: number): number {
    return (this.#i32[index + 1] ?? 0) * HIGH + this.#word(index);
  }

  get mask(): number {
    return this.#word(0);
  }
  get blksize(): number {
    return this.#word(1);
  }
  /** STATX_ATTR_*. */
  get attributes(): number {
    return this.#word(2);
  }
  get nlink(): number {
    return this.#word(4);
  }
  get uid(): number {
    return this.#word(5);
  }
  get gid(): number {
    return this.#word(6);
  }
  /** File type and permission bits. */
  get mode(): number {
    return this.#word(7) & 0xffff;
  }
  get inoLow(): number {
    return this.#word(8);
  }
  get inoHigh(): number {
    return this.#word(9);
  }
  get ino(): bigint {
    return (BigInt(this.inoHigh) << 32n) | BigInt(this.inoLow);
  }
  get size(): number {
    return this.#word(11) * HIGH + this.#word(10);
  }
  /** In units of 512 bytes. */
  get blocks(): number {
    return this.#word(13) * HIGH + this.#word(12);
  }
  get atimeSec(): number {
    return this.#seconds(16);
  }
  get atimeNsec(): number {
    return this.#word(18);
  }
  get btimeSec(): number {
    return this.#seconds(20);
  }
  get btimeNsec(): number {
    return this.#word(22);
  }
  get ctimeSec(): number {
    return this.#seconds(24);
  }
  get ctimeNsec(): number {
    return this.#word(26);
  }
  get mtimeSec(): number {
    return this.#seconds(28);
  }
  get mtimeNsec(): number {
    return this.#word(30);
  }
  get rdevMajor(): number {
    return this.#word(32);
  }
  get rdevMinor(): number {
    return this.#word(33);
  }
  get devMajor(): number {
    return this.#word(34);
  }
  get devMinor(): number {
    return this.#word(35);
  }
  /** The device as one number that is equal for equal devices. */
  get dev(): number {
    return this.devMajor * HIGH + this.devMinor;
  }
  /** `st_rdev` in the encoding of mknod(2) and FUSE (`new_encode_dev`, linux/kdev_t.h). */
  get rdev(): number {
    return encodeDev(this.rdevMajor, this.rdevMinor);
  }
  get type(): number {
    return this.mode & S_IFMT;
  }
  get isDirectory(): boolean {
    return this.type === S_IFDIR;
  }
  get isRegular(): boolean {
    return this.type === S_IFREG;
  }
  get isSymlink(): boolean {
    return this.type === S_IFLNK;
  }
  /** Puts other values in the place of those filled in. `mode` has the type. */
  assume(other: {
    uid?: number;
    gid?: number;
    mode?: number;
    blocks?: number;
    device?: { major: number; minor: number };
  }): void {
    if (other.uid !== undefined) this.#u32[5] = other.uid;
    if (other.gid !== undefined) this.#u32[6] = other.gid;
    if (other.mode !== undefined) this.#u32[7] = (this.#word(7) & ~0xffff) | other.mode;
    if (other.blocks !== undefined) {
      this.#u32[12] = other.blocks >>> 0;
      this.#u32[13] = Math.floor(other.blocks / HIGH);
    }
    if (other.device === undefined) return;
    this.#u32[32] = other.device.major;
    this.#u32[33] = other.device.minor;
  }
  /** The overlay's whiteout: a character device 0/0. */
  get isWhiteoutDevice(): boolean {
    return this.type === S_IFCHR && this.rdevMajor === 0 && this.rdevMinor === 0;
  }
}

/** `new_encode_dev` of linux/kdev_t.h: a device number in 32 bits. */
export function encodeDev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** The halves of a 32-bit device number: `[major, minor]`. */
export function decodeDev(dev: number): readonly [number, number] {
  return [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)];
}

const MASK = STATX_BASIC_STATS | STATX_BTIME;

/** statx of `name` below `dirfd`, not following a last symlink. */
export function statx(dirfd: number, name: ByteString, into: Stat): number {
  return result(native(dirfd, cString(name), AT_SYMLINK_NOFOLLOW, MASK, into.bytes));
}

/** statx of `name` below `dirfd`, following symlinks. */
export function statxFollow(dirfd: number, name: ByteString, into: Stat): number {
  return result(native(dirfd, cString(name), 0, MASK, into.bytes));
}

/** statx of an open file, O_PATH ones included. */
export function fstatx(fd: number, into: Stat): number {
  return result(native(fd, cString(''), AT_EMPTY_PATH, MASK, into.bytes));
}
