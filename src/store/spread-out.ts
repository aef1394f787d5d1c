// Where on the disk trees of files are born.

import { closeSync, openSync } from 'node:fs';
import { FS_TOPDIR_FL, getFlags, setFlags } from '../sys/index.js';

/**
 * Has ext4 begin each directory that is made in this one in a part of the disk of its own (Orlov's rule, fs/ext4/ialloc.c), as it
 * does below its root. Where a tree of files has just been removed, ext4 passes over each of its inodes for more than a minute
 * whenever it makes another one there (`recently_deleted`). A file system that has no such flag decides by itself.
 */
export function spreadOut(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    const flags = getFlags(fd);
    if (flags >= 0) setFlags(fd, flags | FS_TOPDIR_FL);
  } finally {
    closeSync(fd);
  }
}
