// Where mounts of a container go in its tree: found without a link leading out of it, and made where they are missing, as docker makes them.

import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { errno, toByteString } from '../core/index.js';
import { AT_FDCWD, O_CREAT, O_DIRECTORY, O_EXCL, O_PATH, O_WRONLY, RESOLVE_IN_ROOT } from '../sys/index.js';
import { RESOLVE_NO_MAGICLINKS, Stat, close, fstatx, mkdirat, must, openat, openat2 } from '../sys/index.js';

export interface MountPlace {
  /** What it is looked up in. */
  readonly root: string;
  /** Absolute, as seen there. */
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * Makes a place to mount on if it is missing, and returns its path below the root, without links: undefined for what is of another kind, or
 * cannot be made because of it.
 */
export function ensureMountPoint({ root, path, isDirectory }: MountPlace): string | undefined {
  return withRoot(root, (fd) => ensure(fd, posix.normalize(path), isDirectory));
}

/** As `ensureMountPoint`, where it is there. */
export function findMountPoint({ root, path, isDirectory }: MountPlace): string | undefined {
  return withRoot(root, (fd) => {
    const found = find(fd, path, isDirectory);
    return typeof found === 'string' ? found : undefined;
  });
}

function withRoot<T>(root: string, use: (fd: number) => T): T {
  const fd = must(openat(AT_FDCWD, toByteString(root), O_PATH | O_DIRECTORY), 'open', root);
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

/** Its path, or -errno. */
function find(root: number, path: string, isDirectory: boolean): string | number {
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const fd = openat2(root, toByteString(path), { flags: O_PATH, resolve });
  if (fd < 0) return fd;
  try {
    const stat = new Stat();
    must(fstatx(fd, stat), 'statx', path);
    if (stat.isDirectory !== isDirectory) return isDirectory ? -errno.ENOTDIR : -errno.EISDIR;
    return shownPath(fd).slice(shownPath(root).length) || '/';
  } finally {
    close(fd);
  }
}

const shownPath = (fd: number): string => readlinkSync(`/proc/self/fd/${String(fd)}`).replace(/^\/$/, '');

function ensure(root: number, path: string, isDirectory: boolean): string | undefined {
  const found = find(root, path, isDirectory);
  if (typeof found === 'string') return found;
  if (found !== -errno.ENOENT || path === '/') return undefined;
  const parent = ensure(root, posix.dirname(path), true);
  if (parent === undefined) return undefined;
  const how = { flags: O_PATH | O_DIRECTORY, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
  const directory = must(openat2(root, toByteString(parent), how), 'open', parent);
  try {
    const name = toByteString(posix.basename(path));
    if (isDirectory) mkdirat(directory, name, 0o755);
    else close(openat(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0o755));
  } finally {
    close(directory);
  }
  // A link that leads nowhere has the name.
  const made = find(root, path, isDirectory);
  return typeof made === 'string' ? made : undefined;
}
