// The files of a tree as entries of a tar: each directory before what is in it. Others may change it meanwhile, a hostile program
// in a container as well: a name is looked up once, its links are not followed, and only regular files are opened.

import { SysError, displayBytes, errno } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import { statEntry, tarTypeOf } from '../../layer/index.js';
import type { TarEntry, TarType } from '../../layer/index.js';
import { O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } from '../../sys/index.js';
import { AT_FDCWD, Stat } from '../../sys/index.js';
import {
  close,
  fdPath,
  fstatx,
  getxattr,
  listDirectory,
  listxattr,
  must,
  openat,
  readlinkat,
} from '../../sys/index.js';

export interface WalkedEntry {
  readonly entry: TarEntry;
  /** Of a file: open for reading until the next entry is asked for. */
  readonly fd: number | undefined;
}

export interface WalkOptions {
  /** Opened by O_PATH; stays its owner's to close. */
  readonly fd: number;
  /** The path that the first entry gets; empty for `./`, and names alone below it. */
  readonly name: ByteString;
}

/** Throws a SysError. */
export function* walkSource({ fd, name }: WalkOptions): Generator<WalkedEntry, void> {
  yield* new Walk().from(fd, name);
}

class Walk {
  /** The first path of each file with several names, by device and inode. */
  readonly #linked = new Map<string, ByteString>();

  *from(fd: number, path: ByteString): Generator<WalkedEntry, void> {
    const stat = new Stat();
    must(fstatx(fd, stat), 'statx', displayBytes(path));
    const type = tarTypeOf(stat);
    if (type === undefined) return;
    if (type === 'directory') yield* this.#directory(fd, path, stat);
    else yield* this.#other(fd, path, { type, stat });
  }

  *#directory(fd: number, path: ByteString, stat: Stat): Generator<WalkedEntry, void> {
    const listed = must(openat(fd, '.', O_RDONLY | O_DIRECTORY), 'open', displayBytes(path));
    try {
      const entries = listDirectory(listed);
      if (typeof entries === 'number') throw new SysError(-entries, 'getdents64', displayBytes(path));
      yield { entry: entryOf(fd, path === '' ? './' : path, { type: 'directory', stat }), fd: undefined };
      for (const name of entries.map((entry) => entry.name).sort()) {
        const child = openat(listed, name, O_PATH | O_NOFOLLOW);
        // Removed since the directory was listed.
        if (child === -errno.ENOENT) continue;
        const below = path === '' ? name : `${path}/${name}`;
        must(child, 'open', displayBytes(below));
        try {
          yield* this.from(child, below);
        } finally {
          close(child);
        }
      }
    } finally {
      close(listed);
    }
  }

  *#other(fd: number, path: ByteString, { type, stat }: Described): Generator<WalkedEntry, void> {
    if (stat.nlink > 1) {
      const key = `${String(stat.dev)}:${String(stat.ino)}`;
      const first = this.#linked.get(key);
      if (first !== undefined) {
        yield { entry: { ...entryOf(fd, path, { type: 'hardlink', stat }), linkTarget: first }, fd: undefined };
        return;
      }
      this.#linked.set(key, path);
    }
    const entry = entryOf(fd, path, { type, stat });
    if (type !== 'file') {
      yield { entry, fd: undefined };
      return;
    }
    const content = openat(AT_FDCWD, fdPath(fd), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    must(content, 'open', displayBytes(path));
    try {
      yield { entry, fd: content };
    } finally {
      close(content);
    }
  }
}

interface Described {
  readonly type: TarType;
  readonly stat: Stat;
}

function entryOf(fd: number, path: ByteString, { type, stat }: Described): TarEntry {
  return statEntry(stat, {
    path,
    type,
    linkTarget: type === 'symlink' ? readLink(fd, path) : '',
    xattrs: type === 'file' || type === 'directory' ? attributesOf(fd) : NONE,
  });
}

function readLink(fd: number, path: ByteString): ByteString {
  const target = readlinkat(fd, '');
  if (typeof target === 'number') throw new SysError(-target, 'readlink', displayBytes(path));
  return target;
}

const NONE: ReadonlyMap<ByteString, Buffer> = new Map();

/** What means the same in another tree: not the labels of security modules, and not what a file system keeps for itself. */
const TRAVELS = /^(?:user\.|security\.capability$|system\.posix_acl_)/;

function attributesOf(fd: number): ReadonlyMap<ByteString, Buffer> {
  const target = { follow: fdPath(fd) };
  const names = listxattr(target);
  if (typeof names === 'number' || names.length === 0) return NONE;
  const xattrs = new Map<ByteString, Buffer>();
  for (const name of names) {
    const value = TRAVELS.test(name) ? getxattr(target, name) : undefined;
    if (typeof value === 'object') xattrs.set(name, value);
  }
  return xattrs;
}
