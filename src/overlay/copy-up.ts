// Copy-up: a lower file gets its copy in the upper before it is changed. Made out of sight, complete with owner,
// mode, times and attributes, and shown by one link or rename: at any moment there is the old file or the new one.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Outcome } from '../fuse/index.js';
import type { RealDir } from '../stack/index.js';
import {
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_CREAT,
  O_EXCL,
  O_RDWR,
  O_TMPFILE,
  AT_FDCWD,
  S_IFREG,
  Stat,
  close,
  copyData,
  entryPath,
  fchmod,
  fchown,
  fdPath,
  ficlone,
  fstatx,
  futimens,
  linkFd,
  linkat,
  mkdirat,
  mknodat,
  openat,
  readlinkat,
  removexattr,
  renameat2,
  setxattr,
  statx,
  symlinkat,
  unlinkat,
  utimensat,
} from '../sys/index.js';
import type { Place as SysPlace } from '../sys/index.js';
import { statNode } from './attr.js';
import { copyTimes, copyXattrs, timesOf } from './copy-attributes.js';
import { indexKey, linkUp, setNlink } from './hard-links.js';
import type { DirNode, FileNode, Place } from './node.js';
import { after, finallyDo } from './outcome.js';
import type { Overlay } from './overlay.js';
import { copyOwnership } from './ownership.js';
import { removeTree } from './work-dir.js';
import type { WorkDir } from './work-dir.js';

/** How much of the content the copy is to have: `empty` where it will be truncated anyway. */
export type WantedData = 'all' | 'empty';

/** Up to this size a copy takes no longer than handing it to another thread. */
const COPY_AT_ONCE = 128 * 1024;

/** Records where a copy came from, if the lower file system can tell. */
function setOrigin(o: Overlay, from: Place, to: string | number): number {
  const origin = o.origins.encode(from.dir, from.name);
  if (origin === undefined) return 0;
  const status = setxattr(to, `${o.namespace}origin`, origin);
  return status === -errno.EOPNOTSUPP ? 0 : status;
}

/** Tells the kernel's overlay that a directory holds copies whose inode numbers are not their own. */
export function markImpure(o: Overlay, dir: DirNode): void {
  if (dir.impure || dir.upper === undefined) return;
  setxattr(entryPath(dir.upper.fd(), '.'), `${o.namespace}impure`, Buffer.from('y'));
  dir.impure = true;
}

/** Makes sure that a directory exists in the upper. Returns 0 or -errno (EROFS on a read-only mount). */
export function copyUpDirectory(o: Overlay, dir: DirNode): number {
  if (dir.upper !== undefined) return 0;
  const { work } = o;
  if (work === undefined) return -errno.EROFS;
  if (dir.at === undefined) return -errno.ENOENT;
  const { parent, name } = dir.at;
  const above = copyUpDirectory(o, parent);
  if (above < 0) return above;
  const lower = dir.parts[0]!;
  const stat = new Stat();
  const known = statNode(o, dir, stat);
  if (known < 0) return known;
  const temporary = work.newName();
  const status = stageDirectory(o, { work, lower, temporary }, stat);
  if (status < 0) {
    removeTree(work.fd, temporary);
    return status;
  }
  const upper = parent.writable;
  const shown = keepingTimes(upper, () => renameat2({ dirfd: work.fd, name: temporary }, { dirfd: upper.fd(), name }));
  if (shown < 0) {
    removeTree(work.fd, temporary);
    return shown;
  }
  dir.upper = upper.child(name);
  dir.parts = [dir.upper, ...dir.parts];
  markImpure(o, parent);
  return 0;
}

function stageDirectory(
  o: Overlay,
  place: { work: WorkDir; lower: RealDir; temporary: ByteString },
  stat: Stat,
): number {
  const { work, lower, temporary } = place;
  const made = mkdirat(work.fd, temporary, 0o700);
  if (made < 0) return made;
  const lowerFd = lower.fd();
  if (lowerFd < 0) return lowerFd;
  const target = entryPath(work.fd, temporary);
  let status = copyXattrs(entryPath(lowerFd, '.'), target);
  if (status >= 0) status = copyOwnership(o, { dirfd: work.fd, name: temporary }, stat);
  if (status >= 0) status = setOrigin(o, { dir: lower, name: '' }, target);
  return status < 0 ? status : copyTimes(work.fd, temporary, stat);
}

/** Runs a change of a directory's entries that is none to its users: its times stay. */
function keepingTimes(dir: RealDir, change: () => number): number {
  const stat = new Stat();
  const fd = dir.fd();
  if (fd < 0) return fd;
  const known = fstatx(fd, stat);
  const status = change();
  if (known >= 0 && status >= 0) utimensat(dir.fd(), '.', timesOf(stat));
  return status;
}

/** Makes sure that a file is in the upper, with the data wanted. Returns 0 or -errno, later if data is copied. */
export function copyUp(o: Overlay, node: FileNode, wanted: WantedData = 'all'): Outcome {
  if (node.copying !== undefined) return node.copying.then(() => copyUp(o, node, wanted));
  if (node.inUpper && node.data === undefined) return 0;
  if (o.work === undefined) return -errno.EROFS;
  const [first] = node.names;
  if (first !== undefined) {
    const above = copyUpDirectory(o, first.parent);
    if (above < 0) return above;
  }
  if (node.inUpper) return completeData(o, node, wanted);
  if (node.type !== S_IFREG) return copyUpSpecial(o, o.work, node);
  return running(o, node, copyUpRegular(o, o.work, { node, wanted }));
}

/** Keeps a copy-up in progress where others can wait for it. */
function running(o: Overlay, node: FileNode, outcome: Outcome): Outcome {
  if (typeof outcome === 'number') return outcome;
  const promise = outcome.finally(() => {
    node.copying = undefined;
    o.nodes.settle(node);
  });
  node.copying = promise;
  return promise;
}

/** Opens a file of a layer to be copied. Returns an fd or -errno. */
function openSource(place: Place): number {
  const dirfd = place.dir.fd();
  return dirfd < 0 ? dirfd : openat(dirfd, place.name, O_RDONLY | O_NOFOLLOW);
}

function copyUpRegular(o: Overlay, work: WorkDir, request: { node: FileNode; wanted: WantedData }): Outcome {
  const { node, wanted } = request;
  const { lower, data } = node;
  if (lower === undefined) return -errno.ESTALE;
  const from = openSource(lower);
  if (from < 0) return from;
  // The lower file itself may be a metadata-only copy of one further down.
  const content = data === undefined ? from : openSource(data);
  const stat = new Stat();
  const known = content < 0 ? content : fstatx(from, stat);
  if (known >= 0) o.overrides?.apply(from, stat);
  const staged = known < 0 ? known : stage(work);
  const closeSources = (): void => {
    close(from);
    if (content >= 0 && content !== from) close(content);
  };
  if (typeof staged === 'number') {
    closeSources();
    return staged;
  }
  const size = wanted === 'all' ? stat.size : 0;
  let outcome = after(copyContent(o, { from: content, to: staged.fd, size }), () => {
    return copyMetadata(o, { from, to: staged.fd, lower }, stat);
  });
  if (size > 0 && !o.volatile) outcome = after(outcome, () => o.offload.run({ kind: 'fsync', fd: staged.fd }));
  outcome = after(outcome, () => publish(o, { node, staged, lower }, stat));
  return finallyDo(outcome, (status) => {
    closeSources();
    close(staged.fd);
    if (status < 0 && staged.name !== undefined) unlinkat(work.fd, staged.name);
  });
}

/** A file without a name in the work directory, or with a temporary one where the file system has no O_TMPFILE. */
interface Staged {
  readonly fd: number;
  readonly name: ByteString | undefined;
}

function stage(work: WorkDir): Staged | number {
  const fd = openat(work.fd, '.', O_TMPFILE | O_RDWR, 0o600);
  if (fd >= 0) return { fd, name: undefined };
  if (fd !== -errno.EOPNOTSUPP && fd !== -errno.EISDIR) return fd;
  const name = work.newName();
  const named = openat(work.fd, name, O_CREAT | O_EXCL | O_RDWR, 0o600);
  return named < 0 ? named : { fd: named, name };
}

function copyContent(o: Overlay, files: { from: number; to: number; size: number }): Outcome {
  const { from, to, size } = files;
  if (size === 0) return 0;
  if (size <= COPY_AT_ONCE) return copyData(from, to, size);
  if (ficlone(to, from) >= 0) return 0;
  return o.offload.run({ kind: 'copy', from, to, size });
}

/** Owner before capabilities (chown drops them), ACLs before the mode, times last. */
function copyMetadata(o: Overlay, files: { from: number; to: number; lower: Place }, stat: Stat): number {
  let status = o.overrides === undefined ? fchown(files.to, stat) : 0;
  if (status >= 0) status = copyXattrs(files.from, files.to);
  if (status >= 0) status = o.overrides?.writeOpen(files.to, stat) ?? fchmod(files.to, stat.mode & 0o7777);
  if (status >= 0) status = setOrigin(o, files.lower, files.to);
  return status < 0 ? status : futimens(files.to, timesOf(stat));
}

/** Shows a finished copy under all known names of the file, or keeps it without one if they are gone. */
function publish(o: Overlay, made: { node: FileNode; staged: Staged; lower: Place }, stat: Stat): number {
  const { node, staged, lower } = made;
  const [first] = node.names;
  if (first === undefined) {
    node.pinned = openat(AT_FDCWD, fdPath(staged.fd), O_PATH);
    return node.pinned < 0 ? node.pinned : 0;
  }
  const up = copyUpDirectory(o, first.parent);
  if (up < 0) return up;
  const key = stat.nlink > 1 && o.work !== undefined ? indexKey(o, lower) : undefined;
  const dir = first.parent.writable;
  const place: Place = { dir, name: first.name };
  const status = keepingTimes(dir, () => show(o, staged, place));
  if (status < 0) return status;
  node.upper = place;
  node.data = undefined;
  markImpure(o, first.parent);
  const indexed = key === undefined ? 0 : addToIndex(o, node, { key, lowerNlink: stat.nlink });
  o.handles.reopen(node);
  return indexed;
}

function show(o: Overlay, staged: Staged, place: Place): number {
  const to = { dirfd: place.dir.fd(), name: place.name };
  if (staged.name === undefined) return linkFd(staged.fd, to);
  return renameat2({ dirfd: o.work!.fd, name: staged.name }, to);
}

/** Lets the other names of a lower file find its copy; those the kernel knows already get it at once. */
function addToIndex(o: Overlay, node: FileNode, link: { key: ByteString; lowerNlink: number }): number {
  const { work } = o;
  const { upper } = node;
  if (work === undefined || upper === undefined) return 0;
  node.indexed = { nlink: link.lowerNlink, lowerNlink: link.lowerNlink, key: link.key };
  const written = setNlink(o, node, link.lowerNlink);
  if (written < 0) return written;
  const linked = linkat({ dirfd: upper.dir.fd(), name: upper.name }, { dirfd: work.index.fd(), name: link.key });
  if (linked < 0 && linked !== -errno.EEXIST) return linked;
  for (const { parent, name } of node.names.slice(1)) {
    const status = copyUpName(o, node, { parent, name });
    if (status < 0) return status;
  }
  return 0;
}

/** Makes sure that one name of an upper file is in the upper itself, not only its inode. Returns 0 or -errno. */
export function copyUpName(o: Overlay, node: FileNode, at: { parent: DirNode; name: ByteString }): number {
  if (node.indexed === undefined) return 0;
  const above = copyUpDirectory(o, at.parent);
  if (above < 0) return above;
  const dir = at.parent.writable;
  const place: Place = { dir, name: at.name };
  const status = keepingTimes(dir, () => linkUp(node, place));
  if (status < 0) return status;
  if (node.upper?.dir === o.work?.index) node.upper = place;
  markImpure(o, at.parent);
  return 0;
}

/** Symlinks, devices, fifos and sockets: nothing in them takes time. */
function copyUpSpecial(o: Overlay, work: WorkDir, node: FileNode): number {
  const { lower } = node;
  const [first] = node.names;
  if (lower === undefined || first === undefined) return -errno.ESTALE;
  const stat = new Stat();
  const lowerFd = lower.dir.fd();
  const known = statx(lowerFd, lower.name, stat);
  if (known < 0) return known;
  o.overrides?.apply(entryPath(lowerFd, lower.name), stat);
  const temporary = work.newName();
  let status = makeSpecial(o, { dirfd: work.fd, name: temporary }, { lower, stat });
  if (status < 0) return status;
  const target = entryPath(work.fd, temporary);
  status = copyXattrs(entryPath(lowerFd, lower.name), target);
  if (status >= 0) status = copyOwnership(o, { dirfd: work.fd, name: temporary }, stat);
  if (status >= 0) {
    // user.* is not allowed on these types; without the record only the inode number may change at the next mount.
    const recorded = setOrigin(o, lower, target);
    status = recorded === -errno.EPERM ? 0 : recorded;
  }
  if (status >= 0) status = copyTimes(work.fd, temporary, stat);
  const dir = first.parent.writable;
  if (status >= 0) {
    status = keepingTimes(dir, () =>
      renameat2({ dirfd: work.fd, name: temporary }, { dirfd: dir.fd(), name: first.name }),
    );
  }
  if (status < 0) {
    unlinkat(work.fd, temporary);
    return status;
  }
  node.upper = { dir, name: first.name };
  markImpure(o, first.parent);
  const key = stat.nlink > 1 ? indexKey(o, lower) : undefined;
  return key === undefined ? 0 : addToIndex(o, node, { key, lowerNlink: stat.nlink });
}

function makeSpecial(o: Overlay, at: SysPlace, from: { lower: Place; stat: Stat }): number {
  if (from.stat.isSymlink) {
    const target = readlinkat(from.lower.dir.fd(), from.lower.name);
    return typeof target === 'number' ? target : symlinkat(target, at.dirfd, at.name);
  }
  if (o.overrides !== undefined) return mknodat(at.dirfd, at.name, S_IFREG | 0o600, 0);
  return mknodat(at.dirfd, at.name, from.stat.type | 0o600, from.stat.rdev);
}

/**
 * Gives a metadata-only copy (the kernel's `metacopy`) its data, in place: until the mark goes, the data below
 * counts, so a crash in between loses nothing.
 */
function completeData(o: Overlay, node: FileNode, wanted: WantedData): Outcome {
  const { upper, data } = node;
  if (upper === undefined || data === undefined) return -errno.ESTALE;
  const to = openat(upper.dir.fd(), upper.name, O_RDWR | O_NOFOLLOW);
  if (to < 0) return to;
  const from = openSource(data);
  const stat = new Stat();
  const known = from < 0 ? from : fstatx(to, stat);
  if (known < 0) {
    close(to);
    if (from >= 0) close(from);
    return known;
  }
  let outcome = after(copyContent(o, { from, to, size: wanted === 'all' ? stat.size : 0 }), () =>
    futimens(to, timesOf(stat)),
  );
  if (!o.volatile) outcome = after(outcome, () => o.offload.run({ kind: 'fsync', fd: to }));
  outcome = after(outcome, () => {
    const unmarked = removexattr(to, `${o.namespace}metacopy`);
    if (unmarked < 0) return unmarked;
    node.data = undefined;
    o.handles.reopen(node);
    return 0;
  });
  const closed = finallyDo(outcome, () => {
    close(from);
    close(to);
  });
  return running(o, node, closed);
}
