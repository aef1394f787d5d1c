// A new volume has what the image has at its place.

import { readdirSync } from 'node:fs';
import { errno, toByteString } from '../core/index.js';
import type { Store } from '../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, close, must } from '../sys/index.js';
import { openat, openat2 } from '../sys/index.js';
import { copyDirectoryAttributes } from './copy-attributes.js';
import { copyForVolume } from './volume-copy.js';

export interface Filling {
  readonly volume: string;
  /** Where the container's tree is mounted. */
  readonly rootfs: string;
  /** In the container. */
  readonly path: string;
}

/**
 * Fills a volume that has nothing in it. Owner and mode come along with the files, as with Docker. Links in the tree lead where they lead
 * in the container. A process that dies leaves an empty volume, or one that `finishFilling` completes.
 */
export async function fillVolume(store: Store, { volume, rootfs, path }: Filling): Promise<void> {
  if (readdirSync(store.volumes.path(volume)).length > 0) return;
  const source = openPlace(rootfs, path);
  if (source === undefined) return;
  try {
    using _lock = await store.volumes.lock(volume);
    if (readdirSync(store.volumes.path(volume)).length === 0) fillFrom(store, volume, source);
  } finally {
    close(source);
  }
}

/** Completes what a process that died has begun to fill. */
export async function finishFilling(store: Store, volume: string): Promise<void> {
  if (!store.volumes.isFilling(volume)) return;
  using _lock = await store.volumes.lock(volume);
  store.volumes.finishFilling(volume);
}

const ABSENT = new Set<number>([errno.ENOENT, errno.ENOTDIR, errno.ELOOP]);

function openPlace(rootfs: string, path: string): number | undefined {
  const root = must(openat(AT_FDCWD, toByteString(rootfs), O_RDONLY | O_DIRECTORY), 'open', rootfs);
  try {
    const how = { flags: O_RDONLY | O_DIRECTORY, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    const source = openat2(root, toByteString(path), how);
    return ABSENT.has(-source) ? undefined : must(source, 'open', path);
  } finally {
    close(root);
  }
}

function fillFrom(store: Store, volume: string, source: number): void {
  const path = store.volumes.path(volume);
  const target = must(openat(AT_FDCWD, toByteString(path), O_RDONLY | O_DIRECTORY), 'open', path);
  try {
    copyDirectoryAttributes(source, target);
  } finally {
    close(target);
  }
  const from = `/proc/self/fd/${String(source)}/.`;
  if (readdirSync(from).length === 0) return;
  using copy = copyForVolume(store, from);
  store.volumes.fill(volume, copy.content);
}
