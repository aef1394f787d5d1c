// Making files: in the upper, owned by the caller, over a whiteout where the name was removed before.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Caller, Entry, Opened } from '../fuse/index.js';
import {
  AT_FDCWD,
  O_ACCMODE,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  AT_REMOVEDIR,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_ISGID,
  S_ISUID,
  Stat,
  close,
  decodeDev,
  entryPath,
  chmodEntry,
  fchownat,
  fdPath,
  fstatx,
  mkdirat,
  mknodat,
  openat,
  renameat2,
  setxattr,
  statx,
  symlinkat,
  unlinkat,
  fchown,
} from '../sys/index.js';
import type { Place as SysPlace } from '../sys/index.js';
import { WHITEOUT_PREFIX, isWhiteout, makeOpaque } from '../whiteout/index.js';
import { ACL_DEFAULT, defaultAcl } from './acl.js';
import { fillAttr } from './attr.js';
import { copyUpDirectory } from './copy-up-directory.js';
import { addToListing } from './listing.js';
import type { DirNode, FileNode, Node } from './node.js';
import { register } from './open.js';
import { isOurs, isOverriding, overrideNew, overrideNewOpen } from './ownership.js';
import type { NewFile } from './ownership.js';
import type { Overlay } from './overlay.js';
import { checkCreate } from './protection.js';
import { removeTree } from './work-dir.js';
import type { WorkDir } from './work-dir.js';

const spare = new Stat();

/** What is to be made. */
export type Making =
  | { readonly kind: 'directory'; readonly mode: number; readonly umask: number }
  /** Regular files, devices, fifos, sockets; `mode` has the type. */
  | { readonly kind: 'node'; readonly mode: number; readonly umask: number; readonly rdev: number }
  | { readonly kind: 'symlink'; readonly target: ByteString };

export interface CreateRequest {
  readonly parent: DirNode;
  readonly name: ByteString;
  readonly caller: Caller;
  readonly making: Making;
}

/** Makes a file and fills `entry` with its new node, referenced once. Returns 0 or -errno. */
export function create(o: Overlay, request: CreateRequest, entry: Entry): number {
  const { parent, name } = request;
  const dirfd = prepare(o, parent, name);
  if (dirfd < 0) return dirfd;
  let status = make(o, request, { dirfd, name });
  if (status === -errno.EEXIST) status = overWhiteout(o, request, dirfd);
  return status < 0 ? status : announce(o, request, dirfd, entry);
}

/** Checks the name and brings the directory up. Returns the upper directory's fd or -errno. */
export function prepare(o: Overlay, parent: DirNode, name: ByteString): number {
  // In a layer such a name means that another one is gone.
  if (name.startsWith(WHITEOUT_PREFIX)) return -errno.EINVAL;
  if (parent.at === undefined && parent !== o.nodes.root) return -errno.ENOENT;
  const refused = checkCreate(parent);
  if (refused < 0) return refused;
  const up = copyUpDirectory(o, parent);
  return up < 0 ? up : parent.writable.fd();
}

/** The mode to create with: the umask gives way to a default ACL, which the backing file system applies. */
function effectiveMode(o: Overlay, parent: DirNode, options: { mode: number; umask: number }): number {
  parent.hasDefaultAcl ??= defaultAcl(parent.writable.fd()) !== undefined;
  return o.acl && parent.hasDefaultAcl ? options.mode : options.mode & ~options.umask;
}

/** One system call, then owner and mode if the defaults are not the caller's. On failure nothing stays. */
function make(o: Overlay, request: CreateRequest, at: SysPlace): number {
  const { making, parent } = request;
  let status: number;
  let mode = S_IFLNK;
  switch (making.kind) {
    case 'directory':
      mode = effectiveMode(o, parent, making) | S_IFDIR;
      status = mkdirat(at.dirfd, at.name, mode & 0o1777);
      break;
    case 'node':
      mode = effectiveMode(o, parent, making);
      status = isOverriding(o)
        ? mknodat(at.dirfd, at.name, S_IFREG | (mode & 0o777), 0)
        : mknodat(at.dirfd, at.name, mode, making.rdev);
      break;
    case 'symlink':
      status = symlinkat(making.target, at.dirfd, at.name);
  }
  if (status < 0) return status;
  const owned = isOverriding(o) ? overrideNew(o, at, newFile(request, mode)) : own(request, at, mode);
  if (owned < 0) unlinkat(at.dirfd, at.name, making.kind === 'directory' ? AT_REMOVEDIR : 0);
  return owned;
}

function newFile({ caller, parent, making }: CreateRequest, mode: number): NewFile {
  const rdev = making.kind === 'node' ? making.rdev : 0;
  const [major, minor] = decodeDev(rdev);
  return { ...caller, parent, mode, ...(rdev === 0 ? {} : { device: { major, minor } }) };
}

/** Gives a new file to the caller. The group stays the directory's where that is setgid. */
function own(request: CreateRequest, at: SysPlace, mode: number): number {
  const { caller, parent, making } = request;
  if (isOurs(caller)) return 0;
  const gid = inheritsGroup(parent) ? -1 : caller.gid;
  const owned = fchownat(at.dirfd, at.name, { uid: caller.uid, gid });
  if (owned < 0 || making.kind !== 'node' || (mode & (S_ISUID | S_ISGID)) === 0) return owned;
  // chown took these bits away.
  return chmodEntry(at, mode & 0o7777);
}

function inheritsGroup(parent: DirNode): boolean {
  return parent.writable.stat(spare) >= 0 && (spare.mode & S_ISGID) !== 0;
}

/** Makes the file in the work directory and exchanges it with the whiteout. Returns 0 or -errno. */
function overWhiteout(o: Overlay, request: CreateRequest, dirfd: number): number {
  const { work } = o;
  if (work === undefined) return -errno.EROFS;
  const { name, making, parent } = request;
  if (!isWhiteout(dirfd, name, o.stat)) return -errno.EEXIST;
  const staging = stagingFor(o, work, parent);
  if (staging.dirfd < 0) return staging.dirfd;
  const staged = { dirfd: staging.dirfd, name: work.newName() };
  let status = make(o, request, staged);
  if (status >= 0 && o.overrides === undefined && inheritsGroup(parent)) status = adoptGroup(staged, making);
  if (status >= 0 && making.kind === 'directory') {
    status = makeOpaque(entryPath(staged.dirfd, staged.name), o.namespace);
  }
  const swapped = status < 0 ? status : renameat2(staged, { dirfd, name }, RENAME_EXCHANGE);
  // On success it is the whiteout that lies there now.
  if (swapped < 0 && making.kind === 'directory') removeTree(staged.dirfd, staged.name);
  else unlinkat(staged.dirfd, staged.name);
  staging.end();
  return swapped < 0 ? swapped : 0;
}

/**
 * Where to make a file that comes into `parent` later: in the work directory, or where files inherit an ACL in a
 * directory of its own there with the same default ACL, so that the file system below applies it. `dirfd` may be -errno.
 */
function stagingFor(o: Overlay, work: WorkDir, parent: DirNode): { dirfd: number; end: () => void } {
  const acl = o.acl ? defaultAcl(parent.writable.fd()) : undefined;
  if (acl === undefined) return { dirfd: work.fd, end: () => undefined };
  const name = work.newName();
  const made = mkdirat(work.fd, name, 0o700);
  if (made < 0) return { dirfd: made, end: () => undefined };
  const set = setxattr(entryPath(work.fd, name), ACL_DEFAULT, acl);
  const dirfd = set < 0 ? set : openat(work.fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const end = (): void => {
    if (dirfd >= 0) close(dirfd);
    removeTree(work.fd, name);
  };
  if (dirfd < 0) end();
  return { dirfd, end };
}

/** What the directory would have given a file made in it: its group, and setgid to directories. `spare` is the directory's. */
function adoptGroup(at: SysPlace, making: Making): number {
  const owned = fchownat(at.dirfd, at.name, { uid: -1, gid: spare.gid });
  if (owned < 0 || making.kind !== 'directory') return owned;
  const known = statx(at.dirfd, at.name, spare);
  return known < 0 ? known : chmodEntry(at, (spare.mode & 0o7777) | S_ISGID);
}

/** Makes the node of a file that now exists in the upper, and takes the kernel's reference. */
function announce(o: Overlay, request: CreateRequest, dirfd: number, entry: Entry): number {
  const { parent, name } = request;
  const status = statx(dirfd, name, o.stat);
  if (status < 0) return status;
  o.overrides?.apply(entryPath(dirfd, name), o.stat);
  const node = newUpperNode(o, { parent, name });
  entry.nodeid = node.id;
  node.nlookup += 1;
  fillAttr(node, o.stat, entry.attr);
  return 0;
}

/** The node of a new upper file or directory, of which `o.stat` is known. */
function newUpperNode(o: Overlay, at: { parent: DirNode; name: ByteString }): Node {
  const upper = at.parent.writable;
  let node: Node;
  if ((o.stat.mode & S_IFMT) === S_IFDIR) {
    const own = upper.child(at.name);
    node = o.nodes.newDirectory([own], own);
  } else {
    node = o.nodes.newFile(o.stat.type);
    node.upper = { dir: upper, name: at.name };
    node.noCapability = true;
  }
  o.inos.assign(o.stat, node);
  o.nodes.attach(node, at.parent, at.name);
  addToListing(at.parent, at.name);
  return node;
}

/** CREATE: makes a regular file and opens it. */
export function createOpen(
  o: Overlay,
  request: CreateRequest & { readonly flags: number },
  out: { entry: Entry; opened: Opened },
): number {
  const made = create(o, request, out.entry);
  if (made < 0) return made;
  const node = o.nodes.get(out.entry.nodeid) as FileNode;
  const { caller, flags } = request;
  const status = register(o, node, { caller, flags, isNew: true }, out.opened);
  out.entry.attr.uncached = node.mayBeMapped;
  if (status < 0) o.nodes.forget(node.id, 1);
  return status;
}

/** TMPFILE: an open file without a name, which linkat(2) may give one. */
export function createUnnamed(
  o: Overlay,
  request: { parent: DirNode; caller: Caller; mode: number; umask: number; flags: number },
  out: { entry: Entry; opened: Opened },
): number {
  const { parent, caller } = request;
  const refused = checkCreate(parent);
  if (refused < 0) return refused;
  const up = copyUpDirectory(o, parent);
  if (up < 0) return up;
  const dirfd = parent.writable.fd();
  const mode = effectiveMode(o, parent, request) & ~S_IFMT;
  const access = (request.flags & O_ACCMODE) === 0 ? O_RDWR : request.flags & O_ACCMODE;
  const fd = openat(dirfd, '.', O_TMPFILE | access | (request.flags & O_EXCL), mode);
  if (fd < 0) return fd;
  let status = 0;
  if (isOverriding(o)) {
    status = overrideNewOpen(o, fd, { ...caller, parent, mode: S_IFREG | (mode & 0o7777) });
  } else if (!isOurs(caller)) {
    status = fchown(fd, { uid: caller.uid, gid: inheritsGroup(parent) ? -1 : caller.gid });
  }
  if (status >= 0) status = fstatx(fd, o.stat);
  if (status >= 0) o.overrides?.apply(fd, o.stat);
  const pinned = status < 0 ? status : openat(AT_FDCWD, fdPath(fd), O_PATH);
  close(fd);
  if (pinned < 0) return pinned;
  const node = o.nodes.newFile(S_IFREG);
  node.pinned = pinned;
  node.noCapability = true;
  o.inos.assign(o.stat, node);
  node.nlookup += 1;
  out.entry.nodeid = node.id;
  fillAttr(node, o.stat, out.entry.attr);
  status = register(o, node, { caller, flags: request.flags, isNew: true }, out.opened);
  out.entry.attr.uncached = node.mayBeMapped;
  return status;
}
