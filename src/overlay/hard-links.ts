// Hard links that span layers (overlayfs `index=on`): when one name of a lower file with several links is copied
// up, the upper inode gets a link in `index`, named after the lower file's handle in hex, through which the other
// names find it. The link count users see is kept as a difference in the attribute `nlink`: to the upper inode's
// count before a name comes or goes, which changes both, and to the lower inode's before the upper one alone gets a
// link. So it is right whether or not the server lives to do what it announces (ovl_nlink_start, ovl_link_up).

import type { ByteString } from '../core/index.js';
import { entryPath, fdPath, fstatx, getxattr, linkat, listDirectory, setxattr, statx, unlinkat } from '../sys/index.js';
import type { XattrTarget } from '../sys/index.js';
import { errno } from '../core/index.js';
import { Stat } from '../sys/index.js';
import type { XattrNamespace } from '../whiteout/index.js';
import type { FileNode, Place } from './node.js';
import type { Overlay } from './overlay.js';

/** The name of a lower file's index entry; undefined where its file system has no handles. */
export function indexKey(o: Overlay, lower: Place): ByteString | undefined {
  return o.origins.encode(lower.dir, lower.name)?.toString('hex');
}

/**
 * Reads `nlink` of an indexed upper file: `L+N` or `U+N`, relative to the links of the lower or the upper inode
 * (ovl_get_nlink, fs/overlayfs/util.c).
 */
export function readIndexed(
  o: Overlay,
  file: { place: Place; key: ByteString; lowerNlink: number; upperNlink: number },
): NonNullable<FileNode['indexed']> {
  const { place, key, lowerNlink, upperNlink } = file;
  const value = getxattr(entryPath(place.dir.fd(), place.name), `${o.namespace}nlink`);
  const text = typeof value === 'number' ? 'L+0' : value.toString('latin1');
  const base = text.startsWith('U') ? upperNlink : lowerNlink;
  const nlink = base + Number.parseInt(text.slice(1), 10);
  // Layers changed behind the overlay's back give nonsense; a file that has a name has a link.
  return { nlink: nlink > 0 ? nlink : Math.max(1, upperNlink - 1), lowerNlink, key };
}

/** Writes the link count of a file that has as many links as the lower inode. Returns 0 or -errno. */
export function writeFirstNlink(o: Overlay, copy: XattrTarget): number {
  return setxattr(copy, `${o.namespace}nlink`, Buffer.from('L+0'));
}

function writeNlink(o: Overlay, node: FileNode, base: { readonly letter: 'L' | 'U'; readonly nlink: number }): number {
  if (node.indexed === undefined) return 0;
  const difference = node.indexed.nlink - base.nlink;
  const text = `${base.letter}${difference < 0 ? '' : '+'}${String(difference)}`;
  const target = upperTarget(node);
  return typeof target === 'number' ? target : setxattr(target, `${o.namespace}nlink`, Buffer.from(text));
}

function upperTarget(node: FileNode): XattrTarget | number {
  if (node.pinned >= 0) return { follow: fdPath(node.pinned) };
  if (node.upper === undefined) return -errno.ESTALE;
  const dirfd = node.upper.dir.fd();
  return dirfd < 0 ? dirfd : entryPath(dirfd, node.upper.name);
}

function statUpper({ upper }: FileNode, stat: Stat): number {
  const dirfd = upper?.dir.fd() ?? -errno.ESTALE;
  return dirfd < 0 || upper === undefined ? dirfd : statx(dirfd, upper.name, stat);
}

const spare = new Stat();

/** Before a name of an indexed file comes or goes in the upper, for users as well. Returns 0 or -errno. */
export function countByUpper(o: Overlay, node: FileNode): number {
  if (node.indexed === undefined) return 0;
  const known = node.pinned >= 0 ? fstatx(node.pinned, spare) : statUpper(node, spare);
  return known < 0 ? known : writeNlink(o, node, { letter: 'U', nlink: spare.nlink });
}

/**
 * After it: `difference` names have come. The count may be wrong, where links were made in a layer behind the overlay's
 * back; while a name is known it does not fall to nothing (ovl_drop_nlink).
 */
export function countNames(o: Overlay, node: FileNode, difference: number): void {
  if (node.indexed === undefined) return;
  const counted = node.indexed.nlink + difference;
  const nlink = Math.max(counted, Math.min(node.names.length, 1));
  node.indexed = { ...node.indexed, nlink };
  // The kernel counts down by itself.
  if (nlink !== counted) o.kernel?.invalidateAttributes(node.id);
}

/** Gives an indexed upper file one more of its lower names in the upper. Returns 0 or -errno. */
export function linkUp(o: Overlay, node: FileNode, to: Place): number {
  if (node.indexed === undefined || node.upper === undefined) return -errno.ESTALE;
  const dirfd = to.dir.fd();
  if (dirfd < 0) return dirfd;
  const counted = writeNlink(o, node, { letter: 'L', nlink: node.indexed.lowerNlink });
  if (counted < 0) return counted;
  return linkat({ dirfd: node.upper.dir.fd(), name: node.upper.name }, { dirfd, name: to.name });
}

/**
 * Drops the entries of files whose last name went just before the server died: their inode has no other link, and its
 * count relative to that says none. Returns 0 or -errno.
 */
export function dropOrphans(index: number, namespace: XattrNamespace): number {
  const entries = listDirectory(index);
  if (typeof entries === 'number') return entries;
  for (const { name } of entries) {
    const known = statx(index, name, spare);
    if (known < 0 || spare.isDirectory || spare.nlink !== 1) continue;
    const value = getxattr(entryPath(index, name), `${namespace}nlink`);
    const gone = typeof value !== 'number' && value.toString('latin1') === 'U-1';
    const removed = gone ? unlinkat(index, name) : 0;
    if (removed < 0) return removed;
  }
  return 0;
}

/** Drops the index entry of a file whose last name is gone. */
export function dropIndex(o: Overlay, node: FileNode): void {
  if (node.indexed !== undefined && o.work !== undefined) unlinkat(o.work.index.fd(), node.indexed.key);
}
