// A copy of a writable layer that is in use: the raw upper directory, with whiteouts and the overlay's marks.
// Blocks are shared where the file system can; holes stay holes, hard links stay linked.

import { SysError, displayBytes, errno, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { AT_FDCWD, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../sys/index.js';
import { S_IFMT, S_IFREG, Stat } from '../sys/index.js';
import { close, copyData, entryPath, fchmod, fchmodat, fchown, fchownat, fstatx, futimens } from '../sys/index.js';
import { linkat, listDirectory, mkdirat, mknodat, must, openat, readlinkat } from '../sys/index.js';
import { statx, symlinkat, unlinkat, utimensat } from '../sys/index.js';
import { copyXattrs, timesOf } from './copy-attributes.js';

const MARKS = { layerMarks: true } as const;
const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

interface Entry {
  readonly from: number;
  readonly to: number;
  readonly name: ByteString;
}

class TreeCopy {
  /** A directory where each inode with several names has a link, named by its number, to make the others from. */
  readonly #links: number;
  readonly #linked = new Set<string>();

  constructor(links: number) {
    this.#links = links;
  }

  /** Copies what is below `from`, then the attributes of `from` itself, which the copying changes. */
  directory(from: number, to: number): void {
    const entries = listDirectory(from);
    if (typeof entries === 'number') throw new SysError(-entries, 'getdents64');
    for (const { name } of entries) this.#entry({ from, to, name });
    copyOpenAttributes(from, to);
  }

  #entry(entry: Entry): void {
    const { from, to, name } = entry;
    const stat = new Stat();
    const status = statx(from, name, stat);
    // Removed since the directory was listed.
    if (status === -errno.ENOENT) return;
    must(status, 'statx', displayBytes(name));
    if (stat.isDirectory) {
      this.#subdirectory(entry);
      return;
    }
    const key = stat.ino.toString();
    if (this.#linked.has(key)) {
      must(linkat({ dirfd: this.#links, name: key }, { dirfd: to, name }), 'link', displayBytes(name));
      return;
    }
    const copied = stat.isRegular ? copyFile(entry) : copySpecial(entry, stat);
    if (!copied || stat.nlink < 2) return;
    must(linkat({ dirfd: to, name }, { dirfd: this.#links, name: key }), 'link', displayBytes(name));
    this.#linked.add(key);
  }

  #subdirectory({ from, to, name }: Entry): void {
    withSource(from, name, DIRECTORY, (source) => {
      must(mkdirat(to, name, 0o700), 'mkdir', displayBytes(name));
      withOpen(to, name, DIRECTORY, (target) => this.directory(source, target));
    });
  }

  /** Removes the links that were kept to link to. */
  finish(): void {
    for (const name of this.#linked) must(unlinkat(this.#links, name), 'unlink', name);
  }
}

function withOpen(dirfd: number, name: ByteString, flags: number, use: (fd: number) => void): void {
  withFd(must(openat(dirfd, name, flags, 0o600), 'open', displayBytes(name)), use);
}

/** Passes over what was removed since it was listed. */
function withSource(dirfd: number, name: ByteString, flags: number, use: (fd: number) => void): void {
  const fd = openat(dirfd, name, flags);
  if (fd !== -errno.ENOENT) withFd(must(fd, 'open', displayBytes(name)), use);
}

function withFd(fd: number, use: (fd: number) => void): void {
  try {
    use(fd);
  } finally {
    close(fd);
  }
}

/** False for a file that was removed since. */
function copyFile({ from, to, name }: Entry): boolean {
  let copied = false;
  withSource(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (source) => {
    withOpen(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (target) => {
      const stat = new Stat();
      must(fstatx(source, stat), 'statx', displayBytes(name));
      if (stat.type !== S_IFREG) throw new SysError(errno.ESTALE, 'open', displayBytes(name));
      must(copyData(source, target, stat.size), 'copy', displayBytes(name));
      copyOpenAttributes(source, target);
      copied = true;
    });
  });
  return copied;
}

/** chown clears set-user-ID bits and file capabilities, so it comes first; everything changes times, so they come last. */
function copyOpenAttributes(from: number, to: number): void {
  const stat = new Stat();
  must(fstatx(from, stat), 'statx');
  must(fchown(to, stat), 'fchown');
  must(fchmod(to, stat.mode & 0o7777), 'fchmod');
  copyXattrs(from, to, MARKS);
  must(futimens(to, timesOf(stat)), 'futimens');
}

/** A symlink, device, fifo or socket. False for one that was removed since. */
function copySpecial({ from, to, name }: Entry, stat: Stat): boolean {
  const shown = displayBytes(name);
  if (stat.isSymlink) {
    const target = readlinkat(from, name);
    if (target === -errno.ENOENT) return false;
    if (typeof target === 'number') throw new SysError(-target, 'readlink', shown);
    must(symlinkat(target, to, name), 'symlink', shown);
  } else {
    must(mknodat(to, name, stat.mode & (S_IFMT | 0o777), stat.rdev), 'mknod', shown);
  }
  must(fchownat(to, name, stat), 'chown', shown);
  if (!stat.isSymlink) must(fchmodat(to, name, stat.mode & 0o7777), 'chmod', shown);
  copyXattrs(entryPath(from, name), entryPath(to, name), MARKS);
  must(utimensat(to, name, timesOf(stat)), 'utimens', shown);
  return true;
}

export interface TreeCopyPaths {
  /** Pairs of a directory to copy and an empty one to fill. Hard links between them stay, too. */
  readonly trees: readonly { readonly from: string; readonly to: string }[];
  /** An empty directory on the same file system, empty again afterwards. */
  readonly scratch: string;
}

/** Copies trees. Files that others change meanwhile are copied as they are when their turn comes. Throws a SysError. */
export function copyTrees({ trees, scratch }: TreeCopyPaths): void {
  withOpen(AT_FDCWD, toByteString(scratch), DIRECTORY, (links) => {
    const copy = new TreeCopy(links);
    for (const { from, to } of trees) {
      withSource(AT_FDCWD, toByteString(from), DIRECTORY, (source) => {
        withOpen(AT_FDCWD, toByteString(to), DIRECTORY, (target) => copy.directory(source, target));
      });
    }
    copy.finish();
  });
}
