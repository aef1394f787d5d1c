// A tree as data: everything a file system tells about each file but for ctime, atime and inode numbers.

import { createHash } from 'node:crypto';
import { displayBytes } from '../../src/core/index.js';
import type { ByteString } from '../../src/core/index.js';
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
  Stat,
  AT_FDCWD,
  close,
  entryPath,
  getxattr,
  listDirectory,
  listxattr,
  must,
  openat,
  read,
  readlinkat,
  statx,
} from '../../src/sys/index.js';

export interface TreeEntry {
  readonly type: string;
  /** Octal permission bits. */
  readonly mode: string;
  readonly owner: string;
  /** Of files and symlinks. */
  readonly size?: number;
  readonly mtime: string;
  readonly target?: string;
  readonly content?: string;
  readonly rdev?: string;
  readonly xattrs?: string;
  /** Of files: how many links, and the first path that leads to the same inode. */
  readonly links?: string;
}

/** Path relative to the root ('' is the root itself), as bytes. */
export type Tree = ReadonlyMap<ByteString, TreeEntry>;

export interface SnapshotOptions {
  /** mtimes from this second on become 'new': two trees changed one after the other compare as equal. */
  readonly newSince?: number;
  /** Keep out files' links and everything below paths for which this is false. */
  readonly include?: (path: ByteString) => boolean;
}

/** The tree with modification times cut to milliseconds. */
export function inMilliseconds(tree: Tree): Tree {
  return new Map(
    [...tree].map(([name, entry]) => [name, { ...entry, mtime: entry.mtime.replace(/\d{6}$/, '000000') }]),
  );
}

const TYPES: Readonly<Record<number, string>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'dir',
  [S_IFLNK]: 'symlink',
  [S_IFCHR]: 'char',
  [S_IFBLK]: 'block',
  [S_IFIFO]: 'fifo',
  [S_IFSOCK]: 'socket',
};

const chunk = Buffer.alloc(256 * 1024);

function contentHash(dirfd: number, name: ByteString): string {
  const fd = must(openat(dirfd, name, O_RDONLY | O_NOFOLLOW), 'open', name);
  const hash = createHash('sha256');
  for (;;) {
    const length = read(fd, chunk);
    if (length <= 0) {
      close(fd);
      return length === 0 ? hash.digest('hex').slice(0, 16) : `read error ${String(-length)}`;
    }
    hash.update(chunk.subarray(0, length));
  }
}

function xattrsOf(path: ByteString): string | undefined {
  const names = listxattr(path);
  if (typeof names === 'number') return `listxattr error ${String(-names)}`;
  const values = names.sort().map((name) => {
    const value = getxattr(path, name);
    return `${displayBytes(name)}=${typeof value === 'number' ? `error ${String(-value)}` : value.toString('hex')}`;
  });
  return values.length === 0 ? undefined : values.join(' ');
}

class Walk {
  readonly entries = new Map<ByteString, TreeEntry>();
  readonly #firstOfInode = new Map<string, ByteString>();
  readonly #options: SnapshotOptions;
  readonly #stat = new Stat();

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  directory(fd: number, path: ByteString): void {
    const entries = listDirectory(fd);
    if (typeof entries === 'number') throw new Error(`readdir '${displayBytes(path)}': errno ${String(-entries)}`);
    for (const { name } of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const below = path === '' ? name : `${path}/${name}`;
      if (this.#options.include?.(below) === false) continue;
      if (this.entries.has(below)) throw new Error(`'${displayBytes(below)}' is listed twice`);
      this.entry(fd, name, below);
      if (!this.#stat.isDirectory) continue;
      const child = must(openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), 'open', displayBytes(below));
      try {
        this.directory(child, below);
      } finally {
        close(child);
      }
    }
  }

  entry(dirfd: number, name: ByteString, path: ByteString): void {
    const stat = this.#stat;
    must(statx(dirfd, name, stat), 'stat', displayBytes(path));
    const type = TYPES[stat.type] ?? 'unknown';
    const real = dirfd === AT_FDCWD ? name : entryPath(dirfd, name);
    const inode = stat.ino.toString();
    const first = this.#firstOfInode.get(inode) ?? path;
    this.#firstOfInode.set(inode, first);
    const fresh = this.#options.newSince !== undefined && stat.mtimeSec >= this.#options.newSince;
    const links = stat.isDirectory
      ? undefined
      : `${String(stat.nlink)}${first === path ? '' : ` same as ${displayBytes(first)}`}`;
    const xattrs = xattrsOf(real);
    this.entries.set(path, {
      type,
      mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
      owner: `${String(stat.uid)}:${String(stat.gid)}`,
      mtime: fresh ? 'new' : `${String(stat.mtimeSec)}.${String(stat.mtimeNsec).padStart(9, '0')}`,
      ...(stat.isRegular || stat.isSymlink ? { size: stat.size } : {}),
      ...(stat.isRegular ? { content: contentHash(dirfd, name) } : {}),
      ...(stat.isSymlink ? { target: displayBytes(String(readlinkat(dirfd, name))) } : {}),
      ...(type === 'char' || type === 'block' ? { rdev: `${String(stat.rdevMajor)}:${String(stat.rdevMinor)}` } : {}),
      ...(xattrs === undefined ? {} : { xattrs }),
      ...(links === undefined || links === '1' ? {} : { links }),
    });
  }
}

/** Reads a whole tree. */
export function snapshot(root: ByteString, options: SnapshotOptions = {}): Tree {
  const walk = new Walk(options);
  walk.entry(AT_FDCWD, root, '');
  const fd = must(openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY), 'open', root);
  try {
    walk.directory(fd, '');
  } finally {
    close(fd);
  }
  return walk.entries;
}

/** Path -> inode number, of everything below a root. */
export function inodes(root: ByteString): Map<ByteString, string> {
  const found = new Map<ByteString, string>();
  const stat = new Stat();
  const walk = (dirfd: number, path: ByteString): void => {
    const entries = listDirectory(dirfd);
    if (typeof entries === 'number') throw new Error(`readdir '${displayBytes(path)}': errno ${String(-entries)}`);
    for (const { name } of entries) {
      const below = path === '' ? name : `${path}/${name}`;
      must(statx(dirfd, name, stat), 'stat', displayBytes(below));
      found.set(below, stat.ino.toString());
      if (!stat.isDirectory) continue;
      const child = must(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), 'open', displayBytes(below));
      walk(child, below);
      close(child);
    }
  };
  const fd = must(openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY), 'open', root);
  walk(fd, '');
  close(fd);
  return found;
}

const describe = (entry: TreeEntry): string =>
  Object.entries(entry)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');

/** What differs, one line each: `path: mode 0644 -> 0600`. Empty for equal trees. */
export function treeDifferences(expected: Tree, actual: Tree): string[] {
  const lines: string[] = [];
  for (const path of [...new Set([...expected.keys(), ...actual.keys()])].sort()) {
    const [a, b] = [expected.get(path), actual.get(path)];
    const shown = path === '' ? '.' : displayBytes(path);
    if (a === undefined) lines.push(`${shown}: should not be there (${describe(b!)})`);
    else if (b === undefined) lines.push(`${shown}: is missing (${describe(a)})`);
    else {
      const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof TreeEntry)[];
      const changed = keys.filter((key) => a[key] !== b[key]);
      if (changed.length > 0) {
        lines.push(`${shown}: ${changed.map((key) => `${key} ${String(a[key])} -> ${String(b[key])}`).join(', ')}`);
      }
    }
  }
  return lines;
}

const MOST_LINES = 40;

/** A tree without the modification times of what is of these types; of all without a list. */
export const withoutTimes = (tree: Tree, types?: readonly string[]): Tree =>
  new Map(
    [...tree].map(([name, entry]) => [name, types?.includes(entry.type) === false ? entry : { ...entry, mtime: '' }]),
  );

/** Throws the differences of two trees, readable as they are. */
export function expectSameTree(expected: Tree, actual: Tree): void {
  const lines = treeDifferences(expected, actual);
  if (lines.length === 0) return;
  const more = lines.length > MOST_LINES ? [`... and ${String(lines.length - MOST_LINES)} more`] : [];
  throw new Error(['the trees differ (expected -> actual):', ...lines.slice(0, MOST_LINES), ...more].join('\n  '));
}
