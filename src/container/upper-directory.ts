// The directories a container writes to. A new upper directory looks like the root of what it lies on: an
// overlay shows its root with the attributes of the top directory.

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { toByteString } from '../core/index.js';
import { recoverFreeze } from '../overlay/index.js';
import { removeTree } from '../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, must, openat } from '../sys/index.js';
import { containerDirectories } from './container-directories.js';
import type { ContainerDirectories } from './container-directories.js';
import { copyDirectoryAttributes } from './copy-attributes.js';

/**
 * Makes the directories that are missing; the upper one is complete or absent. `lower` is the top layer directory. A work directory
 * belongs to one upper directory: with a new upper it is made anew.
 */
export function ensureDirectories(directory: string, lower: string): ContainerDirectories {
  const directories = containerDirectories(directory);
  const { upper, work, merged } = directories;
  recoverFreeze({ upperdir: upper, workdir: work });
  if (!existsSync(upper)) {
    discard(work);
    const fresh = `${upper}.new`;
    discard(fresh);
    mkdirSync(fresh, { mode: 0o755 });
    copyRootAttributes(lower, fresh);
    renameSync(fresh, upper);
  }
  for (const path of [work, merged]) if (!existsSync(path)) mkdirSync(path, { mode: 0o755 });
  return directories;
}

function discard(path: string): void {
  if (existsSync(path)) removeTree(toByteString(path));
}

function copyRootAttributes(from: string, to: string): void {
  const source = must(openat(AT_FDCWD, toByteString(from), O_RDONLY | O_DIRECTORY), 'open', from);
  try {
    const target = must(openat(AT_FDCWD, toByteString(to), O_RDONLY | O_DIRECTORY), 'open', to);
    try {
      copyDirectoryAttributes(source, target);
    } finally {
      close(target);
    }
  } finally {
    close(source);
  }
}
