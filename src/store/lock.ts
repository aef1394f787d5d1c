// Locks between processes: flock(2), which the kernel drops with the process that held it.

import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { VeneerError, errno, hasCode } from '../core/index.js';
import { LOCK_EX, LOCK_NB, LOCK_UN, flock, must, retryIntr } from '../sys/index.js';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * The lock of a whole store. It is held for moments: while a directory or blob and the rows that speak of it change
 * together. Acquired after the lock of a container, before a database transaction.
 */
export class StoreLock {
  readonly #fd: number;
  readonly #root: string;
  #depth = 0;

  constructor(root: string) {
    this.#root = root;
    this.#fd = openSync(root, DIRECTORY);
  }

  /** Runs `work`, which must be synchronous, while no other process is in here. May be nested. */
  exclusively<T>(work: () => T): T {
    if (this.#depth === 0)
      must(
        retryIntr(() => flock(this.#fd, LOCK_EX)),
        'flock',
        this.#root,
      );
    this.#depth += 1;
    try {
      return work();
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) flock(this.#fd, LOCK_UN);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Tries to lock an open file; false when another open file has the lock. */
export function tryLock(fd: number, path: string): boolean {
  const status = retryIntr(() => flock(fd, LOCK_EX | LOCK_NB));
  if (status === -errno.EAGAIN) return false;
  must(status, 'flock', path);
  return true;
}

export interface HeldLock extends Disposable {
  release(): void;
}

const RETRY_MS = 20;
/** Longer than any step another process makes in one go, but for copying a large writable layer. */
const PATIENCE_MS = 60_000;

/**
 * Locks a directory, waiting for another holder. The event loop goes on meanwhile, so callers of one process queue up, too.
 * Throws `not-found` when the directory is gone and `in-use` when the wait was too long.
 */
export async function lockDirectory(path: string, object: string, patience = PATIENCE_MS): Promise<HeldLock> {
  let fd: number;
  try {
    fd = openSync(path, DIRECTORY);
  } catch (cause) {
    throw new VeneerError('not-found', `${object} has no directory '${path}'`, {
      cause,
      hint: "'veneer system check' names what is wrong with the store",
    });
  }
  const release = (): void => {
    if (fd >= 0) closeSync(fd);
    fd = -1;
  };
  try {
    const deadline = performance.now() + patience;
    while (!tryLock(fd, path)) {
      if (performance.now() > deadline) {
        throw new VeneerError('in-use', `${object} is busy: another process is working on it`, {
          hint: 'try again later',
        });
      }
      await delay(RETRY_MS);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { release, [Symbol.dispose]: release };
}

/** Runs `work` with the lock of a directory unless somebody has it, and tells whether it did. Nobody has that of one that is gone. */
export function ifUnlocked(path: string, work: () => void): boolean {
  let fd: number;
  try {
    fd = openSync(path, DIRECTORY);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    work();
    return true;
  }
  try {
    const isFree = tryLock(fd, path);
    if (isFree) work();
    return isFree;
  } finally {
    closeSync(fd);
  }
}
