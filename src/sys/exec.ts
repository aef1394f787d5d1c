// Becoming another program.

import type { ByteString } from '../core/index.js';
import { addressOf, bind, cString, result } from './libc.js';

const nativeExecv = bind('int execv(void *, void *)');

/**
 * execv(2): this process becomes another program, with `process.env` as it is now. The other threads end; fds that are not
 * close-on-exec stay open. Returns only on failure, -errno.
 */
export function execv(file: ByteString, args: readonly ByteString[]): number {
  const strings = args.map((arg) => Buffer.from(`${arg}\0`, 'latin1'));
  // Ends with a null pointer.
  const pointers = Buffer.alloc(8 * (strings.length + 1));
  strings.forEach((string, index) => pointers.writeBigUInt64LE(addressOf(string), index * 8));
  return result(nativeExecv(cString(file), pointers));
}
