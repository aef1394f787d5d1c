// The one door to native code: libc through koffi. Nothing here decides anything; each other file of
// this folder wraps one family of calls. All calls are synchronous and made on the calling thread, so
// errno, which is per thread, is still the call's own when it is read.

import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';

const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;

const libc = koffi.load('libc.so.6');

type Native = (...args: readonly unknown[]) => number;

/** Binds a libc function by its C prototype. Variadic ones are bound with the arguments we pass. */
export function bind(prototype: string): Native {
  return libc.func(prototype);
}

/** The result of a call that reports failure as -1: the value itself, or -errno. */
export function result(value: number): number {
  return value < 0 ? -koffi.errno() : value;
}

/**
 * Turns a negative result into a SysError and passes every other one through. All functions of `sys`
 * return a value >= 0 or -errno, as the kernel's own ABI does; use `must` where failure is unexpected.
 */
export function must(value: number, syscall: string, path?: string): number {
  if (value < 0) throw new SysError(-value, syscall, path);
  return value;
}

const PATH_MAX = 4096;
const scratch = [Buffer.alloc(PATH_MAX + 4096), Buffer.alloc(PATH_MAX + 4096)] as const;

/**
 * A NUL-terminated copy of `bytes`, in one of two buffers that live until the next call with the same
 * slot. A name with a NUL inside, or a too long one, is cut to one the kernel refuses (ENOENT, ENAMETOOLONG).
 */
export function cString(bytes: ByteString, slot: 0 | 1 = 0): Buffer {
  const buffer = scratch[slot];
  const length = bytes.includes('\0') ? 0 : buffer.write(bytes, 0, buffer.length - 1, 'latin1');
  buffer[length] = 0;
  return buffer;
}
