// Whether something is mounted on a directory, and whether its server still answers.

import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errno, hasCode, toByteString } from '../core/index.js';
import { removeDoor } from '../overlay/index.js';
import {
  AT_FDCWD,
  MNT_DETACH,
  O_DIRECTORY,
  O_PATH,
  close,
  fstatfs,
  mountEntries,
  must,
  openat,
  umount2,
} from '../sys/index.js';

/** What `mount` shows as the type of our mounts. */
export const MOUNT_TYPE = 'fuse.veneer';

export type MountState =
  | { readonly kind: 'none' }
  /** Its server answers, or it is another kind of file system. */
  | { readonly kind: 'live'; readonly type: string }
  /** Its server has died: every access fails. */
  | { readonly kind: 'stale' };

/** The state of an absolute path without symlinks. */
export function mountState(mountpoint: string): MountState {
  const path = toByteString(mountpoint);
  const entry = mountEntries().findLast((one) => one.mountpoint === path);
  if (entry === undefined) return { kind: 'none' };
  if (!entry.type.startsWith('fuse')) return { kind: 'live', type: entry.type };
  return isDead(path) ? { kind: 'stale' } : { kind: 'live', type: entry.type };
}

/** Attributes may come from the kernel's cache; statfs always asks the server. One that dies while it is asked aborts the question. */
function isDead(path: string): boolean {
  const fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  if (fd < 0) return fd === -errno.ENOTCONN;
  const status = fstatfs(fd);
  close(fd);
  return status === -errno.ENOTCONN || status === -errno.ECONNABORTED;
}

/** Takes away a mount whose server has died, and its door. */
export function detachStale(mountpoint: string): void {
  must(umount2(toByteString(mountpoint), MNT_DETACH), 'umount2', mountpoint);
  removeDoor(mountpoint);
}

/** Takes away all stale mounts of a directory and returns what is there then: `none` or `live`. */
export function clearStale(mountpoint: string): Exclude<MountState, { kind: 'stale' }> {
  for (;;) {
    const state = mountState(mountpoint);
    if (state.kind !== 'stale') return state;
    detachStale(mountpoint);
  }
}

/**
 * The absolute path of a mount point, without symlinks. A dead mount is not asked, nor need it exist;
 * throws ENOENT where its parent is missing.
 */
export function canonicalMountpoint(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch (error) {
    if (!hasCode(error, 'ENOTCONN') && !hasCode(error, 'ENOENT')) throw error;
    return join(realpathSync(dirname(absolute)), basename(absolute));
  }
}
