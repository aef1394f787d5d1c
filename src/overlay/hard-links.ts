// Hard links that span layers (overlayfs `index=on`): when one name of a lower file with several links is copied
// up, the upper inode gets a link in `index`, named after the lower file's handle in hex, through which the other
// names find it. The link count users see is kept as a difference in the attribute `nlink`.

import type { ByteString } from '../core/index.js';
import { entryPath, getxattr, linkat, setxattr, statx, unlinkat } from '../sys/index.js';
import { errno } from '../core/index.js';
import { Stat } from '../sys/index.js';
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
  const difference = Number.parseInt(text.slice(1), 10);
  return { nlink: Math.max(0, base + (Number.isNaN(difference) ? 0 : difference)), lowerNlink, key };
}

/**
 * Sets the link count users see. It is written relative to the lower inode, whose count never changes, so that it
 * is right whatever happens in between. Returns 0 or -errno.
 */
export function setNlink(o: Overlay, node: FileNode, nlink: number): number {
  if (node.indexed === undefined || node.upper === undefined) return 0;
  const difference = nlink - node.indexed.lowerNlink;
  const text = `L${difference < 0 ? '' : '+'}${String(difference)}`;
  const written = setxattr(entryPath(node.upper.dir.fd(), node.upper.name), `${o.namespace}nlink`, Buffer.from(text));
  if (written >= 0) node.indexed = { ...node.indexed, nlink };
  return written;
}

const spare = new Stat();

/** Gives an indexed upper file one more of its lower names in the upper. Returns 0 or -errno. */
export function linkUp(node: FileNode, to: Place): number {
  if (node.upper === undefined) return -errno.ESTALE;
  const dirfd = to.dir.fd();
  if (dirfd < 0) return dirfd;
  if (statx(dirfd, to.name, spare) >= 0) return 0;
  return linkat({ dirfd: node.upper.dir.fd(), name: node.upper.name }, { dirfd, name: to.name });
}

/** Drops the index entry of a file whose last name is gone. */
export function dropIndex(o: Overlay, node: FileNode): void {
  if (node.indexed !== undefined && o.work !== undefined) unlinkat(o.work.index.fd(), node.indexed.key);
}
