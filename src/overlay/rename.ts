// rename, of directories too. What lies below does not move: a renamed directory carries the path of its lower
// contents (`redirect`), and a whiteout stays at the old name where something below has to stay hidden.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Outcome } from '../fuse/index.js';
import type { RealDir } from '../stack/index.js';
import {
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  Stat,
  entryPath,
  getxattr,
  listDirectory,
  renameat2,
  unlinkat,
} from '../sys/index.js';
import type { Place as SysPlace } from '../sys/index.js';
import { isWhiteout, makeOpaque, setRedirect } from '../whiteout/index.js';
import { copyUpDirectory, markImpure, stageDirectory } from './copy-up-directory.js';
import { copyUp, copyUpName } from './copy-up.js';
import { prepare } from './create.js';
import { addToListing, removeFromListing } from './listing.js';
import { childOf } from './lookup.js';
import type { DirNode, FileNode, Name, Node } from './node.js';
import { after } from './outcome.js';
import type { Overlay } from './overlay.js';
import { checkCreate, checkDelete } from './protection.js';
import { beforeRemoval, forgetDirectory, forgetName, isEmpty, lowerHas } from './remove.js';
import type { WorkDir } from './work-dir.js';

export interface RenameRequest {
  readonly from: Name;
  readonly to: Name;
  /** RENAME_*. */
  readonly flags: number;
}

const spare = new Stat();

export function rename(o: Overlay, request: RenameRequest): Outcome {
  const { from, to, flags } = request;
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return -errno.EINVAL;
  if (o.work === undefined) return -errno.EROFS;
  const source = childOf(o, from.parent, from.name);
  if (source === undefined) return -errno.ENOENT;
  if (typeof source === 'number') return source;
  const target = childOf(o, to.parent, to.name);
  if (typeof target === 'number') return target;
  if (source === target) return 0;
  if (target !== undefined && (flags & RENAME_NOREPLACE) !== 0) return -errno.EEXIST;
  const exchanges = (flags & RENAME_EXCHANGE) !== 0;
  const forbidden = checkNames(request, source, target);
  if (forbidden < 0) return forbidden;
  if (!o.redirects && (needsRedirect(source) || (exchanges && needsRedirect(target)))) return -errno.EXDEV;
  const busy = [source, target].find((node) => node?.kind === 'other' && node.copying !== undefined);
  if (busy?.kind === 'other' && busy.copying !== undefined) return busy.copying.then(() => rename(o, request));
  if (exchanges) {
    if (target === undefined) return -errno.ENOENT;
    return after(bringUp(o, source, from), () =>
      after(bringUp(o, target, to), () => exchange(o, request, { source, target })),
    );
  }
  const refused = target === undefined ? 0 : checkReplace(o.work, source, target);
  if (refused < 0) return refused;
  // The links that remain of a replaced file must count right.
  const spans = target?.kind === 'other' && !target.inUpper && target.linkKey !== undefined;
  return after(bringUp(o, source, from), () =>
    after(spans ? copyUp(o, target) : 0, () => move(o, request, { source, target })),
  );
}

/** Whether the old name may go, and the new one come or change (vfs_rename). */
function checkNames({ from, to }: RenameRequest, source: Node, target: Node | undefined): number {
  const leaves = checkDelete(from.parent, source);
  if (leaves < 0) return leaves;
  return target === undefined ? checkCreate(to.parent) : checkDelete(to.parent, target);
}

/** Whether a node has contents below that would stay behind (ovl_can_move). */
function needsRedirect(node: Node | undefined): boolean {
  return node?.kind === 'directory' && (node.isMerged || node.upper === undefined);
}

function checkReplace(work: WorkDir, source: Node, target: Node): number {
  if (target.kind === 'directory') return source.kind === 'directory' ? isEmpty(work, target) : -errno.EISDIR;
  return source.kind === 'directory' ? -errno.ENOTDIR : 0;
}

/** Brings what is to be renamed up, and its name with it. */
function bringUp(o: Overlay, node: Node, at: Name): Outcome {
  if (node.kind === 'directory') return copyUpDirectory(o, node);
  return after(copyUp(o, node), () => copyUpName(o, node, at));
}

/** Marks a directory for its new place: where its lower contents are, or that it has none there. */
function markDirectory(o: Overlay, node: DirNode, move: { from: Name; to: Name; lowerAtTarget: boolean }): number {
  const fd = node.writable.fd();
  if (fd < 0) return fd;
  const self = entryPath(fd, '.');
  if (!node.isMerged) return move.lowerAtTarget ? makeOpaque(self, o.namespace) : 0;
  const present = redirectOf(o, node);
  if (present?.startsWith('/') === true) return 0;
  const sameParent = move.from.parent === move.to.parent;
  if (sameParent) return present === undefined ? setRedirect(self, o.namespace, move.from.name) : 0;
  return setRedirect(self, o.namespace, lowerPath(o, node));
}

function redirectOf(o: Overlay, dir: DirNode): ByteString | undefined {
  if (dir.upper === undefined) return undefined;
  const value = getxattr(entryPath(dir.upper.fd(), '.'), `${o.namespace}redirect`);
  return typeof value === 'number' ? undefined : value.toString('latin1');
}

/** The path of a directory's lower contents from the overlay's root, as the layers below have it (ovl_get_redirect). */
function lowerPath(o: Overlay, dir: DirNode): ByteString {
  const components: ByteString[] = [];
  for (let here = dir; here.at !== undefined; here = here.at.parent) {
    const redirect = redirectOf(o, here);
    if (redirect?.startsWith('/') === true) return [redirect, ...components].join('/');
    components.unshift(redirect ?? here.at.name);
  }
  return `/${components.join('/')}`;
}

interface Parties {
  readonly source: Node;
  readonly target: Node | undefined;
}

function move(o: Overlay, request: RenameRequest, parties: Parties): number {
  const { from, to } = request;
  const { source, target } = parties;
  const newDirfd = prepare(o, to.parent, to.name);
  if (newDirfd < 0) return newDirfd;
  const lowerAtSource = lowerHas(from.parent, from.name);
  if (typeof lowerAtSource === 'number') return lowerAtSource;
  const lowerAtTarget = lowerHas(to.parent, to.name);
  if (typeof lowerAtTarget === 'number') return lowerAtTarget;
  let status = source.kind === 'directory' ? markDirectory(o, source, { from, to, lowerAtTarget }) : 0;
  if (status >= 0 && target !== undefined) status = makeReplaceable(o, target, to);
  if (status < 0) return status;
  const oldDirfd = from.parent.writable.fd();
  const paths = { from: { dirfd: oldDirfd, name: from.name }, to: { dirfd: newDirfd, name: to.name } };
  if (keepsLowerNumber(source)) markImpure(o, to.parent);
  status = renameInUpper(o, paths, {
    directory: source.kind === 'directory',
    whiteout: lowerAtSource,
    replaces: target !== undefined,
  });
  if (status < 0) {
    // Another directory may have taken its place already.
    if (target?.kind === 'directory') target.upper?.close();
    return status;
  }
  if (target?.kind === 'directory') forgetDirectory(o, target);
  else if (target !== undefined) forgetName(o, target, to);
  relocate(o, source, request);
  return 0;
}

/** Readies an existing target: a file stays reachable for who has it open, a directory is emptied of whiteouts. */
function makeReplaceable(o: Overlay, target: Node, at: Name): number {
  if (target.kind === 'other') return beforeRemoval(o, target, at);
  return target.upper === undefined ? 0 : clearWhiteouts(o, target.upper, at);
}

/**
 * A directory of whiteouts cannot be replaced by rename. An empty opaque one takes its place first: at no moment are
 * whiteouts in a directory that hides nothing, or missing in one that does (ovl_clear_empty).
 */
function clearWhiteouts(o: Overlay, upper: RealDir, at: Name): number {
  const fd = upper.fd();
  if (fd < 0) return fd;
  const entries = listDirectory(fd);
  if (typeof entries === 'number' || entries.length === 0) return typeof entries === 'number' ? entries : 0;
  const work = o.work!;
  const stat = new Stat();
  const temporary = work.newName();
  let status = upper.stat(stat);
  if (status >= 0) status = stageDirectory(o, { work, from: upper, temporary }, stat);
  if (status >= 0) status = makeOpaque(entryPath(work.fd, temporary), o.namespace);
  const place = { dirfd: at.parent.writable.fd(), name: at.name };
  if (status >= 0) status = renameat2({ dirfd: work.fd, name: temporary }, place, RENAME_EXCHANGE);
  work.discard(temporary);
  return status < 0 ? status : 0;
}

/** Whether users see a number that is not the upper file's own. */
function keepsLowerNumber(node: Node): boolean {
  return node.kind === 'directory' ? node.isMerged : node.lower !== undefined;
}

function renameInUpper(
  o: Overlay,
  paths: { from: SysPlace; to: SysPlace },
  options: { directory: boolean; whiteout: boolean; replaces: boolean },
): number {
  const { from, to } = paths;
  const overWhiteout = isWhiteout(to.dirfd, to.name, spare);
  // A directory cannot replace a file, but they can change places.
  if (overWhiteout && options.directory) return changePlaces(o, paths, options);
  if (!options.whiteout) return renameat2(from, to);
  const status = renameat2(from, to, RENAME_WHITEOUT);
  if (status !== -errno.EINVAL && status !== -errno.EPERM) return status;
  // A file system without RENAME_WHITEOUT, or no right to make devices. A new name gets the whiteout first.
  const work = o.work!;
  if (options.replaces) {
    const moved = renameat2(from, to);
    return moved < 0 ? moved : work.whiteout(from.dirfd, from.name);
  }
  const made = overWhiteout ? 0 : work.whiteout(to.dirfd, to.name);
  if (made < 0) return made;
  const moved = changePlaces(o, paths, options);
  if (moved < 0 && !overWhiteout) unlinkat(to.dirfd, to.name);
  return moved;
}

/** Lets a file or directory and the whiteout at its new name change places, in one step. Returns 0 or -errno. */
function changePlaces(o: Overlay, paths: { from: SysPlace; to: SysPlace }, options: { whiteout: boolean }): number {
  const { from, to } = paths;
  const announced = options.whiteout ? o.work!.announce(from.dirfd) : 0;
  const status = announced < 0 ? announced : renameat2(from, to, RENAME_EXCHANGE);
  return status < 0 || options.whiteout ? status : unlinkat(from.dirfd, from.name);
}

/** After the rename: the node has its new name. */
function relocate(o: Overlay, node: Node, request: RenameRequest): void {
  const { from, to } = request;
  o.nodes.detach(node, from.parent, from.name);
  removeFromListing(from.parent, from.name);
  o.nodes.attach(node, to.parent, to.name);
  addToListing(to.parent, to.name);
  placeInUpper(node, request);
}

function placeInUpper(node: Node, request: RenameRequest): void {
  const dir = request.to.parent.writable;
  if (node.kind === 'directory') node.upper?.moved(dir, request.to.name);
  else if (isAt(node, request.from)) node.upper = { dir, name: request.to.name };
}

function isAt(node: FileNode, at: Name): boolean {
  return node.upper?.dir === at.parent.upper && node.upper?.name === at.name;
}

function exchange(o: Overlay, request: RenameRequest, parties: { source: Node; target: Node }): number {
  const { from, to } = request;
  const { source, target } = parties;
  const lowerAtSource = lowerHas(from.parent, from.name);
  if (typeof lowerAtSource === 'number') return lowerAtSource;
  const lowerAtTarget = lowerHas(to.parent, to.name);
  if (typeof lowerAtTarget === 'number') return lowerAtTarget;
  let status = source.kind === 'directory' ? markDirectory(o, source, { from, to, lowerAtTarget }) : 0;
  if (status >= 0 && target.kind === 'directory') {
    status = markDirectory(o, target, { from: to, to: from, lowerAtTarget: lowerAtSource });
  }
  if (status < 0) return status;
  const oldPlace = { dirfd: from.parent.writable.fd(), name: from.name };
  const newPlace = { dirfd: to.parent.writable.fd(), name: to.name };
  if (keepsLowerNumber(source)) markImpure(o, to.parent);
  if (keepsLowerNumber(target)) markImpure(o, from.parent);
  status = renameat2(oldPlace, newPlace, RENAME_EXCHANGE);
  if (status < 0) return status;
  const back: RenameRequest = { from: to, to: from, flags: 0 };
  // Both places are judged before either is changed.
  const moves = [
    { node: source, request },
    { node: target, request: back },
  ];
  for (const { node, request: one } of moves) o.nodes.detach(node, one.from.parent, one.from.name);
  const targetWasThere = target.kind === 'other' && isAt(target, to);
  placeInUpper(source, request);
  if (target.kind === 'directory' || targetWasThere) placeInUpper(target, back);
  for (const { node, request: one } of moves) {
    o.nodes.attach(node, one.to.parent, one.to.name);
  }
  return 0;
}
