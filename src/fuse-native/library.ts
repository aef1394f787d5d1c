// The package `fuse-native` as it is, and how to get it into the process. Its binding is linked against libfuse.so.2, which
// it brings along but does not find: the loader looks in the system's directories only.

import { createRequire } from 'node:module';
import { VeneerError, hasCode, messageOf } from '../core/index.js';
import { loadLibrary } from '../sys/index.js';

/** Attributes as the package takes them: times in milliseconds, `ino` and `rdev` in 32 bits. */
export interface NativeStat {
  readonly mode: number;
  readonly ino: number;
  readonly nlink?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly rdev?: number;
  readonly blksize?: number;
  readonly blocks?: number;
  readonly atime?: number;
  readonly mtime?: number;
  readonly ctime?: number;
}

/** All fields are cut to 32 bits. */
export interface NativeStatus {
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly favail: number;
  readonly namemax: number;
}

/** What the package needs of an attribute's value: it asks for a copy first and for the length of that afterwards. */
export interface NativeValue {
  readonly length: number;
  copy(into: Buffer): unknown;
}

/** Takes 0 or a count, or -errno. */
export type Done = (status: number) => void;
export type DoneWith<T> = (status: number, value?: T) => void;

/** The handlers, by path. Names are texts: what is not UTF-8 arrives with U+FFFD in it. */
export interface NativeOperations {
  getattr(path: string, done: DoneWith<NativeStat>): void;
  readdir(path: string, done: (status: number, names?: string[], stats?: NativeStat[]) => void): void;
  readlink(path: string, done: DoneWith<string>): void;
  statfs(path: string, done: DoneWith<NativeStatus>): void;
  open(path: string, flags: number, done: DoneWith<number>): void;
  create(path: string, mode: number, done: DoneWith<number>): void;
  read(path: string, fh: number, into: Buffer, length: number, offset: number, done: Done): void;
  write(path: string, fh: number, data: Buffer, length: number, offset: number, done: Done): void;
  release(path: string, fh: number, done: Done): void;
  /** The handle comes last, whatever the package's own documentation says. */
  fsync(path: string, datasync: number, fh: number, done: Done): void;
  fsyncdir(path: string, datasync: number, fh: number, done: Done): void;
  truncate(path: string, size: number, done: Done): void;
  ftruncate(path: string, fh: number, size: number, done: Done): void;
  chmod(path: string, mode: number, done: Done): void;
  /** 0xffffffff leaves an id as it is. */
  chown(path: string, uid: number, gid: number, done: Done): void;
  /** In milliseconds. */
  utimens(path: string, atime: number, mtime: number, done: Done): void;
  mknod(path: string, mode: number, rdev: number, done: Done): void;
  mkdir(path: string, mode: number, done: Done): void;
  symlink(target: string, path: string, done: Done): void;
  link(from: string, to: string, done: Done): void;
  rename(from: string, to: string, done: Done): void;
  unlink(path: string, done: Done): void;
  rmdir(path: string, done: Done): void;
  setxattr(path: string, name: string, value: Buffer, position: number, flags: number, done: Done): void;
  getxattr(path: string, name: string, position: number, done: DoneWith<NativeValue>): void;
  listxattr(path: string, done: DoneWith<string[]>): void;
  removexattr(path: string, name: string, done: Done): void;
}

export interface NativeMountOptions {
  readonly fsname: string;
  readonly subtype: string;
  readonly defaultPermissions: boolean;
  /** Milliseconds after which the package answers in our place; false for never. */
  readonly timeout: number | false;
}

export interface NativeMount {
  mount(done: (error: Error | null | undefined) => void): void;
  unmount(done: (error: Error | null | undefined) => void): void;
}

export interface FuseNative {
  new (mountpoint: string, operations: NativeOperations, options: NativeMountOptions): NativeMount;
  /** What its instances' `unmount` calls before they let go of the event loop: runs `fusermount -uz`. */
  unmount: (mountpoint: string, done: (error: Error | null) => void) => void;
}

const PACKAGE = 'fuse-native';
const LIBFUSE = 'libfuse.so.2';

const require = createRequire(import.meta.url);

function unavailable(why: string, cause?: unknown): VeneerError {
  return new VeneerError('unavailable', `--transport ${PACKAGE}: ${why}`, {
    hint: `npm install ${PACKAGE}@2.2.6 in veneer's directory, or mount without --transport`,
    cause,
  });
}

/** Libfuse from the system, or else the one that comes with the package. */
function loadLibfuse(): void {
  if (loadLibrary(LIBFUSE)) return;
  const { lib } = createRequire(require.resolve('fuse-native'))('fuse-shared-library') as { readonly lib: string };
  loadLibrary(lib);
}

/** Loads the package. Throws `unavailable` where it is not installed, or not for this machine. */
export function loadFuseNative(): FuseNative {
  try {
    loadLibfuse();
    return require('fuse-native') as FuseNative;
  } catch (cause) {
    const isAbsent = hasCode(cause, 'MODULE_NOT_FOUND');
    throw unavailable(
      isAbsent ? 'the package is not installed' : `the package cannot be loaded: ${messageOf(cause)}`,
      cause,
    );
  }
}
