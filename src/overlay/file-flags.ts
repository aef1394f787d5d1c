// lsattr and chattr: those of the topmost real file, but for the protecting ones, which in the upper are in an
// attribute (ovl_fileattr_get, ovl_fileattr_set; fs/overlayfs/inode.c).

import { errno } from '../core/index.js';
import { FLAGS_LENGTH } from '../fuse/index.js';
import type { FlagsForm, Outcome } from '../fuse/index.js';
import {
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  FS_XFLAG_APPEND,
  FS_XFLAG_IMMUTABLE,
  S_IFREG,
  close,
  getFlags as get,
  getFsxattr,
  setFlags as set,
  setFsxattr,
} from '../sys/index.js';
import { setProtection } from '../whiteout/index.js';
import { statNode, xattrTarget } from './attr.js';
import { copyUpDirectory } from './copy-up-directory.js';
import { copyUp } from './copy-up.js';
import { openTop } from './handles.js';
import type { Node } from './node.js';
import { after } from './outcome.js';
import type { Overlay } from './overlay.js';
import { PROTECTING } from './protection.js';

/** Runs a call on the real file or directory of a node. Returns its result or -errno. */
function onTop(node: Node, call: (fd: number) => number): number {
  if (node.kind === 'directory') {
    const fd = node.parts[0]?.fd() ?? -errno.ESTALE;
    return fd < 0 ? fd : call(fd);
  }
  const fd = node.type === S_IFREG ? openTop(node) : -errno.ENOTTY;
  if (fd < 0) return fd;
  const status = call(fd);
  close(fd);
  return status;
}

/** FS_*_FL to the bits of `fsx_xflags`, which are others. */
function protectingXflags(flags: number): number {
  return (
    ((flags & FS_IMMUTABLE_FL) !== 0 ? FS_XFLAG_IMMUTABLE : 0) | ((flags & FS_APPEND_FL) !== 0 ? FS_XFLAG_APPEND : 0)
  );
}

function protectionOf(xflags: number): number {
  return (
    ((xflags & FS_XFLAG_IMMUTABLE) !== 0 ? FS_IMMUTABLE_FL : 0) | ((xflags & FS_XFLAG_APPEND) !== 0 ? FS_APPEND_FL : 0)
  );
}

export function getFlags(node: Node, form: FlagsForm): Buffer | number {
  const value = Buffer.alloc(FLAGS_LENGTH[form]);
  const word = onTop(node, (fd) => {
    if (form === 'flags') return get(fd);
    const status = getFsxattr(fd, value);
    return status < 0 ? status : value.readUInt32LE();
  });
  if (word < 0) return word;
  const protection = form === 'flags' ? node.protection : protectingXflags(node.protection);
  value.writeUInt32LE((word | protection) >>> 0);
  return value;
}

export function setFlags(o: Overlay, node: Node, request: { form: FlagsForm; value: Buffer }): Outcome {
  const { form } = request;
  const value = Buffer.from(request.value);
  const word = value.readUInt32LE();
  const protection = form === 'flags' ? word & PROTECTING : protectionOf(word);
  value.writeUInt32LE((word & ~(form === 'flags' ? PROTECTING : FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND)) >>> 0);
  if (node.kind === 'other' && node.type !== S_IFREG) return -errno.ENOTTY;
  return after(node.kind === 'directory' ? copyUpDirectory(o, node) : copyUp(o, node, 'metadata'), () => {
    const target = xattrTarget(node);
    if (typeof target === 'number') return target;
    const known = statNode(o, node, o.stat);
    if (known < 0) return known;
    // A real file that is protected itself refuses this, as it does below the kernel's overlay.
    const present = node.protection | (o.stat.attributes & PROTECTING);
    const kept = (protection | present) === 0 ? 0 : setProtection(target, o.namespace, protection);
    if (kept < 0) return kept;
    node.protection = protection;
    return onTop(node, (fd) => (form === 'flags' ? set(fd, value.readUInt32LE()) : setFsxattr(fd, value)));
  });
}
