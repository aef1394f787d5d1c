// unlink and rmdir: out of the upper, and a whiteout where something below has to stay hidden.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Outcome } from '../fuse/index.js';
import { list, showsNothing } from '../stack/index.js';
import { AT_REMOVEDIR, O_NOFOLLOW, O_PATH, RENAME_EXCHANGE, Stat, openat, renameat2, unlinkat } from '../sys/index.js';
import { copyUpDirectory } from './copy-up-directory.js';
import { copyUp, copyUpName } from './copy-up.js';
import { countByUpper, countNames, dropIndex } from './hard-links.js';
import { removeFromListing } from './listing.js';
import { childOf, findLower } from './lookup.js';
import type { DirNode, FileNode } from './node.js';
import { after } from './outcome.js';
import type { Overlay } from './overlay.js';
import { checkDelete } from './protection.js';
import type { WorkDir } from './work-dir.js';

const spare = new Stat();

/** Whether the layers below the upper have something visible under a name; or -errno. */
export function lowerHas(parent: DirNode, name: ByteString): boolean | number {
  const found = findLower(parent, name, spare);
  return typeof found === 'number' ? found : found !== undefined;
}

/** Puts a whiteout in the place of whatever the upper has under a name: a `directory`, something else, or nothing. */
function replaceByWhiteout(work: WorkDir, at: { dirfd: number; name: ByteString }, directory: boolean): number {
  const { dirfd, name } = at;
  if (!directory) {
    const placed = work.whiteout(dirfd, name);
    if (placed !== -errno.EEXIST) return placed;
  }
  const temporary = work.newName();
  const made = work.whiteout(work.fd, temporary, dirfd);
  if (made < 0) return made;
  const swapped = renameat2({ dirfd: work.fd, name: temporary }, at, directory ? RENAME_EXCHANGE : 0);
  if (swapped < 0) {
    unlinkat(work.fd, temporary);
    return swapped;
  }
  if (directory) work.discard(temporary);
  return 0;
}

export function unlink(o: Overlay, parent: DirNode, name: ByteString): Outcome {
  const node = childOf(o, parent, name);
  if (typeof node === 'number') return node;
  if (node === undefined) return -errno.ENOENT;
  if (node.kind === 'directory') return -errno.EISDIR;
  if (o.work === undefined) return -errno.EROFS;
  const refused = checkDelete(parent, node);
  if (refused < 0) return refused;
  if (node.copying !== undefined) return node.copying.then(() => unlink(o, parent, name));
  // The links that remain must count right, and only an upper inode can say so.
  const spansLayers = !node.inUpper && node.linkKey !== undefined;
  return after(spansLayers ? copyUp(o, node) : 0, () => unlinkNode(o, { parent, name, node }));
}

function unlinkNode(o: Overlay, at: { parent: DirNode; name: ByteString; node: FileNode }): number {
  const { parent, name, node } = at;
  const work = o.work!;
  // What is not in the upper is visible from below.
  const below = !node.inUpper || lowerHas(parent, name);
  if (typeof below === 'number') return below;
  const up = copyUpDirectory(o, parent);
  if (up < 0) return up;
  const dirfd = parent.writable.fd();
  if (dirfd < 0) return dirfd;
  const ready = beforeRemoval(o, node, { parent, name });
  if (ready < 0) return ready;
  const status = below ? replaceByWhiteout(work, { dirfd, name }, false) : unlinkat(dirfd, name);
  if (status < 0) return status;
  forgetName(o, node, { parent, name });
  return 0;
}

/**
 * Before a name of a file goes: makes sure that its inode can still be reached and that its links count right. Returns
 * 0 or -errno.
 */
export function beforeRemoval(o: Overlay, node: FileNode, at: { parent: DirNode; name: ByteString }): number {
  const up = copyUpName(o, node, at);
  if (up < 0) return up;
  const kept = keepReachable(o, node, at);
  return kept < 0 ? kept : countByUpper(o, node);
}

/** For whoever has the file open or looked it up. Returns 0 or -errno. */
function keepReachable(o: Overlay, node: FileNode, at: { parent: DirNode; name: ByteString }): number {
  const { upper } = node;
  if (upper?.name !== at.name || upper.dir !== at.parent.upper) return 0;
  for (const other of node.names) {
    if (other.parent === at.parent && other.name === at.name) continue;
    if (node.indexed !== undefined && copyUpName(o, node, other) < 0) continue;
    if (other.parent.upper === undefined) continue;
    node.upper = { dir: other.parent.upper, name: other.name };
    return 0;
  }
  if (node.indexed !== undefined && node.indexed.nlink > 1 && o.work !== undefined) {
    node.upper = { dir: o.work.index, name: node.indexed.key };
    return 0;
  }
  const pinned = openat(upper.dir.fd(), upper.name, O_PATH | O_NOFOLLOW);
  if (pinned < 0) return pinned;
  node.pinned = pinned;
  node.upper = undefined;
  return 0;
}

/** After a name of a file went: takes it out of the tables and counts down. */
export function forgetName(o: Overlay, node: FileNode, at: { parent: DirNode; name: ByteString }): void {
  o.nodes.detach(node, at.parent, at.name);
  removeFromListing(at.parent, at.name);
  countNames(o, node, -1);
  if (node.indexed === undefined || node.indexed.nlink > 0) return;
  dropIndex(o, node);
  node.indexed = undefined;
}

export function rmdir(o: Overlay, parent: DirNode, name: ByteString): number {
  const node = childOf(o, parent, name);
  if (typeof node === 'number') return node;
  if (node === undefined) return -errno.ENOENT;
  if (node.kind !== 'directory') return -errno.ENOTDIR;
  if (o.work === undefined) return -errno.EROFS;
  const refused = checkDelete(parent, node);
  if (refused < 0) return refused;
  const empty = isEmpty(o.work, node);
  if (empty < 0) return empty;
  const below = node.upper === undefined || lowerHas(parent, name);
  if (typeof below === 'number') return below;
  const up = copyUpDirectory(o, parent);
  if (up < 0) return up;
  const dirfd = parent.writable.fd();
  if (dirfd < 0) return dirfd;
  // Whoever stands in the directory keeps it open through this.
  if (node.upper !== undefined) node.upper.fd();
  const at = { dirfd, name };
  const status = below ? replaceByWhiteout(o.work, at, node.upper !== undefined) : removeUpperDirectory(o.work, at);
  if (status < 0) return status;
  forgetDirectory(o, node);
  return 0;
}

/** Returns 0, or -errno (ENOTEMPTY). */
export function isEmpty(work: WorkDir, node: DirNode): number {
  const { listing, upper } = node;
  if (listing?.isEmpty !== true) {
    const names = list(node.parts);
    if (typeof names === 'number') return names;
    return names.size === 0 ? 0 : -errno.ENOTEMPTY;
  }
  if (upper === undefined) return 0;
  // What somebody put there behind the mount's back is not removed unseen.
  const bare = showsNothing(upper, work.whiteoutIno);
  if (typeof bare === 'number') return bare;
  return bare ? 0 : -errno.ENOTEMPTY;
}

/** Removes a directory of the upper that looks empty but may hold whiteouts. */
function removeUpperDirectory(work: WorkDir, at: { dirfd: number; name: ByteString }): number {
  const status = unlinkat(at.dirfd, at.name, AT_REMOVEDIR);
  if (status !== -errno.ENOTEMPTY) return status;
  const temporary = work.newName();
  const moved = renameat2(at, { dirfd: work.fd, name: temporary });
  if (moved >= 0) work.discard(temporary);
  return moved;
}

/** After a directory went: its name may belong to another one now. */
export function forgetDirectory(o: Overlay, node: DirNode): void {
  if (node.at === undefined) return;
  const { parent, name } = node.at;
  node.upper?.removed();
  o.nodes.detach(node, parent, name);
  removeFromListing(parent, name);
  node.listing = undefined;
}
