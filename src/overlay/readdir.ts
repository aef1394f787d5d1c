// READDIR and READDIRPLUS: the merged names, each with the attributes a lookup would give.

import { DT_DIR, DT_UNKNOWN } from '../sys/index.js';
import type { DirectorySink } from '../fuse/index.js';
import { fillAttr } from './attr.js';
import { COOKIE_DOT, COOKIE_DOTDOT, listingOf } from './listing.js';
import { lookupChild } from './lookup.js';
import type { DirNode } from './node.js';
import type { Overlay } from './overlay.js';

/** Fills `sink` with the entries after the cookie `offset`. Returns 0 or -errno. */
export function readdir(o: Overlay, dir: DirNode, offset: number, sink: DirectorySink): number {
  if (dir.at === undefined && dir !== o.nodes.root) return 0;
  if (offset < COOKIE_DOT && !addDot(sink, { name: '.', node: dir, cookie: COOKIE_DOT })) return 0;
  const parent = dir.at?.parent ?? dir;
  if (offset < COOKIE_DOTDOT && !addDot(sink, { name: '..', node: parent, cookie: COOKIE_DOTDOT })) return 0;
  const listing = listingOf(dir);
  if (typeof listing === 'number') return listing;
  listing.visitAfter(Math.max(offset, COOKIE_DOTDOT), ({ name, cookie }) => {
    if (!sink.fits(name.length)) return false;
    const node = lookupChild(o, dir, name);
    if (node === undefined) return true;
    if (typeof node === 'number') {
      addUnreadable(sink, name, cookie);
      return true;
    }
    fillAttr(node, o.stat, sink.entry.attr);
    if (sink.plus) node.nlookup += 1;
    sink.entry.nodeid = node.id;
    sink.add(name, node.type >>> 12, cookie);
    // A plain listing tells the kernel of no node.
    if (node.nlookup === 0) o.nodes.forget(node.id, 0);
    return true;
  });
  return 0;
}

/** A name that cannot be looked up, for a broken redirect or a lack of fds, is listed: who asks for it is told why. */
function addUnreadable(sink: DirectorySink, name: string, cookie: number): void {
  sink.entry.nodeid = 0;
  // Not 0, which would hide it.
  sink.entry.attr.inoLow = cookie >>> 0;
  sink.entry.attr.inoHigh = Math.floor(cookie / 2 ** 32);
  sink.add(name, DT_UNKNOWN, cookie);
}

function addDot(sink: DirectorySink, dot: { name: string; node: DirNode; cookie: number }): boolean {
  if (!sink.fits(dot.name.length)) return false;
  sink.entry.nodeid = 0;
  sink.entry.attr.inoLow = dot.node.inoLow;
  sink.entry.attr.inoHigh = dot.node.inoHigh;
  sink.add(dot.name, DT_DIR, dot.cookie);
  return true;
}
