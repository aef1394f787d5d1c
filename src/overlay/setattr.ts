// chmod, chown, truncate, utimens.

import { O_RDWR, UTIME_OMIT, close, ftruncate, utimens, utimensat } from '../sys/index.js';
import { errno } from '../core/index.js';
import type { Attr, AttrChange, Outcome } from '../fuse/index.js';
import { fillAttr, statNode } from './attr.js';
import { copyUpDirectory } from './copy-up-directory.js';
import { copyUp } from './copy-up.js';
import { openReal } from './handles.js';
import type { FileNode, Node } from './node.js';
import { splitFromReaders } from './open.js';
import { changeMode, changeOwner } from './ownership.js';
import { dropPrivileges } from './privileges.js';
import { upperPlace } from './upper-place.js';
import { after } from './outcome.js';
import type { Overlay } from './overlay.js';

export function setattr(o: Overlay, node: Node, change: AttrChange, attr: Attr): Outcome {
  const finish = (): number => {
    const applied = apply(o, node, change);
    if (applied < 0) return applied;
    const status = statNode(o, node, o.stat);
    if (status >= 0) fillAttr(node, o.stat, attr);
    return status;
  };
  if (node.kind === 'directory') {
    const up = copyUpDirectory(o, node);
    return up < 0 ? up : finish();
  }
  const up = copyUp(o, node, change.size === 0 ? 'empty' : 'all');
  return after(up, () => {
    // Readers of the lower file must not see it cut; a truncate by path is tried again by the kernel.
    if (change.size !== undefined && splitFromReaders(o, node)) return -errno.ESTALE;
    return finish();
  });
}

/** Owner first (it drops setuid bits), then mode, size, times: each later one has the last word on ctime. */
function apply(o: Overlay, node: Node, change: AttrChange): number {
  const place = upperPlace(node);
  if (typeof place === 'number') return place;
  const { dirfd, name } = place;
  let status = 0;
  // A chown of neither is one, too: it gives a new ctime.
  const others = [change.mode, change.size, change.atime, change.mtime];
  if (change.uid !== undefined || change.gid !== undefined || others.every((value) => value === undefined)) {
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
  if (change.killSuidgid === true && node.kind === 'other') dropPrivileges(o, node);
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
