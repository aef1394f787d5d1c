// Copying a file's content as the kernel's overlay does at copy-up: shared blocks where the file system can,
// else inside the kernel, data only: holes stay holes.

import { errno } from '../core/index.js';
import { copyFileRangeAside, preadAside, pwriteAside, startWritingAside } from './aside.js';
import { SEEK_DATA, SEEK_HOLE } from './constants.js';
import { copyFileRange, ficlone, ftruncate, lseek, pread, pwrite, startWriting } from './file.js';

/** The part of a copy that moves data: a call on [offset, offset + length) of both files, or on one with `bytes`. */
type Step =
  | {
      readonly call: 'copy';
      readonly from: number;
      readonly to: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly call: 'flush'; readonly fd: number; readonly offset: number; readonly length: number }
  | { readonly call: 'read' | 'write'; readonly fd: number; readonly bytes: Uint8Array; readonly offset: number };

/** Asks for steps, is told how each went (>= 0 or -errno), and comes to 0 or -errno. */
type Copying = Generator<Step, number, number>;

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

/** Copies [start, end) by reading and writing. */
function* copyThroughMemory(from: number, to: number, start: number, end: number): Copying {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, end - start));
  for (let at = start; at < end;) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, end - at));
    const got = yield { call: 'read', fd: from, bytes: wanted, offset: at };
    if (got < 0) return got;
    if (got === 0) return 0;
    for (let done = 0; done < got;) {
      const put = yield { call: 'write', fd: to, bytes: buffer.subarray(done, got), offset: at + done };
      if (put < 0) return put;
      done += put;
    }
    at += got;
  }
  return 0;
}

/** So much is copied before the disk is told to begin with it. */
const STRETCH = 8 << 20;

function* copyRange(from: number, to: number, start: number, end: number): Copying {
  for (let at = start; at < end;) {
    const length = Math.min(STRETCH, end - at);
    const copied = yield { call: 'copy', from, to, offset: at, length };
    if (copied === STRETCH) yield { call: 'flush', fd: to, offset: at, length };
    if (copied > 0) at += copied;
    else if (copied < 0 && !mustFallBack(copied)) return copied;
    // 0 before the end: some file systems (procfs, old FUSE) cannot be copied from in the kernel.
    else return yield* copyThroughMemory(from, to, at, end);
  }
  return 0;
}

function* copying(from: number, to: number, size: number): Copying {
  if (size === 0) return 0;
  const sized = ftruncate(to, size);
  if (sized < 0) return sized;
  for (let at = 0; at < size;) {
    const data = lseek(from, at, SEEK_DATA);
    if (data === -errno.ENXIO) return 0;
    if (data < 0) return yield* copyRange(from, to, at, size);
    const hole = lseek(from, data, SEEK_HOLE);
    const end = hole < 0 ? size : Math.min(hole, size);
    const status = yield* copyRange(from, to, data, end);
    if (status < 0) return status;
    at = Math.max(end, data + 1);
  }
  return 0;
}

/** The calls that steps are made of, by this thread or by others. */
interface Calls<T> {
  readonly copyFileRange: (
    from: { fd: number; offset: number },
    to: { fd: number; offset: number },
    length: number,
  ) => T;
  readonly startWriting: (fd: number, range: { offset: number; length: number }) => T;
  readonly pread: (fd: number, into: Uint8Array, offset: number) => T;
  readonly pwrite: (fd: number, from: Uint8Array, offset: number) => T;
}

const HERE: Calls<number> = { copyFileRange, startWriting, pread, pwrite };
const ASIDE: Calls<Promise<number>> = {
  copyFileRange: copyFileRangeAside,
  startWriting: startWritingAside,
  pread: preadAside,
  pwrite: pwriteAside,
};

function takeStep<T>(step: Step, calls: Calls<T>): T {
  const { offset } = step;
  switch (step.call) {
    case 'copy':
      return calls.copyFileRange({ fd: step.from, offset }, { fd: step.to, offset }, step.length);
    case 'flush':
      return calls.startWriting(step.fd, step);
    case 'read':
      return calls.pread(step.fd, step.bytes, offset);
    case 'write':
      return calls.pwrite(step.fd, step.bytes, offset);
  }
}

function runHere(steps: Copying): number {
  let next = steps.next();
  while (next.done !== true) next = steps.next(takeStep(next.value, HERE));
  return next.value;
}

/** Makes the empty file `to` equal to the first `size` bytes of `from` by sharing blocks. Returns 0, or -errno where it cannot. */
export function cloneData(from: number, to: number, size: number): number {
  const cloned = ficlone(to, from);
  return cloned < 0 ? cloned : ftruncate(to, size);
}

/** Makes the empty file `to` equal to the first `size` bytes of `from`. Returns 0 or -errno. */
export function copyData(from: number, to: number, size: number): number {
  if (size === 0) return 0;
  return cloneData(from, to, size) < 0 ? copySparse(from, to, size) : 0;
}

/** As `copyData`, without shared blocks. */
export function copySparse(from: number, to: number, size: number): number {
  return runHere(copying(from, to, size));
}

/** As `copyData`, of a file known to have no holes worth keeping, and without shared blocks. */
export function copyDense(from: number, to: number, size: number): number {
  return runHere(copyRange(from, to, 0, size));
}

/** As `copyData`, by other threads, and without shared blocks. Both fds must stay open, and their offsets are moved. */
export async function copyDataAside(from: number, to: number, size: number): Promise<number> {
  const steps = copying(from, to, size);
  let next = steps.next();
  while (next.done !== true) next = steps.next(await takeStep(next.value, ASIDE));
  return next.value;
}
