// From a name in a merged directory to its node.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { firstPartOfNames, isMetadataOnly, lookup as lookupInStack } from '../stack/index.js';
import type { Found, FoundDirectory, FoundOther, Merged, RealDir } from '../stack/index.js';
import { Stat, entryPath, statx } from '../sys/index.js';
import { WHITEOUT_PREFIX, readProtection } from '../whiteout/index.js';
import { statNode } from './attr.js';
import { indexKey, readIndexed } from './hard-links.js';
import { PROBE_AT_MOST } from './node.js';
import type { DirNode, FileNode, Node, Place } from './node.js';
import type { Overlay } from './overlay.js';
import { PROTECTING } from './protection.js';
import type { StatOverrides } from './stat-override.js';

const second = new Stat();

/**
 * The node of `name` in `parent`, made if need be (with no reference yet); `o.stat` holds the attributes of its
 * real file. Undefined where there is nothing, or -errno.
 */
export function lookupChild(o: Overlay, parent: DirNode, name: ByteString): Node | undefined | number {
  const known = parent.children.get(name);
  if (known === undefined) return searchChild(o, parent, name);
  o.names.known += 1;
  const status = statNode(o, known, o.stat);
  return status < 0 ? status : known;
}

/** As `lookupChild`, for who needs no attributes: a node that is known is not looked at. */
export function childOf(o: Overlay, parent: DirNode, name: ByteString): Node | undefined | number {
  return parent.children.get(name) ?? searchChild(o, parent, name);
}

function searchChild(o: Overlay, parent: DirNode, name: ByteString): Node | undefined | number {
  if (parent.at === undefined && parent !== o.nodes.root) return undefined;
  const found = find(parent, name, o.stat);
  o.names.found += 1;
  if (found === undefined || typeof found === 'number') return found;
  if (o.overrides !== undefined) applyOverride(o.overrides, found, o.stat);
  const node = found.kind === 'directory' ? directoryNode(o, found) : fileNode(o, found, parent);
  if (typeof node === 'number') return node;
  o.nodes.attach(node, parent, name);
  return node;
}

function applyOverride(overrides: StatOverrides, found: Found, stat: Stat): void {
  const [dir, name] = found.kind === 'directory' ? [found.parts[0]!, '.'] : [found.dir, found.name];
  const dirfd = dir.fd();
  if (dirfd >= 0) overrides.apply(entryPath(dirfd, name), stat);
}

/** What `name` is on disk, whether or not a node knows it; `stat` gets its attributes. */
export function find(parent: DirNode, name: ByteString, stat: Stat): Found | undefined | number {
  if (!parent.isDeep) return lookupInStack(parent.parts, name, stat);
  const { upper } = parent;
  if (upper !== undefined) {
    const dirfd = upper.fd();
    if (dirfd < 0) return dirfd;
    if (statx(dirfd, name, stat) >= 0) return lookupInStack(parent.parts, name, stat);
    if (statx(dirfd, WHITEOUT_PREFIX + name, stat) >= 0) return undefined;
  }
  return findLower(parent, name, stat);
}

/** What `name` is in the layers below the upper one. */
export function findLower(parent: DirNode, name: ByteString, stat: Stat): Found | undefined | number {
  const parts = parent.lowerParts;
  if (parts.length === 0) return undefined;
  if (parts.length < PROBE_AT_MOST) return lookupInStack(parts, name, stat);
  if (parent.lowerIndex === undefined) {
    const index = firstPartOfNames(parts);
    if (typeof index === 'number') return index;
    parent.lowerIndex = index;
  }
  const first = parent.lowerIndex.get(name);
  return first === undefined ? undefined : lookupInStack(parts, name, stat, first);
}

function directoryNode(o: Overlay, { parts, protection }: FoundDirectory): DirNode | number {
  const top = parts[0]!;
  const upper = o.isUpper(top) ? top : undefined;
  const node = o.nodes.newDirectory(parts, upper);
  node.protection = upper === undefined ? o.stat.attributes & PROTECTING : protection;
  if (top.layer.frozen) node.protection |= protection;
  const status = statNumbered(o, parts, second);
  if (status < 0) return status;
  o.inos.assign(status === 0 ? second : o.stat, node);
  return node;
}

/**
 * Fills `stat` with what a directory has its number from: the topmost part that was never writable; else what the lowest one was copied
 * from, or that one itself. Returns 0, or 1 if that is the top part, which the caller knows; or -errno.
 */
function statNumbered(o: Overlay, parts: Merged, stat: Stat): number {
  const lower = parts.find((part) => !o.isUpper(part) && !part.layer.frozen);
  const from = lower ?? parts.at(-1)!;
  if (lower === undefined && o.origins.resolve(entryPath(from.fd(), '.'), stat)) return 0;
  return from === parts[0] ? 1 : from.stat(stat);
}

function fileNode(o: Overlay, found: FoundOther, parent: DirNode): FileNode | number {
  return o.isUpper(found.dir) ? upperFileNode(o, found, parent) : lowerFileNode(o, found, parent);
}

/** Hard links of one file have one node, where its copy can be found by all of them. */
function shared(o: Overlay, key: string): FileNode | undefined {
  return o.nodes.byLink(key);
}

function lowerFileNode(o: Overlay, found: FoundOther, parent: DirNode): FileNode {
  const place = { dir: found.dir, name: found.name };
  const linked = o.stat.nlink > 1;
  const key = linked ? o.inos.key(o.stat) : '';
  const known = linked ? shared(o, key) : undefined;
  if (known !== undefined) {
    if (known.inUpper) statNode(o, known, o.stat);
    return known;
  }
  const node = o.nodes.newFile(o.stat.type);
  node.lower = place;
  node.data = found.data;
  // STATX_ATTR_* have the values of FS_*_FL.
  node.protection = o.stat.attributes & PROTECTING;
  if (found.dir.layer.frozen) node.protection |= found.protection;
  // A copy made while its layer was the writable one goes on with the number it had then.
  const copied = found.dir.layer.frozen && found.origin && !linked;
  o.inos.assign(copied && resolveOrigin(o, place, parent) && second.nlink === 1 ? second : o.stat, node);
  if (!linked) return node;
  const entry = o.work === undefined ? undefined : indexKey(o, place);
  // Without file handles no name finds the copy of another one: each is a file of its own, and stays one when mounted again.
  if (o.work !== undefined && entry === undefined) return node;
  o.nodes.shareLinks(node, key);
  if (o.work === undefined || entry === undefined) return node;
  const lowerNlink = o.stat.nlink;
  if (statx(o.work.index.fd(), entry, second) < 0) return node;
  // Another of its names was copied up: this one leads to the same upper file.
  node.upper = { dir: o.work.index, name: entry };
  node.indexed = readIndexed(o, { place: node.upper, key: entry, lowerNlink, upperNlink: second.nlink });
  node.protection = readProtection(entryPath(o.work.index.fd(), entry), o.namespace);
  node.data = isMetadataOnly(node.upper.dir.fd(), entry) ? (found.data ?? place) : undefined;
  statNode(o, node, o.stat);
  return node;
}

/** Fills `second` with the lower file that an upper one was copied from; false where that cannot be told. */
function resolveOrigin(o: Overlay, place: Place, parent: DirNode): boolean {
  const target = entryPath(place.dir.fd(), place.name);
  if (o.origins.resolve(target, second)) return true;
  // Users may not open files by their handles, but a file that was not renamed is where it was.
  let at = parent.parts.indexOf(place.dir);
  for (;;) {
    const below = lookupInStack(parent.parts, place.name, second, at + 1);
    if (below === undefined || typeof below === 'number' || below.kind === 'directory') return false;
    if (o.origins.encode(below.dir, below.name)?.toString('hex') === o.origins.readHex(target)) return true;
    at = parent.parts.indexOf(below.dir);
    if (!below.dir.layer.frozen || at < 0) return false;
  }
}

function upperFileNode(o: Overlay, found: FoundOther, parent: DirNode): FileNode {
  const place = { dir: found.dir, name: found.name };
  const fromOrigin = found.origin && resolveOrigin(o, place, parent);
  const lowerNlink = fromOrigin ? second.nlink : 1;
  const entry = fromOrigin && lowerNlink > 1 ? indexKeyOfOrigin(o, place) : undefined;
  // A copy of a linked file that the index does not know was split off from its links.
  const identity = fromOrigin && (lowerNlink === 1 || entry !== undefined) ? second : o.stat;
  const key = o.stat.nlink > 1 ? o.inos.key(entry === undefined ? o.stat : identity) : undefined;
  const known = key === undefined ? undefined : shared(o, key);
  if (known !== undefined) {
    if (known.upper === undefined || known.upper.dir === o.work?.index) known.upper = place;
    return known;
  }
  const node = o.nodes.newFile(o.stat.type);
  node.upper = place;
  node.data = found.data;
  node.protection = found.protection;
  o.inos.assign(identity, node);
  if (entry !== undefined) {
    node.indexed = readIndexed(o, { place, key: entry, lowerNlink, upperNlink: o.stat.nlink });
  }
  if (key !== undefined) o.nodes.shareLinks(node, key);
  return node;
}

/** The index entry of the upper file that `o.stat` describes, if there is one. */
function indexKeyOfOrigin(o: Overlay, place: { dir: RealDir; name: ByteString }): ByteString | undefined {
  const entry = o.origins.readHex(entryPath(place.dir.fd(), place.name));
  if (entry === undefined || o.work === undefined || statx(o.work.index.fd(), entry, third) < 0) return undefined;
  // It may be that of another copy: this one was made when the lower file had one name (ovl_lookup_index).
  return o.inos.key(third) === o.inos.key(o.stat) ? entry : undefined;
}

const third = new Stat();

/** Errors that mean "there is no such name" to the callers that only ask. */
export function isAbsent(found: unknown): boolean {
  return found === undefined || found === -errno.ENOENT;
}
