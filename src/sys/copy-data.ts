// Copying a file's content as the kernel's overlay does at copy-up: shared blocks where the file system can,
// else inside the kernel, data only: holes stay holes.

import { errno } from '../core/index.js';
import { SEEK_DATA, SEEK_HOLE } from './constants.js';
import { copyFileRange, ficlone, ftruncate, lseek, pread, pwrite, startWriting } from './file.js';

const CHUNK = 1 << 20;

/** Errors of copy_file_range that say "not this way" rather than "failed". */
function mustFallBack(status: number): boolean {
  return (
    status === -errno.EXDEV ||
    status === -errno.EINVAL ||
    status === -errno.EOPNOTSUPP ||
    status === -errno.ENOSYS ||
    status === -errno.EPERM
  );
}

/** Copies [start, end) by reading and writing. Returns 0 or -errno. */
function copyThroughMemory(from: number, to: number, start: number, end: number): number {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, end - start));
  for (let at = start; at < end;) {
    const got = pread(from, buffer.subarray(0, Math.min(buffer.length, end - at)), at);
    if (got < 0) return got;
    if (got === 0) return 0;
    for (let done = 0; done < got;) {
      const put = pwrite(to, buffer.subarray(done, got), at + done);
      if (put < 0) return put;
      done += put;
    }
    at += got;
  }
  return 0;
}

/** So much is copied before the disk is told to begin with it. */
const STRETCH = 8 << 20;

function copyRange(from: number, to: number, start: number, end: number): number {
  for (let at = start; at < end;) {
    const length = Math.min(STRETCH, end - at);
    const copied = copyFileRange({ fd: from, offset: at }, { fd: to, offset: at }, length);
    if (copied === STRETCH) startWriting(to, { offset: at, length });
    if (copied > 0) at += copied;
    else if (copied < 0 && !mustFallBack(copied)) return copied;
    // 0 before the end: some file systems (procfs, old FUSE) cannot be copied from in the kernel.
    else return copyThroughMemory(from, to, at, end);
  }
  return 0;
}

/** Makes the empty file `to` equal to the first `size` bytes of `from`. Returns 0 or -errno. */
export function copyData(from: number, to: number, size: number): number {
  if (size === 0) return 0;
  if (ficlone(to, from) >= 0) return ftruncate(to, size);
  const sized = ftruncate(to, size);
  if (sized < 0) return sized;
  for (let at = 0; at < size;) {
    const data = lseek(from, at, SEEK_DATA);
    if (data === -errno.ENXIO) return 0;
    if (data < 0) return copyRange(from, to, at, size);
    const hole = lseek(from, data, SEEK_HOLE);
    const end = hole < 0 ? size : Math.min(hole, size);
    const status = copyRange(from, to, data, end);
    if (status < 0) return status;
    at = Math.max(end, data + 1);
  }
  return 0;
}
