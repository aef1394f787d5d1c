// INIT: what the kernel offers and what we take (struct fuse_init_in, fuse_init_out). Pure.

import { FUSE_KERNEL_MINOR_VERSION, FUSE_KERNEL_VERSION, INIT_IN, INIT_OUT, initFlag, initFlag2 } from './abi.js';
import type { Request } from './request.js';

export interface InitOffer {
  readonly major: number;
  readonly minor: number;
  readonly maxReadahead: number;
  readonly flags: number;
  /** Bits 32 and up. */
  readonly flags2: number;
}

export interface InitChoice {
  readonly maxReadahead: number;
  readonly flags: number;
  readonly flags2: number;
  readonly maxWrite: number;
  readonly maxPages: number;
  /** How many file systems may lie below for passthrough; 0 without it. */
  readonly maxStackDepth: number;
}

/** Reads INIT. Throws WireError for a message too short to be one. */
export function readInit(request: Request): InitOffer {
  request.body(INIT_IN.minimum);
  const flags = request.u32(INIT_IN.flags);
  let flags2 = 0;
  if ((flags & initFlag.INIT_EXT) !== 0) {
    request.body(INIT_IN.flags2 + 4);
    flags2 = request.u32(INIT_IN.flags2);
  }
  return {
    major: request.u32(INIT_IN.major),
    minor: request.u32(INIT_IN.minor),
    maxReadahead: request.u32(INIT_IN.maxReadahead),
    flags,
    flags2,
  };
}

/** Writes our side of INIT at `at`; returns its length. */
export function writeInit(buffer: Buffer, at: number, choice: InitChoice): number {
  buffer.fill(0, at, at + INIT_OUT.size);
  buffer.writeUInt32LE(FUSE_KERNEL_VERSION, at + INIT_OUT.major);
  buffer.writeUInt32LE(FUSE_KERNEL_MINOR_VERSION, at + INIT_OUT.minor);
  buffer.writeUInt32LE(choice.maxReadahead, at + INIT_OUT.maxReadahead);
  buffer.writeUInt32LE(choice.flags >>> 0, at + INIT_OUT.flags);
  buffer.writeUInt16LE(MAX_BACKGROUND, at + INIT_OUT.maxBackground);
  buffer.writeUInt16LE((MAX_BACKGROUND * 3) / 4, at + INIT_OUT.congestionThreshold);
  buffer.writeUInt32LE(choice.maxWrite, at + INIT_OUT.maxWrite);
  buffer.writeUInt32LE(1, at + INIT_OUT.timeGran);
  buffer.writeUInt16LE(choice.maxPages, at + INIT_OUT.maxPages);
  buffer.writeUInt32LE(choice.flags2 >>> 0, at + INIT_OUT.flags2);
  buffer.writeUInt32LE(choice.maxStackDepth, at + INIT_OUT.maxStackDepth);
  return INIT_OUT.size;
}

/** Readahead and asynchronous direct I/O requests in flight; the kernel's default of 12 starves fast disks. */
const MAX_BACKGROUND = 64;

const WANTED =
  initFlag.ASYNC_READ |
  initFlag.ATOMIC_O_TRUNC |
  initFlag.BIG_WRITES |
  initFlag.DONT_MASK |
  initFlag.HAS_IOCTL_DIR |
  initFlag.DO_READDIRPLUS |
  initFlag.ASYNC_DIO |
  initFlag.PARALLEL_DIROPS |
  initFlag.POSIX_ACL |
  initFlag.MAX_PAGES |
  initFlag.CACHE_SYMLINKS |
  initFlag.NO_OPENDIR_SUPPORT |
  initFlag.EXPLICIT_INVAL_DATA |
  initFlag.HANDLE_KILLPRIV_V2 |
  initFlag.SETXATTR_EXT |
  initFlag.INIT_EXT;

const WANTED2 = initFlag2.DIRECT_IO_ALLOW_MMAP | initFlag2.NO_EXPORT_SUPPORT;

export interface InitWishes {
  readonly passthrough: boolean;
  readonly acl: boolean;
  readonly maxWrite: number;
  readonly pageSize: number;
}

/** Takes from the offer what we want of it. */
export function chooseInit(offer: InitOffer, wishes: InitWishes): InitChoice {
  const wanted2 = WANTED2 | (wishes.passthrough ? initFlag2.PASSTHROUGH : 0);
  const flags2 = offer.flags2 & wanted2;
  const wanted = wishes.acl ? WANTED : WANTED & ~initFlag.POSIX_ACL;
  return {
    maxReadahead: offer.maxReadahead,
    flags: offer.flags & wanted,
    flags2,
    maxWrite: wishes.maxWrite,
    maxPages: wishes.maxWrite / wishes.pageSize,
    // 1: a backing file may lie on an ordinary file system, and overlayfs may be stacked on us.
    maxStackDepth: (flags2 & initFlag2.PASSTHROUGH) !== 0 ? 1 : 0,
  };
}
