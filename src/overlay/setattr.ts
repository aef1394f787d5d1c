// chmod, chown, truncate, utimens.

import { O_RDWR, UTIME_OMIT, close, ftruncate, utimens, utimensat } from '../sys/index.js';
import { errno } from '../core/index.js';
import type { Attr, AttrChange, Caller, Outcome } from '../fuse/index.js';
import { fillAttr, statNode } from './attr.js';
import { copyUpDirectory } from './copy-up-directory.js';
import { copyUp } from './copy-up.js';
import { openReal } from './handles.js';
import { latest } from './node.js';
import type { FileNode, Node } from './node.js';
import { splitFromReaders } from './open.js';
import { changeMode, changeOwner } from './ownership.js';
import { dropPrivileges, isPrivileged } from './privileges.js';
import { checkSetattr } from './protection.js';
import { upperPlace } from './upper-place.js';
import { after } from './outcome.js';
import type { Overlay } from './overlay.js';

export function setattr(o: Overlay, node: Node, change: AttrChange, attr: Attr): Outcome {
  if (changesNothing(change) && takesPrivilegesOfOthers(o, node, change.caller)) return -errno.EPERM;
  const refused = checkSetattr(node, change);
  if (refused < 0) return refused;
  const finish = (): number => {
    const now = latest(node);
    const applied = apply(o, now, change);
    if (applied < 0) return applied;
    const status = statNode(o, now, o.stat);
    if (status >= 0) fillAttr(now, o.stat, attr);
    return status;
  };
  if (node.kind === 'directory') {
    const up = copyUpDirectory(o, node);
    return up < 0 ? up : finish();
  }
  const wanted = change.size === undefined ? 'metadata' : change.size === 0 ? 'empty' : 'all';
  const up = copyUp(o, node, wanted);
  return after(up, () => {
    // Readers of the lower file must not see it cut; a truncate by path is tried again by the kernel.
    if (change.size !== undefined && splitFromReaders(o, node)) return -errno.ESTALE;
    return finish();
  });
}

/** A chown of -1 to -1, which gives a new ctime and takes setuid and setgid away. So does a write: it sends the same. */
function changesNothing({ uid, gid, mode, size, atime, mtime }: AttrChange): boolean {
  return [uid, gid, mode, size, atime, mtime].every((value) => value === undefined);
}

/** Whoever may neither chmod nor write may not do it this way either (setattr_prepare in fs/attr.c): FUSE does not look. */
function takesPrivilegesOfOthers(o: Overlay, node: Node, caller: Caller | undefined): boolean {
  if (caller === undefined || caller.uid === 0 || node.kind === 'directory') return false;
  if (statNode(o, node, o.stat) < 0 || o.stat.uid === caller.uid || !isPrivileged(o.stat.mode)) return false;
  return !o.handles.isWritten(node);
}

/** Owner first (it drops setuid bits), then mode, size, times: each later one has the last word on ctime. */
function apply(o: Overlay, node: Node, change: AttrChange): number {
  const place = upperPlace(node);
  if (typeof place === 'number') return place;
  const { dirfd, name } = place;
  let status = 0;
  const owner = change.uid !== undefined || change.gid !== undefined || changesNothing(change);
  if (owner) {
    status = changeOwner(o, node, { uid: change.uid ?? -1, gid: change.gid ?? -1 });
    if (status < 0) return status;
  }
  if (change.mode !== undefined) {
    status = changeMode(o, node, change.mode & 0o7777);
    if (status < 0) return status;
  }
  if (change.size !== undefined && node.kind === 'other') {
    status = truncate(o, node, { size: change.size, fh: change.fh });
    if (status < 0) return status;
  }
  // A chown of the real file takes them away by itself (chown_common).
  const taken = owner && o.overrides === undefined;
  if (change.killSuidgid === true && !taken && node.kind === 'other') dropPrivileges(o, node);
  if (change.atime === undefined && change.mtime === undefined) return 0;
  const omit = { sec: 0, nsec: UTIME_OMIT };
  const times = { atime: change.atime ?? omit, mtime: change.mtime ?? omit };
  // The /proc path of a pinned file is a link that has to be followed.
  if (node.kind === 'other' && node.pinned >= 0) return utimens(name, times);
  return utimensat(dirfd, name, times);
}

function truncate(o: Overlay, node: FileNode, options: { size: number; fh: number | undefined }): number {
  if (options.fh !== undefined) {
    const fd = o.handles.fd(options.fh);
    return fd < 0 ? fd : ftruncate(fd, options.size);
  }
  const fd = openReal(node, O_RDWR);
  if (fd < 0) return fd;
  const status = ftruncate(fd, options.size);
  close(fd);
  return status;
}
