// The names of a merged directory.

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import { DT_CHR, DT_REG, Stat, entryPath, listxattr, openat, close, statx, visitDirectory } from '../sys/index.js';
import { O_DIRECTORY, O_RDONLY } from '../sys/index.js';
import type { DirentVisitor } from '../sys/index.js';
import { WHITEOUT_PREFIX, readMarks } from '../whiteout/index.js';
import type { Merged } from './lookup.js';
import type { RealDir } from './real-dir.js';

export interface ListedName {
  /** DT_*, as the topmost layer that has the name tells it; DT_UNKNOWN where it does not. */
  readonly type: number;
  /** The index of that layer's part. */
  readonly part: number;
}

const spare = new Stat();

interface Candidate {
  readonly name: ByteString;
  readonly type: number;
}

/** Splits one directory into what it shows and what it hides below. */
function readPart(dir: RealDir): { shown: Candidate[]; hidden: ByteString[] } | number {
  const own = dir.fd();
  if (own < 0) return own;
  const all: Candidate[] = [];
  const status = visit(own, (name, type) => {
    all.push({ name, type });
  });
  if (status < 0) return status;
  const marks = xattrWhiteoutsIn(own);
  const shown: Candidate[] = [];
  const hidden: ByteString[] = [];
  for (const entry of all) {
    if (entry.name.startsWith(WHITEOUT_PREFIX)) hidden.push(entry.name.slice(WHITEOUT_PREFIX.length));
    else if (isWhiteout(own, entry, marks)) hidden.push(entry.name);
    else shown.push(entry);
  }
  return { shown, hidden };
}

/** As visitDirectory, also by an fd that is O_PATH, for want of the right to list. */
function visit(dirfd: number, visitor: DirentVisitor): number {
  const status = visitDirectory(dirfd, visitor);
  if (status !== -errno.EBADF) return status;
  const fd = openat(dirfd, '.', O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd;
  const listed = visitDirectory(fd, visitor);
  close(fd);
  return listed;
}

/** Only a directory marked `opaque=x` holds whiteouts in the attribute form. */
function xattrWhiteoutsIn(dirfd: number): boolean {
  const path = entryPath(dirfd, '.');
  const names = listxattr(path);
  return typeof names !== 'number' && readMarks(path, names).opaque === 'x';
}

function isWhiteout(dirfd: number, entry: Candidate, xattrForm: boolean): boolean {
  if (entry.type === DT_CHR || entry.type === 0) {
    return statx(dirfd, entry.name, spare) >= 0 && spare.isWhiteoutDevice;
  }
  if (!xattrForm || entry.type !== DT_REG) return false;
  if (statx(dirfd, entry.name, spare) < 0 || spare.size > 0) return false;
  const path = entryPath(dirfd, entry.name);
  const names = listxattr(path);
  return typeof names !== 'number' && readMarks(path, names).whiteout;
}

/** An inode number in halves. */
export interface Ino {
  readonly inoLow: number;
  readonly inoHigh: number;
}

/**
 * Whether one directory shows nothing: it is empty, or holds whiteouts alone. One of which all are links may be told, so
 * that not each is looked at. Or -errno.
 */
export function showsNothing(dir: RealDir, whiteout?: Ino): boolean | number {
  const dirfd = dir.fd();
  if (dirfd < 0) return dirfd;
  const others: Candidate[] = [];
  const status = visit(dirfd, (name, type, inoLow, inoHigh) => {
    if (type !== DT_CHR || inoLow !== whiteout?.inoLow || inoHigh !== whiteout.inoHigh) others.push({ name, type });
  });
  if (status < 0) return status;
  if (others.length === 0) return true;
  const marks = xattrWhiteoutsIn(dirfd);
  return others.every((entry) => entry.name.startsWith(WHITEOUT_PREFIX) || isWhiteout(dirfd, entry, marks));
}

/** All names of a merged directory, whiteouts applied, upper ones first; or -errno. */
export function list(parts: Merged): Map<ByteString, ListedName> | number {
  const names = new Map<ByteString, ListedName>();
  const gone = new Set<ByteString>();
  for (const [part, dir] of parts.entries()) {
    const content = readPart(dir);
    if (typeof content === 'number') return content;
    for (const { name, type } of content.shown) {
      if (!names.has(name) && !gone.has(name)) names.set(name, { type, part });
    }
    for (const name of content.hidden) gone.add(name);
  }
  return names;
}

/**
 * For each name that occurs in `parts`, hidden ones included, the first part that speaks of it: what a lookup may
 * skip the others by. Or -errno.
 */
export function firstPartOfNames(parts: Merged): Map<ByteString, number> | number {
  const first = new Map<ByteString, number>();
  for (const [part, dir] of parts.entries()) {
    const content = readPart(dir);
    if (typeof content === 'number') return content;
    for (const { name } of content.shown) if (!first.has(name)) first.set(name, part);
    for (const name of content.hidden) if (!first.has(name)) first.set(name, part);
  }
  return first;
}
