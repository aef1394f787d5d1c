// Setuid, setgid and file capabilities: what a write takes away.

import { S_IFREG, S_ISGID, S_ISUID, entryPath, fdPath, removexattr } from '../sys/index.js';
import type { Caller } from '../fuse/index.js';
import { statNode } from './attr.js';
import type { FileNode } from './node.js';
import { CAPABILITY, changeMode } from './ownership.js';
import type { Overlay } from './overlay.js';
import { upperPlace } from './upper-place.js';

const S_IXGRP = 0o010;

/** Whether a write by somebody without CAP_FSETID changes this mode: setgid counts where the group may execute. */
export function isPrivileged(mode: number): boolean {
  return (mode & S_ISUID) !== 0 || (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
}

/** For changes of the content whose requests do not tell whether the caller has CAP_FSETID: root has, others have not. */
export function dropPrivilegesFor(o: Overlay, node: FileNode, caller: Caller): void {
  if (caller.uid === 0 || statNode(o, node, o.stat) < 0) return;
  if (isPrivileged(o.stat.mode)) dropPrivileges(o, node);
}

/**
 * What a write by somebody without CAP_FSETID does to a file: setuid and (executable) setgid bits and file
 * capabilities go (HANDLE_KILLPRIV_V2).
 */
export function dropPrivileges(o: Overlay, node: FileNode): void {
  if (node.type !== S_IFREG || statNode(o, node, o.stat) < 0) return;
  const place = upperPlace(node);
  if (typeof place === 'number') return;
  const { mode } = o.stat;
  const kept = mode & ~S_ISUID & ~((mode & S_IXGRP) !== 0 ? S_ISGID : 0) & 0o7777;
  if (kept !== (mode & 0o7777)) {
    changeMode(o, node, kept);
    o.kernel?.invalidateAttributes(node.id);
  }
  if (node.noCapability) return;
  const target = node.pinned >= 0 ? { follow: fdPath(node.pinned) } : entryPath(place.dirfd, place.name);
  removexattr(target, CAPABILITY);
}
