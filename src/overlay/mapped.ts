// Files that somebody may have mapped for writing. With passthrough stores go to the upper file's own pages: neither the
// kernel's copy of our attributes nor we are told (fuse_passthrough_mmap), and a mapping outlives the file it was made
// of. So from an open for reading and writing on the kernel asks for the times anew, until nobody can write any more.

import { O_ACCMODE, O_RDONLY, O_RDWR, close, hasWriters } from '../sys/index.js';
import { openReal } from './handles.js';
import type { FileNode } from './node.js';
import type { Overlay } from './overlay.js';

/** After an open with passthrough. */
export function noteMappable(o: Overlay, node: FileNode, flags: number): void {
  if (node.mayBeMapped || (flags & O_ACCMODE) !== O_RDWR) return;
  node.mayBeMapped = true;
  o.kernel?.invalidateAttributes(node.id);
}

/** Before the attributes are read: whether they may be kept from now on. */
export function settleMapped(node: FileNode): void {
  if (!node.mayBeMapped || node.opens > 0) return;
  const fd = openReal(node, O_RDONLY);
  if (fd < 0) return;
  node.mayBeMapped = hasWriters(fd);
  close(fd);
}
