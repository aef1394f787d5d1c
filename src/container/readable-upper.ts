// The changes of a container as a directory that can be read as a layer, be it mounted or not.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { toByteString } from '../core/index.js';
import { removeTree } from '../store/index.js';
import type { ContainerRecord, Store } from '../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, must, openat, syncfs } from '../sys/index.js';
import { copyTrees } from './copy-tree.js';
import { countUnsettled, isSettled } from './link-counts.js';
import { refuseLostTree } from './lost-tree.js';
import { baseDirectories, lowerDirectories } from './lower-directories.js';
import { currentMountpoint } from './mount.js';
import { settleLinks } from './settle-links.js';
import { settledUpper } from './settled-upper.js';
import type { SettledUpper } from './settled-upper.js';
import { containerDirectories } from './container-directories.js';

export interface ReadableUpperOptions {
  readonly store: Store;
  /** Of a container whose lock is held. */
  readonly record: ContainerRecord;
  /** Gives a directory of the store for a copy, if one is needed. */
  readonly scratch: () => string;
  /** Reads the directory of a mounted container where it can be read as it is, for what need not be of one moment. */
  readonly live?: boolean;
  /** Of a mounted container, only what was frozen. */
  readonly frozenOnly?: boolean;
}

/** The directory is as it is described until disposed of. */
export type ReadableUpper = SettledUpper & Disposable;

/** The directory of the container's changes, or a copy if it is mounted. */
export function readableUpper(options: ReadableUpperOptions): ReadableUpper {
  const { store, record, scratch, live = false, frozenOnly = false } = options;
  const asItIs = { [Symbol.dispose]: () => undefined };
  refuseLostTree(store, record);
  const mountpoint = currentMountpoint(record);
  if (mountpoint === undefined) return { ...settledUpper(store, record), ...asItIs };
  const lower = lowerDirectories(store, record);
  const base = baseDirectories(store, record);
  if (frozenOnly) {
    const [upper = store.layers.paths([])[0]!, ...below] = lower;
    return { upper, lower: below, base, ...asItIs };
  }
  // What programs have written may still be with the kernel, which gives it to the server now.
  sync(mountpoint);
  const own = containerDirectories(store.containers.directory(record.id));
  if (live && isSettled(own.index, lower[0] ?? '')) return { upper: own.upper, lower, base, ...asItIs };
  const beside = scratch();
  const upper = join(beside, 'upper');
  mkdirSync(upper);
  copySettled({ store, record, lower, to: upper, beside });
  return { upper, lower, base, [Symbol.dispose]: () => removeTree(toByteString(upper)) };
}

export interface SettledCopy {
  readonly store: Store;
  readonly record: ContainerRecord;
  /** Top first. */
  readonly lower: readonly string[];
  /** An empty directory to fill. */
  readonly to: string;
  /** A directory on the same file system, for what is needed meanwhile. */
  readonly beside: string;
}

/** Copies the changes of a mounted container, whose mount has been synced. */
export function copySettled({ store, record, lower, to, beside }: SettledCopy): void {
  const { upper, index } = containerDirectories(store.containers.directory(record.id));
  // Of files that are copied up meanwhile there is no count then, and names that are linked meanwhile make it smaller.
  const unsettled = countUnsettled(index, lower[0] ?? '');
  const [links, ownIndex] = [join(beside, 'links'), join(beside, 'index')];
  for (const path of [links, ownIndex]) mkdirSync(path);
  const trees = [
    { from: upper, to },
    { from: index, to: ownIndex },
  ];
  copyTrees({ trees, scratch: links });
  settleLinks({ upper: to, index: ownIndex, lower, unsettled });
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
