// Open files. A handle holds no fd until one is needed: with passthrough the kernel reads and writes by itself.

import { errno, SysError } from '../core/index.js';
import {
  AT_FDCWD,
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECT,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
  close,
  fdPath,
  openat,
} from '../sys/index.js';
import type { Place as SysPlace } from '../sys/index.js';
import type { FileNode } from './node.js';

export interface Handle {
  readonly node: FileNode;
  /** As the user opened it. */
  readonly flags: number;
  /** -1 while none is open. */
  fd: number;
}

const FMODE_EXEC = 0x20;

/** Flags that act on the name or on the caller's own descriptor. O_DIRECT would ask for aligned buffers of ours. */
const NOT_FOR_US = O_CREAT | O_EXCL | O_NOCTTY | O_NOFOLLOW | O_TRUNC | O_APPEND | O_DIRECT | O_TMPFILE;

/** Opens the real file behind a node; for writing only when it is in the upper. Returns an fd or -errno. */
export function openReal(node: FileNode, flags: number): number {
  const how = (flags & ~NOT_FOR_US) | O_NOCTTY | O_NONBLOCK;
  if (node.pinned >= 0) return openAllowed({ dirfd: AT_FDCWD, name: fdPath(node.pinned) }, how, flags);
  const reading = (flags & O_ACCMODE) === O_RDONLY;
  const place = (reading ? node.data : undefined) ?? node.upper ?? (reading ? node.lower : undefined);
  if (place === undefined) return -errno.ESTALE;
  const dirfd = place.dir.fd();
  return dirfd < 0 ? dirfd : openAllowed({ dirfd, name: place.name }, how | O_NOFOLLOW, flags);
}

/** A real file that is append-only can be opened no other way; then what is written goes to its end, as it must. */
function openAllowed(at: SysPlace, how: number, flags: number): number {
  const fd = openat(at.dirfd, at.name, how);
  if (fd !== -errno.EPERM || (flags & O_APPEND) === 0) return fd;
  return openat(at.dirfd, at.name, how | O_APPEND);
}

/** Opens for reading the regular file whose attributes a node has: of a metadata-only copy that one, not its data. */
export function openTop(node: FileNode): number {
  const how = O_RDONLY | O_NONBLOCK;
  if (node.pinned >= 0) return openat(AT_FDCWD, fdPath(node.pinned), how);
  const place = node.upper ?? node.lower;
  if (place === undefined) return -errno.ESTALE;
  const dirfd = place.dir.fd();
  return dirfd < 0 ? dirfd : openat(dirfd, place.name, how | O_NOFOLLOW);
}

export class HandleTable {
  readonly #handles: (Handle | undefined)[] = [undefined];
  readonly #free: number[] = [];

  /** Registers an open file; its number is never 0. */
  add(handle: Handle): number {
    handle.node.opens += 1;
    const fh = this.#free.pop() ?? this.#handles.length;
    this.#handles[fh] = handle;
    return fh;
  }

  /** Throws EBADF for a number the kernel should not know. */
  get(fh: number): Handle {
    const handle = this.#handles[fh];
    if (handle === undefined) throw new SysError(errno.EBADF, 'handle', String(fh));
    return handle;
  }

  /** The fd of a handle, opened now if need be, or -errno. */
  fd(fh: number): number {
    const handle = this.get(fh);
    if (handle.fd < 0) handle.fd = openReal(handle.node, handle.flags);
    return handle.fd;
  }

  /** Takes a handle out; its fd is closed. */
  remove(fh: number): Handle {
    const handle = this.get(fh);
    this.#handles[fh] = undefined;
    this.#free.push(fh);
    if (handle.fd >= 0) close(handle.fd);
    handle.fd = -1;
    handle.node.opens -= 1;
    return handle;
  }

  /** Whether a process runs the file: execve opens it with __FMODE_EXEC among the flags (linux/fs.h). */
  isExecuted(node: FileNode): boolean {
    return this.#handles.some((handle) => handle?.node === node && (handle.flags & FMODE_EXEC) !== 0);
  }

  /** The files that somebody has open for writing. */
  written(): Set<FileNode> {
    const nodes = new Set<FileNode>();
    for (const handle of this.#handles) {
      if (handle !== undefined && (handle.flags & O_ACCMODE) !== O_RDONLY) nodes.add(handle.node);
    }
    return nodes;
  }

  /** Whether somebody has the file open for writing. */
  isWritten(node: FileNode): boolean {
    return this.#handles.some((handle) => handle?.node === node && (handle.flags & O_ACCMODE) !== O_RDONLY);
  }

  /** After copy-up: what was read from the lower file is read from the upper one from now on. */
  reopen(node: FileNode): void {
    for (const handle of this.#handles) {
      if (handle?.node !== node || handle.fd < 0) continue;
      close(handle.fd);
      handle.fd = -1;
    }
  }

  close(): void {
    for (const handle of this.#handles) if (handle !== undefined && handle.fd >= 0) close(handle.fd);
    this.#handles.length = 1;
  }
}
