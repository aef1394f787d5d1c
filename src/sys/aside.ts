// Calls on open files that may take as long as the disk does, made by another thread while this one goes on. Each resolves to
// what its namesake in `file.ts` returns. The fds must stay open until then.

import { SYNC_FILE_RANGE_WRITE } from './constants.js';
import { bindAside } from './libc.js';

/** fsync(2). */
export const fsyncAside: (fd: number) => Promise<number> = bindAside('int fsync(int)');

/** fdatasync(2). */
export const fdatasyncAside: (fd: number) => Promise<number> = bindAside('int fdatasync(int)');

/** syncfs(2). */
export const syncfsAside: (fd: number) => Promise<number> = bindAside('int syncfs(int)');

/** flock(2). */
export const flockAside: (fd: number, operation: number) => Promise<number> = bindAside('int flock(int, int)');

/** fallocate(2). Offset and length are in bytes. */
export const fallocateAside: (fd: number, mode: number, offset: number, length: number) => Promise<number> = bindAside(
  'int fallocate64(int, int, int64_t, int64_t)',
);

const nativeCopyFileRange = bindAside('intptr_t copy_file_range(int, void *, int, void *, size_t, unsigned int)');

/** copy_file_range(2) at explicit offsets, in bytes; may copy less than asked. */
export function copyFileRangeAside(
  from: { readonly fd: number; readonly offset: number },
  to: { readonly fd: number; readonly offset: number },
  length: number,
): Promise<number> {
  const offsets = new BigInt64Array([BigInt(from.offset), BigInt(to.offset)]);
  return nativeCopyFileRange(from.fd, offsets.subarray(0, 1), to.fd, offsets.subarray(1), length, 0);
}

const nativeSyncFileRange = bindAside('int sync_file_range(int, int64_t, int64_t, unsigned int)');

/** Begins to write a range of a file to disk, as `startWriting`: which waits where the disk's queue is full. */
export function startWritingAside(
  fd: number,
  range: { readonly offset: number; readonly length: number },
): Promise<number> {
  return nativeSyncFileRange(fd, range.offset, range.length, SYNC_FILE_RANGE_WRITE);
}

const nativePread = bindAside('intptr_t pread64(int, void *, size_t, int64_t)');
const nativePwrite = bindAside('intptr_t pwrite64(int, void *, size_t, int64_t)');

/** pread(2). */
export function preadAside(fd: number, into: Uint8Array, offset: number): Promise<number> {
  return nativePread(fd, into, into.length, offset);
}

/** pwrite(2). */
export function pwriteAside(fd: number, from: Uint8Array, offset: number): Promise<number> {
  return nativePwrite(fd, from, from.length, offset);
}
