// Hard links that span layers, made plain. When one name of a lower file with several names is copied up, the others
// find the copy through the overlay's index (fs/overlayfs, `index=on`), which is no part of the upper directory. Before
// that directory is read as a layer, every such name is linked into it.

import { SysError, displayBytes, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { list, lookup, openStack } from '../stack/index.js';
import type { FoundOther, Merged } from '../stack/index.js';
import { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, Stat, close, entryPath, fstatx, futimens } from '../sys/index.js';
import {
  getxattr,
  linkat,
  listDirectory,
  mkdirat,
  must,
  nameToHandleAt,
  openat,
  setxattr,
  statx,
} from '../sys/index.js';
import type { FileHandle } from '../sys/index.js';
import { copyDirectoryAttributes, timesOf } from './copy-attributes.js';
import { countUnsettled, handleOf } from './link-counts.js';
import type { UnsettledNames } from './link-counts.js';

const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

export interface SettleOptions {
  /** The upper directory, or a copy of it. Nobody else may change it. */
  readonly upper: string;
  /** The index that belongs to it. */
  readonly index: string;
  /** Top first. */
  readonly lower: readonly string[];
  /** Where the index is a copy: of the one that was copied, before it was. */
  readonly unsettled?: UnsettledNames;
}

/**
 * Links all visible names of indexed files into the upper directory. Walks the merged tree until they are found, and not at all
 * where there are none. Throws a SysError.
 */
export function settleLinks(options: SettleOptions): void {
  const { upper, index, lower, unsettled = countUnsettled(index, lower[0] ?? '') } = options;
  const indexFd = openat(AT_FDCWD, toByteString(index), DIRECTORY);
  // A container that was never mounted has none.
  if (indexFd < 0) return;
  using fds = new OpenDirectories();
  fds.add(indexFd);
  const entries = readIndex(indexFd);
  const left = [...entries.values()].reduce((sum, name) => sum + (unsettled.get(name) ?? Number.POSITIVE_INFINITY), 0);
  if (left === 0) return;
  const stack = openStack([upper, ...lower]);
  try {
    const root = fds.add(must(openat(AT_FDCWD, toByteString(upper), DIRECTORY), 'open', upper));
    new Settling({ indexFd, entries, fds, left }).directory(stack.root, root);
  } finally {
    stack.close();
  }
}

/** Fds that are closed whatever happens. */
class OpenDirectories implements Disposable {
  readonly #fds = new Set<number>();

  add(fd: number): number {
    this.#fds.add(fd);
    return fd;
  }

  close(fd: number): void {
    if (this.#fds.delete(fd)) close(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) close(fd);
  }
}

function identityOf({ type, bytes }: FileHandle): string {
  return `${String(type)}:${bytes.toString('hex')}`;
}

/** The entries of files that are not directories, by the handle of the lower file. */
function readIndex(fd: number): Map<string, ByteString> {
  const names = listDirectory(fd);
  if (typeof names === 'number') throw new SysError(-names, 'getdents64', 'index');
  const entries = new Map<string, ByteString>();
  const stat = new Stat();
  for (const { name } of names) {
    const handle = handleOf(name);
    if (handle === undefined || statx(fd, name, stat) < 0 || stat.isDirectory || stat.isWhiteoutDevice) continue;
    entries.set(identityOf(handle), name);
  }
  return entries;
}

interface SettlingParts {
  readonly indexFd: number;
  readonly entries: ReadonlyMap<string, ByteString>;
  readonly fds: OpenDirectories;
  /** How many names there are to find, at most. */
  readonly left: number;
}

/** The directory of the upper layer that belongs to a merged one: made when the first name has to go there. */
interface UpperSide {
  /** -1 while there is none. */
  fd: number;
  readonly make: () => number;
}

function presentOrMade(side: UpperSide): number {
  if (side.fd < 0) side.fd = side.make();
  return side.fd;
}

class Settling {
  readonly #parts: SettlingParts;
  /** Names still to be found. */
  #left: number;

  constructor(parts: SettlingParts) {
    this.#parts = parts;
    this.#left = parts.left;
  }

  /** Settles a merged directory whose upper one is open. */
  directory(merged: Merged, upper: number): void {
    this.#directory(merged, { fd: upper, make: () => upper });
  }

  #directory(merged: Merged, side: UpperSide): void {
    const names = list(merged);
    if (typeof names === 'number') throw new SysError(-names, 'getdents64');
    const stat = new Stat();
    for (const name of names.keys()) {
      if (this.#left <= 0) return;
      const found = lookup(merged, name, stat);
      if (found === undefined) continue;
      if (typeof found === 'number') throw new SysError(-found, 'lookup', displayBytes(name));
      if (found.kind === 'directory') this.#subdirectory(found.parts, name, side);
      else if (found.dir.layer.index > 0 && stat.nlink > 1) this.#file(found, { name, lowerNlink: stat.nlink }, side);
    }
  }

  #subdirectory(merged: Merged, name: ByteString, above: UpperSide): void {
    const top = merged[0];
    const inUpper = above.fd >= 0 && top?.layer.index === 0;
    const side = {
      fd: inUpper ? openDirectory(above.fd, name) : -1,
      make: () => this.#parts.fds.add(makeDirectory(presentOrMade(above), name, top?.fd() ?? -1)),
    };
    if (side.fd >= 0) this.#parts.fds.add(side.fd);
    this.#directory(merged, side);
    if (side.fd >= 0) this.#parts.fds.close(side.fd);
  }

  #file(found: FoundOther, link: { name: ByteString; lowerNlink: number }, side: UpperSide): void {
    const handle = nameToHandleAt(found.dir.fd(), found.name);
    if (typeof handle === 'number') return;
    const entry = this.#parts.entries.get(identityOf(handle));
    if (entry === undefined) return;
    countByLower(this.#parts.indexFd, entry, link.lowerNlink);
    keepingTimes(presentOrMade(side), (to) => this.#link(entry, to, link.name));
    this.#left -= 1;
  }

  #link(entry: ByteString, dirfd: number, name: ByteString): void {
    must(linkat({ dirfd: this.#parts.indexFd, name: entry }, { dirfd, name }), 'link', displayBytes(name));
  }
}

/**
 * The count of links that users see may be written relative to those of the upper inode, which is about to get more that
 * change nothing for users; relative to the lower inode it stays right (ovl_set_nlink_lower, fs/overlayfs/util.c).
 */
function countByLower(indexFd: number, entry: ByteString, lowerNlink: number): void {
  const copy = entryPath(indexFd, entry);
  for (const namespace of ['trusted.overlay.', 'user.overlay.']) {
    const value = getxattr(copy, `${namespace}nlink`);
    if (typeof value === 'number' || !value.toString('latin1').startsWith('U')) continue;
    const stat = new Stat();
    must(statx(indexFd, entry, stat), 'statx', entry);
    const difference = stat.nlink + Number.parseInt(value.toString('latin1', 1), 10) - lowerNlink;
    const text = `L${difference < 0 ? '' : '+'}${String(difference)}`;
    must(setxattr(copy, `${namespace}nlink`, Buffer.from(text)), 'setxattr', entry);
  }
}

function openDirectory(dirfd: number, name: ByteString): number {
  return must(openat(dirfd, name, DIRECTORY), 'open', displayBytes(name));
}

/** Copies a directory up: the merged directory looks as it did. */
function makeDirectory(parent: number, name: ByteString, from: number): number {
  keepingTimes(parent, (dirfd) => must(mkdirat(dirfd, name, 0o700), 'mkdir', displayBytes(name)));
  const fd = openDirectory(parent, name);
  copyDirectoryAttributes(must(from, 'open', displayBytes(name)), fd);
  return fd;
}

/** A new name in a directory changes its times, which are its users'. */
function keepingTimes(dirfd: number, change: (dirfd: number) => void): void {
  const stat = new Stat();
  must(fstatx(dirfd, stat), 'statx');
  change(dirfd);
  must(futimens(dirfd, timesOf(stat)), 'futimens');
}
