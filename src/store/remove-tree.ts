// Removing directory trees that strangers made: by directory fd and single names, never through a symlink,
// never into a mounted file system, at any depth.

import type { ByteString } from '../core/index.js';
import { VeneerError, displayBytes, errno } from '../core/index.js';
import { AT_FDCWD, AT_REMOVEDIR, DT_DIR, DT_UNKNOWN, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from '../sys/index.js';
import { RENAME_NOREPLACE, Stat, close, fchmod, fchmodat, fstatx, listDirectory, must, openat } from '../sys/index.js';
import { renameat2, unlinkat, unlinkatAside } from '../sys/index.js';

/** Fds of one removal at most. What lies deeper is first moved up to the root of the tree. */
const MAX_DEPTH = 64;

const stat = new Stat();

/** Thrown by a removal that takes longer than it may. */
class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

class Removal {
  readonly #rootFd: number;
  readonly #dev: number;
  readonly #deadline: number;
  #moved = 0;

  /** `patience` in milliseconds. */
  constructor(rootFd: number, patience = Infinity) {
    this.#rootFd = rootFd;
    this.#deadline = performance.now() + patience;
    must(fstatx(rootFd, stat), 'statx');
    this.#dev = stat.dev;
  }

  /** Removes everything below the root. */
  run(): void {
    let before: number;
    do {
      before = this.#moved;
      this.#empty(this.#rootFd, 0);
    } while (this.#moved > before);
  }

  #empty(fd: number, depth: number): void {
    const entries = listDirectory(fd);
    if (typeof entries === 'number') {
      must(entries, 'getdents64');
      return;
    }
    for (const { name, type } of entries) {
      if (type !== DT_DIR) {
        if (performance.now() > this.#deadline) throw new OutOfTime();
        const status = this.#unlink(fd, name, 0);
        if (status >= 0 || status === -errno.ENOENT) continue;
        // A directory on a file system that does not tell types.
        if (type !== DT_UNKNOWN || status !== -errno.EISDIR) must(status, 'unlink', displayBytes(name));
      }
      this.#directory(fd, name, depth + 1);
    }
  }

  #directory(parent: number, name: ByteString, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.#moveUp(parent, name);
      return;
    }
    const fd = openDirectory(parent, name);
    try {
      must(fstatx(fd, stat), 'statx');
      if (stat.dev !== this.#dev) throw mountedInside(name);
      this.#empty(fd, depth);
    } finally {
      close(fd);
    }
    const status = this.#unlink(parent, name, AT_REMOVEDIR);
    if (status === -errno.EBUSY) throw mountedInside(name);
    must(status, 'rmdir', displayBytes(name));
  }

  #moveUp(parent: number, name: ByteString): void {
    for (;;) {
      this.#moved += 1;
      const to = { dirfd: this.#rootFd, name: `deep.${String(this.#moved)}` };
      const status = renameat2({ dirfd: parent, name }, to, RENAME_NOREPLACE);
      if (status === -errno.EEXIST) continue;
      must(status, 'rename', displayBytes(name));
      return;
    }
  }

  /** An owner who is not root needs write permission on the directory. */
  #unlink(dirfd: number, name: ByteString, flags: number): number {
    const status = unlinkat(dirfd, name, flags);
    if (status !== -errno.EACCES || fchmod(dirfd, 0o700) < 0) return status;
    return unlinkat(dirfd, name, flags);
  }
}

function mountedInside(name: ByteString): VeneerError {
  return new VeneerError('in-use', `cannot remove directory '${displayBytes(name)}': something is mounted on it`, {
    hint: 'un-mount it first',
  });
}

function openDirectory(dirfd: number, name: ByteString): number {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  let fd = openat(dirfd, name, flags);
  if (fd === -errno.EACCES && fchmodat(dirfd, name, 0o700) >= 0) fd = openat(dirfd, name, flags);
  return must(fd, 'open', displayBytes(name));
}

/**
 * Removes a directory and all below it. Nobody else may write there meanwhile. Throws `in-use` at a mounted file system,
 * SysError otherwise; what is left then can be removed by another call.
 */
export function removeTree(path: ByteString): void {
  removeWithin(path, Infinity);
}

function removeWithin(path: ByteString, patience: number): void {
  const fd = openDirectory(AT_FDCWD, path);
  try {
    new Removal(fd, patience).run();
  } finally {
    close(fd);
  }
  must(unlinkat(AT_FDCWD, path, AT_REMOVEDIR), 'rmdir', displayBytes(path));
}

/** Milliseconds after which a removal is not done by this thread alone any more. */
const PATIENCE = 100;
/** Files that are being removed at once. */
const AT_ONCE = 64;

/**
 * As `removeTree`, by several threads where it takes a while: a file system may wait for the disk with each file (ext4 without a journal
 * discards its blocks before unlink(2) returns).
 */
export async function removeTreeAside(path: ByteString, patience = PATIENCE): Promise<void> {
  try {
    removeWithin(path, patience);
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    await removeFilesAside(path);
    removeTree(path);
  }
}

/** Removes what it can of the files below a directory, and leaves the directories. */
async function removeFilesAside(path: ByteString): Promise<void> {
  const root = openDirectory(AT_FDCWD, path);
  must(fstatx(root, stat), 'statx');
  const { dev } = stat;
  const running = new Set<Promise<unknown>>();

  const empty = async (fd: number, depth: number): Promise<void> => {
    const entries = listDirectory(fd);
    const own: Promise<unknown>[] = [];
    for (const { name, type } of typeof entries === 'number' ? [] : entries) {
      if (type === DT_DIR) {
        if (depth < MAX_DEPTH) await descend(fd, name, depth + 1);
        continue;
      }
      while (running.size >= AT_ONCE) await Promise.race(running);
      const removal = unlinkatAside(fd, name).finally(() => running.delete(removal));
      running.add(removal);
      own.push(removal);
    }
    void Promise.allSettled(own).then(() => close(fd));
  };
  const descend = async (parent: number, name: ByteString, depth: number): Promise<void> => {
    const fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0) return;
    if (fstatx(fd, stat) >= 0 && stat.dev === dev) await empty(fd, depth);
    else close(fd);
  };

  await empty(root, 0);
  await Promise.all(running);
}
