// A node's attributes: those of its topmost file, but for the inode number and the link count.

import { errno } from '../core/index.js';
import type { Attr } from '../fuse/index.js';
import { Stat, entryPath, fdPath, fstatx, statx } from '../sys/index.js';
import type { XattrTarget } from '../sys/index.js';
import type { Node, Place } from './node.js';
import type { Overlay } from './overlay.js';

/** Where the extended attributes of a node are; or -errno. */
export function xattrTarget(node: Node): XattrTarget | number {
  if (node.kind === 'directory') {
    const fd = node.parts[0]?.fd() ?? -errno.ESTALE;
    return fd < 0 ? fd : entryPath(fd, '.');
  }
  if (node.pinned >= 0) return { follow: fdPath(node.pinned) };
  const place = node.upper ?? node.lower;
  if (place === undefined) return -errno.ESTALE;
  const fd = place.dir.fd();
  return fd < 0 ? fd : entryPath(fd, place.name);
}

/** statx of the real file behind a node. Returns 0 or -errno. */
export function statReal(node: Node, stat: Stat): number {
  if (node.kind === 'directory') {
    const top = node.parts[0];
    return top === undefined ? -errno.ESTALE : top.stat(stat);
  }
  if (node.pinned >= 0) return fstatx(node.pinned, stat);
  const place = node.upper ?? node.lower;
  if (place === undefined) return -errno.ESTALE;
  const dirfd = place.dir.fd();
  const status = dirfd < 0 ? dirfd : statx(dirfd, place.name, stat);
  if (status >= 0 && node.data !== undefined) takeBlocks(node.data, stat);
  return status;
}

const content = new Stat();

/** A metadata-only copy takes the blocks of its data (ovl_getattr). */
function takeBlocks(data: Place, stat: Stat): void {
  const dirfd = data.dir.fd();
  if (dirfd >= 0 && statx(dirfd, data.name, content) >= 0) stat.assume({ blocks: content.blocks });
}

/** The attributes of a node's topmost file. Returns 0 or -errno. */
export function statNode(o: Overlay, node: Node, stat: Stat): number {
  const status = statReal(node, stat);
  if (status < 0 || o.overrides === undefined) return status;
  const target = xattrTarget(node);
  if (typeof target === 'number') return target;
  o.overrides.apply(target, stat);
  return 0;
}

/** What users see of `stat`, the real file's. */
export function fillAttr(node: Node, stat: Stat, attr: Attr): void {
  attr.set(stat);
  attr.inoLow = node.inoLow;
  attr.inoHigh = node.inoHigh;
  attr.uncached = node.kind === 'other' && node.mayBeMapped;
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
