// The names of a merged directory.

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import { DT_CHR, DT_REG, Stat, entryPath, listxattr, openat, close, statx, visitDirectory } from '../sys/index.js';
import { O_DIRECTORY, O_RDONLY } from '../sys/index.js';
import type { DirentVisitor } from '../sys/index.js';
import { WHITEOUT_PREFIX, readMarks } from '../whiteout/index.js';
import type { Merged } from './lookup.js';
import type { RealDir } from './real-dir.js';

const spare = new Stat();

interface Candidate {
  readonly name: ByteString;
  readonly type: number;
}

interface PartContent {
  readonly shown: Candidate[];
  readonly hidden: ByteString[];
}

/** Splits one directory into what it shows and what it hides below. */
function readPart(dir: RealDir): PartContent | number {
  const own = dir.fd();
  if (own < 0) return own;
  const all: Candidate[] = [];
  const status = visit(own, (name, type) => {
    all.push({ name, type });
  });
  if (status < 0) return status;
  const marks = xattrWhiteoutsIn(dir, own);
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
function xattrWhiteoutsIn(dir: RealDir, dirfd: number): boolean {
  if (dir.xattrWhiteouts !== undefined) return dir.xattrWhiteouts;
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
  const marks = xattrWhiteoutsIn(dir, dirfd);
  return others.every((entry) => entry.name.startsWith(WHITEOUT_PREFIX) || isWhiteout(dirfd, entry, marks));
}

/** For each name that occurs in some parts, hidden ones included, the first part that speaks of it. */
export type FirstParts = Map<ByteString, number>;

/** Takes in what the part at `index` speaks of. */
function noteFirst(first: FirstParts, { shown, hidden }: PartContent, index: number): void {
  for (const { name } of shown) if (!first.has(name)) first.set(name, index);
  for (const name of hidden) if (!first.has(name)) first.set(name, index);
}

/**
 * All names of a merged directory, whiteouts applied; or -errno. On the way `first` is filled for the parts from `from` on,
 * counted from there.
 */
export function list(parts: Merged, first?: FirstParts, from = 0): Set<ByteString> | number {
  const names = new Set<ByteString>();
  const gone = new Set<ByteString>();
  for (const [index, dir] of parts.entries()) {
    const content = readPart(dir);
    if (typeof content === 'number') return content;
    for (const { name } of content.shown) if (!gone.has(name)) names.add(name);
    for (const name of content.hidden) gone.add(name);
    if (first !== undefined && index >= from) noteFirst(first, content, index - from);
  }
  return names;
}

/** What a lookup may skip parts by; or -errno. */
export function firstPartOfNames(parts: Merged): FirstParts | number {
  const first: FirstParts = new Map();
  for (const [index, dir] of parts.entries()) {
    const content = readPart(dir);
    if (typeof content === 'number') return content;
    noteFirst(first, content, index);
  }
  return first;
}
