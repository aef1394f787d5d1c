// Names that only the index knows of, made plain: before the upper becomes a layer of its own, which has no index, every name of a
// file that was copied up under another one is linked into it (hard-links.ts).

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import { list } from '../stack/index.js';
import { O_PATH, Stat, entryPath, listDirectory, openat, statx } from '../sys/index.js';
import { copyUpName } from './copy-up.js';
import { readIndexed } from './hard-links.js';
import { childOf } from './lookup.js';
import type { DirNode, FileNode, Node } from './node.js';
import type { Overlay } from './overlay.js';

const spare = new Stat();
const scratch = new Stat();

/** Nodes that the kernel does not know and that are here for the moment; the latest last. */
export type Guests = Node[];

/** Lets go of them. */
export function dismiss(o: Overlay, guests: Guests): void {
  for (const node of guests.reverse()) if (node.nlookup <= 0) o.nodes.forget(node.id, 0);
}

interface Walk {
  /** Only what the upper has. */
  readonly upperOnly: boolean;
  /** Told of each name; false ends the walk. Or -errno. */
  readonly visit: (parent: DirNode, name: ByteString, node: FileNode) => boolean | number;
}

/** Visits all names of files in the merged tree. Returns 0 or -errno. */
function walk(o: Overlay, guests: Guests, { upperOnly, visit }: Walk): number {
  const left = [o.nodes.root];
  for (let dir = left.pop(); dir !== undefined; dir = left.pop()) {
    if (upperOnly && dir.upper === undefined) continue;
    const names = list(upperOnly ? [dir.upper!] : dir.parts);
    if (typeof names === 'number') return names;
    for (const name of names) {
      const isKnown = dir.children.has(name);
      const node = childOf(o, dir, name);
      // What cannot be looked up is no file with a copy.
      if (node === undefined || typeof node === 'number') continue;
      if (node.kind === 'directory') left.push(node);
      else {
        const more = visit(dir, name, node);
        if (typeof more === 'number') return more;
        if (!more) return 0;
      }
      if (isKnown || node.nlookup > 0) continue;
      if (node.kind === 'other' && node.linkKey === undefined) o.nodes.forget(node.id, 0);
      else guests.push(node);
    }
  }
  return 0;
}

/** How many names are to be found, at most; or -errno. */
function countUnsettled(o: Overlay): number {
  const index = o.work!.index;
  const dirfd = index.fd();
  const entries = listDirectory(dirfd);
  if (typeof entries === 'number') return entries;
  let count = 0;
  for (const { name } of entries) {
    if (statx(dirfd, name, spare) < 0 || spare.isDirectory || spare.isWhiteoutDevice) continue;
    const upperNlink = spare.nlink;
    const isTold = o.origins.resolve(entryPath(dirfd, name), scratch);
    if (!isTold) return Number.MAX_SAFE_INTEGER;
    const file = { place: { dir: index, name }, key: name, lowerNlink: scratch.nlink, upperNlink };
    count += Math.max(0, readIndexed(o, file).nlink - (upperNlink - 1));
  }
  return count;
}

/**
 * Gives every visible name of an indexed file a link in the upper. Walks the merged tree until they are found, and not at all
 * where there are none. Returns 0 or -errno.
 */
export function settleIndex(o: Overlay, guests: Guests): number {
  let left = countUnsettled(o);
  if (left <= 0) return left;
  return walk(o, guests, {
    upperOnly: false,
    visit: (parent, name, node) => {
      if (node.indexed === undefined) return true;
      const dirfd = parent.upper?.fd() ?? -errno.ENOENT;
      if (dirfd >= 0 && statx(dirfd, name, spare) >= 0) return true;
      const status = copyUpName(o, node, { parent, name });
      left -= 1;
      return status < 0 ? status : left > 0;
    },
  });
}

/** Has the nodes of all files in the upper know their names there. Returns 0 or -errno. */
export function findNames(o: Overlay, guests: Guests): number {
  return walk(o, guests, {
    upperOnly: true,
    visit: (parent, name, node) => {
      if (node.upper !== undefined && node.upper.dir === o.work?.index && parent.upper !== undefined) {
        node.upper = { dir: parent.upper, name };
      }
      return true;
    },
  });
}

/** Keeps a file that no name leads to by an fd. Returns 0 or -errno. */
export function pin(node: FileNode): number {
  const { upper } = node;
  if (upper === undefined) return 0;
  const pinned = openat(upper.dir.fd(), upper.name, O_PATH);
  if (pinned < 0) return pinned;
  node.pinned = pinned;
  node.upper = undefined;
  return 0;
}
