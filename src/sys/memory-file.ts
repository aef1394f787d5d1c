// Files without a name, in memory (memfd_create(2)).

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import { bind, cString, result } from './libc.js';

const nativeMemfdCreate = bind('int memfd_create(void *, unsigned int)');
const nativeFcntl = bind('int fcntl(int, int, int)');

/** MFD_CLOEXEC | MFD_ALLOW_SEALING. */
const FLAGS = 0x3;
/** Kernels before 6.3 do not know it, and need no such word. */
const MFD_EXEC = 0x10;

/** An empty file that may be run, and sealed; its fd, close-on-exec, or -errno: -EACCES where vm.memfd_noexec forbids programs. */
export function memoryFile(name: ByteString): number {
  const fd = result(nativeMemfdCreate(cString(name), FLAGS | MFD_EXEC));
  return fd === -errno.EINVAL ? result(nativeMemfdCreate(cString(name), FLAGS)) : fd;
}

const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE. */
const ALL_SEALS = 0xf;

/** Nobody can change it any more. */
export function seal(fd: number): number {
  return result(nativeFcntl(fd, F_ADD_SEALS, ALL_SEALS));
}
