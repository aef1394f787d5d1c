// When two things of two views are the same.

import { displayBytes } from '../core/index.js';
import { close, must, pread } from '../sys/index.js';
import type { Stat } from '../sys/index.js';
import type { Found, FoundOther, Merged, RealDir } from '../stack/index.js';
import { openContent, placeOf, readLink, readXattrs } from './found-entry.js';

export interface Seen<F extends Found = Found> {
  readonly found: F;
  readonly stat: Stat;
}

/** The same directory of a layer that both stacks share, so that below it, too, everything means the same. */
function samePlace(a: RealDir, b: RealDir): boolean {
  return a === b || (a.layer === b.layer && a.path === b.path);
}

/** How many of the lowest parts two merged directories have in common. */
export function commonParts(a: Merged, b: Merged): number {
  let common = 0;
  for (;;) {
    const [one, other] = [a.at(-1 - common), b.at(-1 - common)];
    if (one === undefined || other === undefined || !samePlace(one, other)) return common;
    common += 1;
  }
}

/** Whether two merged directories consist of the same real ones. */
export function samePlaces(a: Merged, b: Merged): boolean {
  return a.length === b.length && commonParts(a, b) === a.length;
}

function sameXattrs(a: Found, b: Found): boolean {
  const [one, other] = [readXattrs(placeOf(a)), readXattrs(placeOf(b))];
  return one.size === other.size && [...one].every(([name, value]) => other.get(name)?.equals(value) === true);
}

/** Type, mode, owner, and the attributes users see. */
export function sameButForTime(a: Seen, b: Seen): boolean {
  return (
    a.stat.mode === b.stat.mode &&
    a.stat.uid === b.stat.uid &&
    a.stat.gid === b.stat.gid &&
    sameXattrs(a.found, b.found)
  );
}

/** All of that, and the time of the last change. */
export function sameAttributes(a: Seen, b: Seen): boolean {
  return a.stat.mtimeSec === b.stat.mtimeSec && a.stat.mtimeNsec === b.stat.mtimeNsec && sameButForTime(a, b);
}

function sameInode(a: Stat, b: Stat): boolean {
  return a.inoLow === b.inoLow && a.inoHigh === b.inoHigh && a.dev === b.dev;
}

/** Whether the content of a metadata-only copy, which each stack looks for in its own layers, comes from the same place. */
function sameData({ data: a }: FoundOther, { data: b }: FoundOther): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.name === b.name && samePlace(a.dir, b.dir);
}

/** Whether two files that are no directories are the same in all that a layer holds. */
export function sameFile(a: Seen<FoundOther>, b: Seen<FoundOther>): boolean {
  if (sameInode(a.stat, b.stat) && sameData(a.found, b.found)) return true;
  if (a.stat.mode !== b.stat.mode || a.stat.size !== b.stat.size || a.stat.rdev !== b.stat.rdev) return false;
  if (!sameAttributes(a, b)) return false;
  if (a.stat.isSymlink) return readLink(placeOf(a.found)) === readLink(placeOf(b.found));
  return !a.stat.isRegular || a.stat.size === 0 || sameContent(a.found, b.found);
}

const CHUNK = 256 * 1024;
const buffers = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)] as const;

/** Whether two files hold the same bytes. */
export function sameContent(a: FoundOther, b: FoundOther): boolean {
  const one = openContent(a);
  try {
    const other = openContent(b);
    try {
      return sameBytes(one, other, displayBytes(a.name));
    } finally {
      close(other);
    }
  } finally {
    close(one);
  }
}

function sameBytes(one: number, other: number, name: string): boolean {
  for (let at = 0; ;) {
    const length = must(pread(one, buffers[0], at), 'read', name);
    const otherLength = must(pread(other, buffers[1], at), 'read', name);
    if (length !== otherLength || buffers[0].compare(buffers[1], 0, length, 0, length) !== 0) return false;
    if (length === 0) return true;
    at += length;
  }
}
