// The directory a layer is unpacked into. Every step goes by a directory's fd and one name, O_NOFOLLOW: whatever an
// archive plants, no later entry of it can be led out of the tree.

import { errno, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  close,
  fchmodat,
  fchownat,
  listDirectory,
  mkdirat,
  must,
  openat,
  removexattr,
} from '../sys/index.js';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, Stat, statx, unlinkat } from '../sys/index.js';
import type { Place } from '../sys/index.js';

/** Where a path has something that is no directory, or cannot be one. */
export class NotADirectory extends Error {
  readonly path: ByteString;

  constructor(path: ByteString) {
    super('not a directory');
    this.path = path;
  }
}

export function parentOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

export function nameOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

const IMPLICIT_MODE = 0o755;
/** Whoever is root makes what nobody describes root's. */
export const isRoot = process.geteuid?.() === 0 && process.getegid?.() === 0;

export class TargetTree {
  readonly rootFd: number;
  readonly #capacity: number;
  /** Open directories by path, least recently used first. */
  readonly #open = new Map<ByteString, number>();
  /** How many there have ever been, without the root. */
  implicitMade = 0;
  /** The one that was asked for last. */
  #recent: ByteString | undefined;
  #recentFd = -1;
  /** Directories that no entry has described (yet); the root is one. */
  readonly implicit = new Set<ByteString>(['']);

  /** `maxDepth`: of all paths that will be asked for. Throws a SysError. */
  constructor(path: ByteString, maxDepth: number) {
    this.rootFd = must(openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY), 'open', path);
    this.#setDefaults(this.place(''));
    // What is made in it would inherit this.
    removexattr(path, 'system.posix_acl_default');
    // Two paths that were asked for one after the other are open at the same time.
    this.#capacity = 2 * maxDepth + 2;
  }

  /** An fd of a directory of the tree, for single names; valid until two more directories have been asked for. */
  directory(path: ByteString, options: { create: boolean }): number | undefined {
    if (path === '') return this.rootFd;
    if (path === this.#recent) return this.#recentFd;
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#remember(path, known);
      return known;
    }
    const above = this.directory(parentOf(path), options);
    if (above === undefined) return undefined;
    const fd = this.#enter({ dirfd: above, name: nameOf(path) }, path, options.create);
    if (fd !== undefined) this.#remember(path, fd);
    return fd;
  }

  #enter(place: Place, path: ByteString, create: boolean): number | undefined {
    const flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
    let fd = openat(place.dirfd, place.name, flags);
    if (fd === -errno.ENOENT) {
      if (!create) return undefined;
      this.#makeImplicit(place, path);
      fd = openat(place.dirfd, place.name, flags);
    }
    if (fd === -errno.ENOTDIR || fd === -errno.ELOOP) throw new NotADirectory(path);
    return must(fd, 'open', path);
  }

  #makeImplicit({ dirfd, name }: Place, path: ByteString): void {
    this.implicitMade += 1;
    must(mkdirat(dirfd, name, IMPLICIT_MODE), 'mkdir', path);
    this.#setDefaults({ dirfd, name });
    this.implicit.add(path);
  }

  /** What a directory is that nobody describes; the umask, and a set-group-id directory above, have had their say. */
  #setDefaults({ dirfd, name }: Place): void {
    if (isRoot) must(fchownat(dirfd, name, { uid: 0, gid: 0 }), 'chown', name);
    must(fchmodat(dirfd, name, IMPLICIT_MODE), 'chmod', name);
  }

  #remember(path: ByteString, fd: number): void {
    this.#open.set(path, fd);
    this.#recent = path;
    this.#recentFd = fd;
    if (this.#open.size <= this.#capacity) return;
    for (const [oldest, oldestFd] of this.#open) {
      this.#open.delete(oldest);
      close(oldestFd);
      break;
    }
  }

  /** The place of a path: its directory, made if missing, and its name; the root is `.` in itself. */
  place(path: ByteString): Place {
    if (path === '') return { dirfd: this.rootFd, name: '.' };
    return { dirfd: this.directory(parentOf(path), { create: true }) ?? -1, name: nameOf(path) };
  }

  /** Like `place`, but undefined where the directory is missing. */
  existingPlace(path: ByteString): Place | undefined {
    if (path === '') return this.place(path);
    const dirfd = this.directory(parentOf(path), { create: false });
    return dirfd === undefined ? undefined : { dirfd, name: nameOf(path) };
  }

  /** Removes whatever has the path, with all below it, but for what `keep` takes away. */
  remove(path: ByteString, keep: Keep = () => false): void {
    const place = this.place(path);
    this.#recent = undefined;
    for (const [open, fd] of this.#open) {
      if (open !== path && !open.startsWith(`${path}/`)) continue;
      this.#open.delete(open);
      close(fd);
    }
    for (const made of this.implicit) if (made === path || made.startsWith(`${path}/`)) this.implicit.delete(made);
    removeAny(place, path, keep);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.values()) close(fd);
    this.#open.clear();
    close(this.rootFd);
  }
}

/** Is shown each file before it is removed; true if it has moved it away. */
export type Keep = (place: Place, path: ByteString) => boolean;

function removeAny({ dirfd, name }: Place, path: ByteString, keep: Keep): void {
  if (keep({ dirfd, name }, path)) return;
  const removed = unlinkat(dirfd, name);
  if (removed >= 0) return;
  if (removed !== -errno.EISDIR) throw new SysError(-removed, 'unlink', name);
  const fd = must(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), 'open', name);
  try {
    const entries = listDirectory(fd);
    if (typeof entries === 'number') throw new SysError(-entries, 'getdents64', name);
    for (const entry of entries) removeAny({ dirfd: fd, name: entry.name }, `${path}/${entry.name}`, keep);
  } finally {
    close(fd);
  }
  must(unlinkat(dirfd, name, AT_REMOVEDIR), 'rmdir', name);
}

const stat = new Stat();

/** What a place holds; the object is reused by the next call. */
export function statPlace({ dirfd, name }: Place): Stat | undefined {
  const status = statx(dirfd, name, stat);
  if (status === -errno.ENOENT) return undefined;
  must(status, 'statx', name);
  return stat;
}
