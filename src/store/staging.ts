// The place where everything in the store is born and where it dies: `staging/<name>`. Each entry is locked
// (flock) by the process that works on it; one that is not locked is the leftover of a process that died.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, toByteString } from '../core/index.js';
import type { StoreLock } from './lock.js';
import { tryLock } from './lock.js';
import type { StorePaths } from './paths.js';
import { removeTree, removeTreeAside } from './remove-tree.js';

/** An entry of the staging area that this process holds. */
export interface Staged {
  readonly name: string;
  readonly path: string;
  /** Open and locked; a file's is open for reading and writing. */
  readonly fd: number;
}

const FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const CLAIMED = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
const ANY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const RETRY_MS = 20;

function isSameFile(fd: number, path: string): boolean {
  const there = statSync(path, { bigint: true, throwIfNoEntry: false });
  const open = fstatSync(fd, { bigint: true });
  return there?.ino === open.ino && there.dev === open.dev;
}

export class StagingArea {
  readonly #paths: StorePaths;
  readonly #lock: StoreLock;

  constructor(paths: StorePaths, lock: StoreLock) {
    this.#paths = paths;
    this.#lock = lock;
  }

  /** A new empty directory. */
  createDirectory(): Staged {
    return this.#create((path) => {
      mkdirSync(path, { mode: 0o700 });
      return openSync(path, ANY);
    });
  }

  /** A new empty file. */
  createFile(): Staged {
    return this.#create((path) => openSync(path, FILE, 0o600));
  }

  /** A new empty file whose name is gone already; it ends with its file descriptor. */
  createNameless(): number {
    const { path, fd } = this.createFile();
    unlinkSync(path);
    return fd;
  }

  /**
   * The file of a given name, new or as a process that died or gave up has left it. Waits while a living process holds it, and goes
   * on when that one is done or dies. Throws the signal's reason.
   */
  async claim(name: string, signal?: AbortSignal): Promise<Staged> {
    const path = join(this.#paths.staging, name);
    for (;;) {
      signal?.throwIfAborted();
      const { fd, isLocked } = this.#openOrCreate(path);
      try {
        if (!isLocked) {
          while (!tryLock(fd, path)) await delay(RETRY_MS, undefined, signal === undefined ? {} : { signal });
        }
        if (isSameFile(fd, path)) return { name, path, fd };
      } catch (error) {
        closeSync(fd);
        signal?.throwIfAborted();
        throw error;
      }
      // Its holder has removed it, or put it in its place.
      closeSync(fd);
    }
  }

  /** As `claim`, for who does not wait: undefined while a living process holds it. */
  tryClaim(name: string): Staged | undefined {
    const path = join(this.#paths.staging, name);
    for (;;) {
      const { fd, isLocked } = this.#openOrCreate(path);
      if (isLocked && isSameFile(fd, path)) return { name, path, fd };
      closeSync(fd);
      if (!isLocked) return undefined;
    }
  }

  /** Under the store's lock for the reason below. */
  #openOrCreate(path: string): { fd: number; isLocked: boolean } {
    return this.#lock.exclusively(() => {
      const fd = openSync(path, CLAIMED, 0o600);
      return { fd, isLocked: tryLock(fd, path) };
    });
  }

  /** Under the store's lock, so that no other process takes the entry for a leftover before it is locked. */
  #create(make: (path: string) => number): Staged {
    return this.#lock.exclusively(() => {
      const name = randomBytes(8).toString('hex');
      const path = join(this.#paths.staging, name);
      const fd = make(path);
      tryLock(fd, path);
      return { name, path, fd };
    });
  }

  /** Takes a file or directory of the store out of its place, to be discarded. */
  trash(from: string): Staged {
    return this.#lock.exclusively(() => {
      const fd = openSync(from, ANY);
      try {
        tryLock(fd, from);
        const name = randomBytes(8).toString('hex');
        const path = join(this.#paths.staging, name);
        renameSync(from, path);
        return { name, path, fd };
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    });
  }

  /** Deletes an entry and gives its lock back. An entry that was renamed to its place only gives the lock back. */
  discard(staged: Staged): void {
    try {
      this.#delete(staged.path);
    } finally {
      closeSync(staged.fd);
    }
  }

  /** As `discard`, by several threads where it takes a while. */
  async discardAside(staged: Staged): Promise<void> {
    try {
      if (lstatSync(staged.path, { throwIfNoEntry: false })?.isDirectory() === true) {
        await removeTreeAside(toByteString(staged.path));
      } else this.#delete(staged.path);
    } finally {
      closeSync(staged.fd);
    }
  }

  /** Gives back the lock of an entry that is in its place now. */
  release(staged: Staged): void {
    closeSync(staged.fd);
  }

  #delete(path: string): void {
    try {
      if (lstatSync(path).isDirectory()) removeTree(toByteString(path));
      else unlinkSync(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** True while a living process holds the entry `name`. */
  isHeld(name: string): boolean {
    const taken = this.#take(name);
    if (taken !== undefined) closeSync(taken.fd);
    return taken === undefined && existsSync(join(this.#paths.staging, name));
  }

  names(): string[] {
    return readdirSync(this.#paths.staging);
  }

  /** The entries no living process holds. */
  leftovers(): string[] {
    return this.#lock.exclusively(() => this.names().filter((name) => !this.isHeld(name)));
  }

  /** Deletes the leftovers and returns their names. */
  sweep(): string[] {
    const taken = this.#lock.exclusively(() => this.names().flatMap((name) => this.#take(name) ?? []));
    for (const staged of taken) this.discard(staged);
    return taken.map((staged) => staged.name);
  }

  /** Locks an entry of a process that died; undefined when there is no such entry, or it is held. */
  #take(name: string): Staged | undefined {
    const path = join(this.#paths.staging, name);
    let fd: number;
    try {
      fd = openSync(path, ANY);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
    if (tryLock(fd, path)) return { name, path, fd };
    closeSync(fd);
    return undefined;
  }
}
