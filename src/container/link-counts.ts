// How many names still reach a copied-up file through the overlay's index alone. The overlay keeps the count of links that users see
// with every file in the index; the names in the upper directory are links of the file itself; the rest are names below.

import { toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, Stat, close, entryPath, fstatx } from '../sys/index.js';
import { getxattr, listDirectory, openByHandleAt, openat, statx } from '../sys/index.js';
import type { FileHandle } from '../sys/index.js';

const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

/** Of `struct ovl_fb`, which index entries are named after in hex (fs/overlayfs/overlayfs.h). */
const FB = { magic: 0xfb, type: 4, length: 2, fid: 21 } as const;

/** The handle of the lower file that an index entry is of. */
export function handleOf(name: ByteString): FileHandle | undefined {
  const bytes = Buffer.from(name, 'hex');
  if (bytes[1] !== FB.magic) return undefined;
  return { type: bytes[FB.type] ?? 0, bytes: bytes.subarray(FB.fid, bytes[FB.length]) };
}

/** For each index entry how many names below are still to be settled, at most. */
export type UnsettledNames = ReadonlyMap<ByteString, number>;

/** Entries of which it cannot be told have no count. `layer` is any directory on the lower layers' file system. */
export function countUnsettled(index: string, layer: string): UnsettledNames {
  const counts = new Map<ByteString, number>();
  const indexFd = openat(AT_FDCWD, toByteString(index), DIRECTORY);
  const layerFd = openat(AT_FDCWD, toByteString(layer), DIRECTORY);
  try {
    const names = indexFd < 0 ? -1 : listDirectory(indexFd);
    if (typeof names === 'number' || layerFd < 0) return counts;
    for (const { name } of names) {
      const count = countOf(indexFd, name, layerFd);
      if (count !== undefined) counts.set(name, count);
    }
    return counts;
  } finally {
    if (indexFd >= 0) close(indexFd);
    if (layerFd >= 0) close(layerFd);
  }
}

/** Whether no name needs the index. */
export function isSettled(index: string, layer: string): boolean {
  const indexFd = openat(AT_FDCWD, toByteString(index), DIRECTORY);
  if (indexFd < 0) return true;
  const names = listDirectory(indexFd);
  close(indexFd);
  if (typeof names === 'number') return false;
  const counts = countUnsettled(index, layer);
  return names.every(({ name }) => handleOf(name) === undefined || counts.get(name) === 0);
}

/** Of one entry: what users see (ovl_get_nlink, fs/overlayfs/util.c), less its names in the upper directory. */
function countOf(indexFd: number, name: ByteString, layerFd: number): number | undefined {
  const handle = handleOf(name);
  const stat = new Stat();
  if (handle === undefined || statx(indexFd, name, stat) < 0) return undefined;
  // Of renamed and opaque directories, and of names that are gone, which are not linked.
  if (stat.isDirectory || stat.isWhiteoutDevice) return 0;
  const [, letter, difference] = /^([LU])([+-]\d+)$/.exec(readCount(indexFd, name)) ?? [];
  if (letter === undefined) return undefined;
  const base = letter === 'U' ? stat.nlink : lowerLinks(layerFd, handle);
  // The index has one of its links.
  return base === undefined ? undefined : Math.max(0, base + Number(difference) - (stat.nlink - 1));
}

function readCount(indexFd: number, name: ByteString): string {
  for (const namespace of ['trusted.overlay.', 'user.overlay.']) {
    const value = getxattr(entryPath(indexFd, name), `${namespace}nlink`);
    if (typeof value !== 'number') return value.toString('latin1');
  }
  return '';
}

function lowerLinks(layerFd: number, handle: FileHandle): number | undefined {
  const fd = openByHandleAt(layerFd, handle, O_PATH);
  if (fd < 0) return undefined;
  const stat = new Stat();
  const known = fstatx(fd, stat);
  close(fd);
  return known < 0 ? undefined : stat.nlink;
}
