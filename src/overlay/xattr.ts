// Extended attributes: the user's own are kept, the overlay's are hidden and cannot be touched.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { Caller, Outcome } from '../fuse/index.js';
import { S_ISGID, getxattr as get, listxattr as list } from '../sys/index.js';
import { removexattr as remove, setxattr as set } from '../sys/index.js';
import { escapeXattr, unescapeXattr } from '../whiteout/index.js';
import { ACL_ACCESS, ACL_DEFAULT } from './acl.js';
import { statNode, xattrTarget } from './attr.js';
import { copyUpDirectory } from './copy-up-directory.js';
import { copyUp } from './copy-up.js';
import { latest } from './node.js';
import type { Node } from './node.js';
import { after } from './outcome.js';
import { CAPABILITY, adoptModeOfAcl, changeMode } from './ownership.js';
import type { Overlay } from './overlay.js';
import { checkChange } from './protection.js';

const ACL_PREFIX = 'system.posix_acl_';

export function getxattr(node: Node, name: ByteString): Buffer | number {
  const capability = name === CAPABILITY && node.kind === 'other';
  if (capability && node.noCapability) return -errno.ENODATA;
  const from = xattrTarget(node);
  if (typeof from === 'number') return from;
  const value = get(from, escapeXattr(name));
  if (capability) node.noCapability = value === -errno.ENODATA;
  return value;
}

export function listxattr(node: Node, caller: Caller): ByteString[] | number {
  const from = xattrTarget(node);
  if (typeof from === 'number') return from;
  const names = list(from);
  if (typeof names === 'number') return names;
  const shown = names.map(unescapeXattr).filter((name) => name !== undefined);
  return caller.uid === 0 ? shown : shown.filter((name) => !name.startsWith('trusted.'));
}

function bringUp(o: Overlay, node: Node): Outcome {
  return node.kind === 'directory' ? copyUpDirectory(o, node) : copyUp(o, node, 'metadata');
}

export interface SetxattrRequest {
  readonly name: ByteString;
  readonly value: Buffer;
  /** XATTR_CREATE, XATTR_REPLACE. */
  readonly flags: number;
  /** An ACL change by somebody outside the file's group: setgid goes. */
  readonly killSgid: boolean;
}

export function setxattr(o: Overlay, node: Node, request: SetxattrRequest): Outcome {
  const { name, flags, killSgid } = request;
  const refused = checkChange(node);
  if (refused < 0) return refused;
  // The value lives in the request's buffer; a copy-up may outlast it.
  const value = Buffer.from(request.value);
  return after(bringUp(o, node), () => {
    const now = latest(node);
    const to = xattrTarget(now);
    if (typeof to === 'number') return to;
    if (name === CAPABILITY && now.kind === 'other') now.noCapability = false;
    const status = set(to, escapeXattr(name), value, flags);
    if (status >= 0) noteAcl(now, name);
    if (status >= 0 && name === ACL_ACCESS) adoptModeOfAcl(o, now);
    if (status >= 0 && killSgid) dropSetgid(o, now);
    return status;
  });
}

export function removexattr(o: Overlay, node: Node, name: ByteString): Outcome {
  const refused = checkChange(node);
  if (refused < 0) return refused;
  // Without the attribute nothing changes, so nothing is copied up for it.
  const present = getxattr(node, name);
  if (typeof present === 'number' && !name.startsWith(ACL_PREFIX)) return present;
  return after(bringUp(o, node), () => {
    const now = latest(node);
    const from = xattrTarget(now);
    if (typeof from === 'number') return from;
    noteAcl(now, name);
    return remove(from, escapeXattr(name));
  });
}

function noteAcl(node: Node, name: ByteString): void {
  if (node.kind === 'directory' && name === ACL_DEFAULT) node.hasDefaultAcl = undefined;
}

function dropSetgid(o: Overlay, node: Node): void {
  if (statNode(o, node, o.stat) >= 0) changeMode(o, node, o.stat.mode & 0o7777 & ~S_ISGID);
}
