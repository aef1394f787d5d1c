// Opening files, and how their data flows: through the kernel alone where it can (passthrough), else through us.
//
// The kernel's rule (fs/fuse/iomode.c): all open handles of one inode use the same backing file, or none does.
// So a lower file that somebody reads and somebody else opens for writing becomes two nodes: the reader keeps the
// old one with the lower file behind it, and the name leads to a new one with the copy. ESTALE makes the kernel
// look the name up again.

import { errno } from '../core/index.js';
import { FOPEN_KEEP_CACHE, FOPEN_PASSTHROUGH } from '../fuse/index.js';
import type { Caller, Opened, Outcome } from '../fuse/index.js';
import { O_ACCMODE, O_RDONLY, O_RDWR, O_TRUNC, S_IFREG, close, ftruncate } from '../sys/index.js';
import { copyUp } from './copy-up.js';
import { openReal } from './handles.js';
import { noteMappable, settleMapped } from './mapped.js';
import { dropPrivileges, isPrivileged } from './privileges.js';
import { PROTECTING, forbidsOpen } from './protection.js';
import { statNode, statReal } from './attr.js';
import { latest } from './node.js';
import type { FileNode } from './node.js';
import { after } from './outcome.js';
import type { Overlay } from './overlay.js';

export interface OpenRequest {
  readonly caller: Caller;
  readonly flags: number;
  readonly killSuidgid: boolean;
}

export function openFile(o: Overlay, node: FileNode, request: OpenRequest, opened: Opened): Outcome {
  const { flags } = request;
  const truncates = (flags & O_TRUNC) !== 0;
  const writes = (flags & O_ACCMODE) !== O_RDONLY || truncates;
  // A name of it that the kernel has not asked for since the split: it has to ask now.
  if (node.successor !== undefined) {
    return isForIoctl(flags)
      ? register(o, node.backing === undefined ? latest(node) : node, request, opened)
      : -errno.ESTALE;
  }
  if (!writes) return register(o, node, request, opened);
  if (forbidsOpen(node.protection, flags)) return -errno.EPERM;
  // The kernel looks whether the file runs before an open for writing, but after one that only truncates.
  if (truncates && (flags & O_ACCMODE) === O_RDONLY && o.handles.isExecuted(node)) return -errno.ETXTBSY;
  return after(copyUp(o, node, truncates ? 'empty' : 'all'), () => {
    // One without a name can have no other node: as long as somebody reads it, it is not written.
    if (splitFromReaders(o, node) || node.backing?.upper === false) return -errno.ESTALE;
    if (truncates) {
      const truncated = truncateReal(node);
      if (truncated < 0) return truncated;
    }
    if (request.killSuidgid) dropPrivileges(o, node);
    return register(o, node, request, opened);
  });
}

/**
 * The kernel opens a file by itself to ask for its flags (fuse_priv_ioctl_prepare), and would pass ESTALE on. Such an open
 * reads nothing. A 32-bit program without O_LARGEFILE opens with no flags as well; it reads what the other readers do.
 */
function isForIoctl(flags: number): boolean {
  return flags === 0;
}

function truncateReal(node: FileNode): number {
  const fd = openReal(node, O_RDWR);
  if (fd < 0) return fd;
  const status = ftruncate(fd, 0);
  close(fd);
  return status;
}

/**
 * After a copy-up: if readers have the lower file as their backing, its names go to a new node with the copy. True
 * if so; whoever asked must be told ESTALE.
 */
export function splitFromReaders(o: Overlay, node: FileNode): boolean {
  const { upper } = node;
  if (node.backing === undefined || node.backing.upper || upper === undefined) return false;
  const successor = o.nodes.newFile(node.type);
  successor.upper = upper;
  successor.inoLow = node.inoLow;
  successor.inoHigh = node.inoHigh;
  successor.indexed = node.indexed;
  successor.protection = node.protection;
  successor.nameUnsynced = node.nameUnsynced;
  successor.noCapability = node.noCapability;
  const { linkKey, names } = node;
  o.nodes.unshareLinks(node);
  if (linkKey !== undefined) o.nodes.shareLinks(successor, linkKey);
  for (const { parent, name } of names) {
    o.nodes.detach(node, parent, name);
    o.nodes.attach(successor, parent, name);
  }
  node.upper = undefined;
  // The file has to be found through this node, too: what the kernel knows of the new one is not enough to keep it.
  successor.nlookup = 1;
  node.successor = successor;
  o.kernel?.invalidateAttributes(node.id);
  return true;
}

/**
 * Makes a handle of an open; with passthrough if the kernel and the file allow it. `isNew`: the file was made by this request,
 * and `o.stat` has its attributes.
 */
export function register(
  o: Overlay,
  node: FileNode,
  request: { readonly caller: Caller; readonly flags: number; readonly isNew?: boolean },
  opened: Opened,
): number {
  const { caller, flags, isNew } = request;
  if (node.type === S_IFREG && o.kernel?.passthrough === true && (node.opens === 0 || node.backing !== undefined)) {
    const reads = (flags & O_ACCMODE) === O_RDONLY;
    if (reads && node.backing === undefined && isSmall(o, node))
      return registerCached(o, node, { flags, fd: -1 }, opened);
    const writes = !reads && (isNew === true || statNode(o, node, o.stat) >= 0);
    // With passthrough the upper is not asked whether this open may write. STATX_ATTR_* have the values of FS_*_FL.
    if (writes && forbidsOpen(o.stat.attributes & PROTECTING, flags)) return -errno.EPERM;
    // A write has to take setuid and setgid away. With passthrough nobody would: the kernel leaves it to us
    // (HANDLE_KILLPRIV_V2), and the file system below sees our own rights.
    const privileged = writes && isPrivileged(o.stat.mode);
    // Too late for writing through us where others have it open; whoever is not root loses the bits at once.
    if (privileged && node.backing !== undefined && caller.uid !== 0) dropPrivileges(o, node);
    const apart = privileged && node.backing === undefined;
    const backing = node.backing ?? (apart ? -errno.EOPNOTSUPP : openBacking(o, node));
    if (typeof backing !== 'number') {
      node.backing = backing;
      opened.fh = o.handles.add({ node, flags, fd: -1 });
      opened.flags = FOPEN_PASSTHROUGH;
      opened.backingId = backing.id;
      noteMappable(o, node, flags);
      return 0;
    }
    // A file system that cannot be a backing one (stacked too deep, no such operation) is served by us.
    if (backing === -errno.ENOENT || backing === -errno.ESTALE || backing === -errno.EMFILE) return backing;
  }
  const fd = openReal(node, flags);
  if (fd < 0) return fd;
  return registerCached(o, node, { flags, fd }, opened);
}

/** A handle whose data goes through the kernel's pages; an fd is needed when a page is missing. Returns 0. */
function registerCached(o: Overlay, node: FileNode, how: { flags: number; fd: number }, opened: Opened): number {
  opened.fh = o.handles.add({ node, flags: how.flags, fd: how.fd });
  // What is written through passthrough makes no page stale: opening with it drops them (fuse_open).
  opened.flags = FOPEN_KEEP_CACHE;
  return 0;
}

/**
 * One read of the kernel's readahead. Opening such a file for reading costs no system call when its pages are cached, and
 * none of it makes the kernel ask for its access time again, as each read through passthrough does.
 */
const SMALL = 128 << 10;

function isSmall(o: Overlay, node: FileNode): boolean {
  if (!o.smallThroughCache || node.data !== undefined) return false;
  // The kernel's pages would not show what comes through a mapping.
  settleMapped(node);
  if (node.mayBeMapped) return false;
  if (node.inUpper) return statReal(node, o.stat) >= 0 && o.stat.size <= SMALL;
  return (node.smallLower ??= statReal(node, o.stat) >= 0 && o.stat.size <= SMALL);
}

/** The kernel opens the backing file again with the flags of each open, so reading is enough here. */
function openBacking(o: Overlay, node: FileNode): { id: number; upper: boolean } | number {
  const fd = openReal(node, O_RDONLY);
  if (fd < 0) return fd;
  const id = o.kernel?.openBacking(fd) ?? -errno.EOPNOTSUPP;
  close(fd);
  return id < 0 ? id : { id, upper: node.inUpper && node.data === undefined };
}

/** The last RELEASE of a file ends its backing, and the file itself if the kernel has given it back. */
export function releaseFile(o: Overlay, fh: number): void {
  const { node } = o.handles.remove(fh);
  if (node.opens > 0) return;
  if (node.backing !== undefined) {
    o.kernel?.closeBacking(node.backing.id);
    node.backing = undefined;
  }
  o.nodes.settle(node);
}
