// A node's attributes: those of its topmost file, but for the inode number and the link count.

import { errno } from '../core/index.js';
import type { Attr } from '../fuse/index.js';
import { fstatx, statx } from '../sys/index.js';
import type { Stat } from '../sys/index.js';
import type { Node } from './node.js';

/** statx of the real file behind a node. Returns 0 or -errno. */
export function statNode(node: Node, stat: Stat): number {
  if (node.kind === 'directory') {
    const top = node.parts[0];
    return top === undefined ? -errno.ESTALE : top.stat(stat);
  }
  if (node.pinned >= 0) return fstatx(node.pinned, stat);
  const place = node.upper ?? node.lower;
  if (place === undefined) return -errno.ESTALE;
  const dirfd = place.dir.fd();
  return dirfd < 0 ? dirfd : statx(dirfd, place.name, stat);
}

/** What users see of `stat`, the real file's. */
export function fillAttr(node: Node, stat: Stat, attr: Attr): void {
  attr.set(stat);
  attr.inoLow = node.inoLow;
  attr.inoHigh = node.inoHigh;
  if (node.kind === 'directory') {
    // As the kernel: the subdirectories of a merged directory are not counted.
    if (node.isMerged) attr.nlink = 1;
    if (node.at === undefined && node.id !== 1) attr.nlink = 0;
  } else if (node.indexed !== undefined) {
    attr.nlink = node.indexed.nlink;
  } else if (node.names.length === 0 && node.pinned < 0) {
    // A lower file whose name was removed: its inode below still has its links.
    attr.nlink = 0;
  }
}
