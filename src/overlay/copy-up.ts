// Copy-up: a lower file gets its copy in the upper before it is changed. Made out of sight, complete with owner,
// mode, times and attributes, and shown by one link or rename: at any moment there is the old file or the new one.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Outcome } from '../fuse/index.js';
import {
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_CREAT,
  O_EXCL,
  O_RDWR,
  O_TMPFILE,
  AT_FDCWD,
  S_IFREG,
  Stat,
  UTIME_NOW,
  UTIME_OMIT,
  close,
  entryPath,
  fchmod,
  fchown,
  fdPath,
  fstatx,
  ftruncate,
  futimens,
  linkFd,
  linkat,
  mknodat,
  openat,
  readlinkat,
  removexattr,
  renameat2,
  setxattr,
  statx,
  symlinkat,
  unlinkat,
} from '../sys/index.js';
import type { Place as SysPlace } from '../sys/index.js';
import { copyFlags, copyTimes, copyXattrs, timesOf } from './copy-attributes.js';
import { copyUpDirectory, keepProtection, markImpure, setOrigin } from './copy-up-directory.js';
import { keepingTimes } from './keeping-times.js';
import { indexKey, linkUp, writeFirstNlink } from './hard-links.js';
import type { DirNode, FileNode, Place } from './node.js';
import { after, finallyDo } from './outcome.js';
import type { Overlay } from './overlay.js';
import { copyOwnership, isOurs } from './ownership.js';
import type { WorkDir } from './work-dir.js';

/**
 * How much of the content the copy is to have: `empty` where it will be truncated anyway, `metadata` where the content stays
 * below for now if the mount allows that (the kernel's `metacopy`).
 */
export type WantedData = 'all' | 'empty' | 'metadata';

/** The times of a file that is copied to be truncated: it is as if that was done already. */
const NOW = { atime: { sec: 0, nsec: UTIME_OMIT }, mtime: { sec: 0, nsec: UTIME_NOW } };

/**
 * Makes sure that a file is in the upper, with the data wanted and under all known names: the upper may be somebody's
 * layer one day, and then the index does not count. Returns 0 or -errno, later if data is copied.
 */
export function copyUp(o: Overlay, node: FileNode, wanted: WantedData = 'all'): Outcome {
  if (node.copying !== undefined) return node.copying.then(() => copyUp(o, node, wanted));
  if (node.inUpper && (node.data === undefined || wanted === 'metadata')) return copyUpNames(o, node);
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

/** Opens a regular file of a layer to be copied, and fills `stat`. Returns an fd or -errno; ESTALE for what is no such file any more. */
function openSource(place: Place, stat: Stat): number {
  const dirfd = place.dir.fd();
  // Whoever can write to the layer may have put a fifo there, on whose other end nobody is.
  const fd = dirfd < 0 ? dirfd : openat(dirfd, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 || (fstatx(fd, stat) >= 0 && stat.isRegular)) return fd;
  close(fd);
  return -errno.ESTALE;
}

function copyUpRegular(o: Overlay, work: WorkDir, request: { node: FileNode; wanted: WantedData }): Outcome {
  const { node, wanted } = request;
  const { lower, data } = node;
  if (lower === undefined) return -errno.ESTALE;
  const stat = new Stat();
  const from = openSource(lower, stat);
  if (from < 0) return from;
  // The lower file itself may be a metadata-only copy of one further down.
  const dataStat = data === undefined ? stat : new Stat();
  const content = data === undefined ? from : openSource(data, dataStat);
  if (content >= 0) o.overrides?.apply(from, stat);
  const staged = content < 0 ? content : stage(work);
  const closeSources = (): void => {
    close(from);
    if (content >= 0 && content !== from) close(content);
  };
  if (typeof staged === 'number') {
    closeSources();
    return staged;
  }
  const hollow = wanted === 'metadata' && mayStayHollow(o, stat);
  const size = wanted === 'empty' || hollow ? 0 : stat.size;
  const copied = hollow
    ? hollowOut(o, staged.fd, stat.size)
    : o.copier.copy({ from: content, to: staged.fd, size, stat: dataStat });
  let outcome = after(copied, () => {
    let done = copyMetadata(o, { from, to: staged.fd, lower }, stat);
    if (done >= 0) done = keepProtection(o, node, staged.fd);
    return done < 0 || wanted !== 'empty' ? done : futimens(staged.fd, NOW);
  });
  if (size > 0 && !o.volatile) outcome = after(outcome, () => o.copier.sync(staged.fd, size));
  const below = hollow ? (data ?? lower) : undefined;
  outcome = after(outcome, () => publish(o, { node, staged, lower, data: below }, stat));
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

/**
 * Whether a copy may do without its data. One of several links may not: the others would have to find the data by its name.
 * `rename` and `link` ask for all of it for the same reason, so no copy needs the kernel's `redirect` on files.
 */
function mayStayHollow(o: Overlay, stat: Stat): boolean {
  return o.metacopy && stat.size > 0 && stat.nlink === 1;
}

/** Makes a new file a metadata-only copy of one of `size` bytes. Returns 0 or -errno. */
function hollowOut(o: Overlay, fd: number, size: number): number {
  const sized = ftruncate(fd, size);
  return sized < 0 ? sized : setxattr(fd, `${o.namespace}metacopy`, Buffer.alloc(0));
}

/** Owner before capabilities (chown drops them), ACLs before the mode, times last. */
function copyMetadata(o: Overlay, files: { from: number; to: number; lower: Place }, stat: Stat): number {
  let status = o.overrides === undefined && !isOurs(stat) ? fchown(files.to, stat) : 0;
  if (status >= 0) status = copyXattrs(files.from, files.to);
  if (status >= 0)
    status = copyFlags(files.from, { target: files.to, namespace: o.namespace, onCopy: (call) => call(files.to) });
  if (status >= 0) status = o.overrides?.writeOpen(files.to, stat) ?? fchmod(files.to, stat.mode & 0o7777);
  if (status >= 0) status = setOrigin(o, files.lower, files.to);
  return status < 0 ? status : futimens(files.to, timesOf(stat));
}

/** A finished copy; `data` is where its content is, if it stayed below. */
interface Made {
  readonly node: FileNode;
  readonly staged: Staged;
  readonly lower: Place;
  readonly data: Place | undefined;
}

/** Shows a finished copy under all known names of the file, or keeps it without one if they are gone. */
function publish(o: Overlay, made: Made, stat: Stat): number {
  const { node, staged, lower, data } = made;
  const [first] = node.names;
  if (first === undefined) {
    node.pinned = openat(AT_FDCWD, fdPath(staged.fd), O_PATH);
    return node.pinned < 0 ? node.pinned : 0;
  }
  const up = copyUpDirectory(o, first.parent);
  if (up < 0) return up;
  const dir = first.parent.writable;
  const place: Place = { dir, name: first.name };
  const status = keepingTimes(dir, () => {
    markImpure(o, first.parent);
    return showIndexed(o, { node, copy: staged.fd, lower, lowerNlink: stat.nlink }, () => show(o, staged, place));
  });
  if (status < 0) return status;
  node.upper = place;
  node.data = data;
  node.nameUnsynced = true;
  const named = copyUpNames(o, node);
  o.handles.reopen(node);
  return named;
}

/** What the index is to know of a copy that is about to be shown. */
interface Indexing {
  readonly node: FileNode;
  /** An fd, or the path of a temporary name. */
  readonly copy: number | ByteString;
  readonly lower: Place;
  readonly lowerNlink: number;
}

/**
 * Shows a copy; one of a file with several links through the index first, so that at no moment a name leads to the copy
 * and another one to the lower file. Returns 0 or -errno.
 */
function showIndexed(o: Overlay, { node, copy, lower, lowerNlink }: Indexing, showCopy: () => number): number {
  const key = lowerNlink > 1 && o.work !== undefined ? indexKey(o, lower) : undefined;
  if (key === undefined || o.work === undefined) return showCopy();
  const counted = writeFirstNlink(o, copy);
  if (counted < 0) return counted;
  const index = { dirfd: o.work.index.fd(), name: key };
  const linked = typeof copy === 'number' ? linkFd(copy, index) : linkat({ dirfd: AT_FDCWD, name: copy }, index);
  if (linked < 0) return linked;
  const shown = showCopy();
  if (shown < 0) unlinkat(index.dirfd, key);
  else node.indexed = { nlink: lowerNlink, lowerNlink, key };
  return shown;
}

function show(o: Overlay, staged: Staged, place: Place): number {
  const to = { dirfd: place.dir.fd(), name: place.name };
  if (staged.name === undefined) return linkFd(staged.fd, to);
  return renameat2({ dirfd: o.work!.fd, name: staged.name }, to);
}

/** The other names find an indexed copy through the index; those the kernel knows are in the upper themselves. */
function copyUpNames(o: Overlay, node: FileNode): number {
  if (node.indexed === undefined) return 0;
  for (const at of node.names) {
    const status = copyUpName(o, node, at);
    if (status < 0) return status;
  }
  return 0;
}

const scratch = new Stat();

/** Makes sure that one name of an upper file is in the upper itself, not only its inode. Returns 0 or -errno. */
export function copyUpName(o: Overlay, node: FileNode, at: { parent: DirNode; name: ByteString }): number {
  if (node.indexed === undefined) return 0;
  const above = copyUpDirectory(o, at.parent);
  if (above < 0) return above;
  const dir = at.parent.writable;
  const place: Place = { dir, name: at.name };
  if (statx(dir.fd(), at.name, scratch) < 0) {
    const status = keepingTimes(dir, () => {
      markImpure(o, at.parent);
      return linkUp(o, node, place);
    });
    if (status < 0) return status;
  }
  if (node.upper?.dir === o.work?.index) node.upper = place;
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
    status = keepingTimes(dir, () => {
      markImpure(o, first.parent);
      return showIndexed(o, { node, copy: target, lower, lowerNlink: stat.nlink }, () =>
        renameat2({ dirfd: work.fd, name: temporary }, { dirfd: dir.fd(), name: first.name }),
      );
    });
  }
  if (status < 0) {
    unlinkat(work.fd, temporary);
    return status;
  }
  node.upper = { dir, name: first.name };
  return copyUpNames(o, node);
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
  const dataStat = new Stat();
  const from = openSource(data, dataStat);
  const stat = new Stat();
  const known = from < 0 ? from : fstatx(to, stat);
  if (known < 0) {
    close(to);
    if (from >= 0) close(from);
    return known;
  }
  // Cut before the mark goes: without both there would be zeros instead of data.
  let outcome =
    wanted !== 'empty'
      ? after(o.copier.copy({ from, to, size: stat.size, stat: dataStat }), () => futimens(to, timesOf(stat)))
      : ftruncate(to, 0);
  if (!o.volatile) outcome = after(outcome, () => o.copier.sync(to, wanted === 'empty' ? 0 : stat.size));
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
