// The changes of a container as a directory that can be read as a layer, be it mounted or not.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { toByteString } from '../core/index.js';
import { removeTree } from '../store/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, must, openat, syncfs } from '../sys/index.js';
import { copyTrees } from './copy-tree.js';
import { lowerDirectories } from './lower-directories.js';
import { currentMountpoint } from './mount.js';
import { settleLinks } from './settle-links.js';
import { settledUpper } from './settled-upper.js';
import type { SettledUpper } from './settled-upper.js';
import { containerDirectories } from './upper-directory.js';

/** Runs `use` with the directory of the container's changes, or a copy of it in `scratch` if it is mounted. */
export async function withReadableUpper<T>(
  { store, record }: { readonly store: Store; readonly record: ContainerRecord },
  scratch: string,
  use: (upper: SettledUpper) => Promise<T> | T,
): Promise<T> {
  const mountpoint = currentMountpoint(record);
  if (mountpoint === undefined) return use(settledUpper(store, record));
  const upper = join(scratch, 'upper');
  const lower = lowerDirectories(store, record);
  mkdirSync(upper);
  copySettled({ store, record, mountpoint, lower, to: upper, beside: scratch });
  try {
    return await use({ upper, lower });
  } finally {
    removeTree(toByteString(upper));
  }
}

export interface SettledCopy {
  readonly store: Store;
  readonly record: ContainerRecord;
  readonly mountpoint: string;
  /** Top first. */
  readonly lower: readonly string[];
  /** An empty directory to fill. */
  readonly to: string;
  /** A directory on the same file system, for what is needed meanwhile. */
  readonly beside: string;
}

/** Copies the changes of a mounted container. */
export function copySettled({ store, record, mountpoint, lower, to, beside }: SettledCopy): void {
  const { upper, index } = containerDirectories(store.containers.directory(record.id));
  // What programs have written may still be with the kernel, which gives it to the server now.
  sync(mountpoint);
  const [links, ownIndex] = [join(beside, 'links'), join(beside, 'index')];
  for (const path of [links, ownIndex]) mkdirSync(path);
  const trees = [
    { from: upper, to },
    { from: index, to: ownIndex },
  ];
  copyTrees({ trees, scratch: links });
  settleLinks({ upper: to, index: ownIndex, lower });
  for (const path of [links, ownIndex]) removeTree(toByteString(path));
}

/** Everything written below `path` is on disk then. */
export function sync(path: string): void {
  const fd = must(openat(AT_FDCWD, toByteString(path), O_RDONLY | O_DIRECTORY), 'open', path);
  try {
    must(syncfs(fd), 'syncfs', path);
  } finally {
    close(fd);
  }
}
