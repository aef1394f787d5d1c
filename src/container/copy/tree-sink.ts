// Puts entries into a directory that is there, among what is in it: docker's rules for what may take whose place.

import { VeneerError, displayBytes, errno } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import type { TarEntry } from '../../layer/index.js';
import { O_DIRECTORY, O_PATH, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, Stat } from '../../sys/index.js';
import { AT_FDCWD, close, fchmodat, fdPath, linkat, mkdirat, must, openat2 } from '../../sys/index.js';
import { statx, unlinkat, utimens } from '../../sys/index.js';
import type { Place } from '../../sys/index.js';
import { completeFile, createFile, describeDirectory, makeNode, withOwner } from './make-entry.js';
import type { Owner } from './make-entry.js';
import type { Tree } from './tree.js';

export interface TreeSinkOptions {
  readonly tree: Tree;
  /** Opened by O_PATH; stays its owner's to close. */
  readonly fd: number;
  /** Its path in the tree. */
  readonly directory: ByteString;
  /** Whose everything is to be; what the entries say by default. */
  readonly owner?: Owner | undefined;
}

/** Writes an entry's content to an empty file. */
export type FillEntry = (fd: number) => Promise<void> | void;

/** What a directory gets when nothing more is put into it. */
interface Finish {
  readonly path: ByteString;
  readonly entry: TarEntry;
}

const DIRECTORY = O_PATH | O_DIRECTORY;
/** An owner who is not root needs these to put files into a directory. */
const OWNER_MODE = 0o700;

export class TreeSink {
  readonly #options: TreeSinkOptions;
  readonly #finishes: Finish[] = [];
  /** The directories asked for last, by path, the last one at the end. */
  readonly #open = new Map<ByteString, number>();
  readonly #stat = new Stat();

  constructor(options: TreeSinkOptions) {
    this.#options = options;
  }

  /** Throws a VeneerError or a SysError that names the entry. */
  async put(given: TarEntry, fill: FillEntry): Promise<void> {
    const { owner } = this.#options;
    const entry = owner === undefined ? given : withOwner(given, owner);
    const path = componentsOf(entry.path).join('/');
    if (entry.type === 'directory') {
      if (path !== '') this.#directory(path, entry);
      return;
    }
    if (path === '') throw this.#refused(entry.path, 'a file has no name');
    if (entry.type === 'hardlink') {
      this.#link(path, entry);
      return;
    }
    const place = this.#place(path);
    const isInPlace = this.#clear(place, path, entry);
    if (entry.type === 'file') await this.#file(place, { entry, fill, over: isInPlace });
    else makeNode(place, entry);
  }

  /** Sets what directories get last. */
  finish(): void {
    for (const { path, entry } of this.#finishes.toReversed()) {
      const fd = this.#enter(path);
      if ((entry.mode & OWNER_MODE) !== OWNER_MODE) {
        must(fchmodat(AT_FDCWD, fdPath(fd), entry.mode), 'chmod', displayBytes(path));
      }
      const times = { atime: entry.atime ?? entry.mtime, mtime: entry.mtime };
      must(utimens(fdPath(fd), times), 'utimensat', displayBytes(path));
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.values()) close(fd);
    this.#open.clear();
  }

  async #file(place: Place, { entry, fill, over }: { entry: TarEntry; fill: FillEntry; over: boolean }): Promise<void> {
    const fd = must(createFile(place, { over }), 'open', displayBytes(entry.path));
    try {
      await fill(fd);
      completeFile(fd, entry);
    } finally {
      close(fd);
    }
  }

  #directory(path: ByteString, entry: TarEntry): void {
    const place = this.#place(path);
    const made = mkdirat(place.dirfd, place.name, OWNER_MODE);
    if (made === -errno.EEXIST) {
      must(statx(place.dirfd, place.name, this.#stat), 'statx', displayBytes(path));
      const leadsOn = this.#stat.isSymlink && this.#options.tree.isConfined;
      if (!this.#stat.isDirectory && !leadsOn) {
        throw this.#refused(path, 'cannot put a directory in the place of what is not one');
      }
      const fd = this.#enter(path);
      // What a link leads to has its attributes from elsewhere.
      if (leadsOn) return;
      describeDirectory(fd, entry, entry.mode | OWNER_MODE);
    } else {
      must(made, 'mkdir', displayBytes(path));
      describeDirectory(this.#enter(path), entry, entry.mode | OWNER_MODE);
    }
    this.#finishes.push({ path, entry });
  }

  /** Takes away what has the name; true for a file that stays, because it is a mount point, and is to be written to. */
  #clear({ dirfd, name }: Place, path: ByteString, entry: TarEntry): boolean {
    const status = statx(dirfd, name, this.#stat);
    if (status === -errno.ENOENT) return false;
    must(status, 'statx', displayBytes(path));
    if (this.#stat.isDirectory) throw this.#refused(path, 'cannot put a file in the place of a directory');
    const isMountable = this.#stat.isRegular && entry.type === 'file';
    const removed = unlinkat(dirfd, name);
    if (removed === -errno.EBUSY && isMountable) return true;
    must(removed, 'unlink', displayBytes(path));
    return false;
  }

  #link(path: ByteString, entry: TarEntry): void {
    const target = componentsOf(entry.linkTarget).join('/');
    if (target === path || target === '') throw this.#refused(path, 'it is a hard link to itself');
    this.#clear(this.#place(path), path, entry);
    const from = this.#place(target);
    must(linkat(from, this.#place(path)), 'link', displayBytes(entry.path));
  }

  /** Valid until two more directories have been asked for. */
  #place(path: ByteString): Place {
    const slash = path.lastIndexOf('/');
    return { dirfd: this.#enter(path.slice(0, Math.max(slash, 0))), name: path.slice(slash + 1) };
  }

  #enter(path: ByteString): number {
    if (path === '') return this.#options.fd;
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    let fd = this.#openBelow(path);
    if (fd === -errno.ENOENT) {
      const { dirfd, name } = this.#place(path);
      must(mkdirat(dirfd, name, 0o755), 'mkdir', displayBytes(path));
      fd = this.#openBelow(path);
    }
    if (fd === -errno.ENOTDIR || fd === -errno.ELOOP) throw this.#refused(path, 'it is not a directory');
    must(fd, 'open', displayBytes(path));
    this.#open.set(path, fd);
    for (const [oldest, oldestFd] of this.#open) {
      if (this.#open.size <= 2) break;
      this.#open.delete(oldest);
      close(oldestFd);
    }
    return fd;
  }

  /** In a container the kernel keeps links inside; elsewhere what is there already may have been chosen by a container once. */
  #openBelow(path: ByteString): number {
    const { tree, fd, directory } = this.#options;
    if (tree.isConfined) return tree.open(`${directory}/${path}`, DIRECTORY);
    return openat2(fd, path, { flags: DIRECTORY, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS });
  }

  #refused(path: ByteString, why: string): VeneerError {
    const { tree, directory } = this.#options;
    return new VeneerError('invalid', `'${displayBytes(tree.show(`${directory}/${path}`))}': ${why}`);
  }
}

/** Of an archive's path. Throws `integrity` for one that leads out. */
function componentsOf(path: ByteString): ByteString[] {
  const components = path.split('/').filter((name) => name !== '' && name !== '.');
  if (components.includes('..')) {
    throw new VeneerError('integrity', `tar entry '${displayBytes(path)}': its path contains '..'`);
  }
  return components;
}
