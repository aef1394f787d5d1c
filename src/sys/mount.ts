// Mounting, and what a mounted file system says of itself.

import type { ByteString } from '../core/index.js';
import { bind, cString, result } from './libc.js';

const nativeMount = bind('int mount(void *, void *, void *, unsigned long, void *)');
const nativeUmount2 = bind('int umount2(void *, int)');
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
