// Where a node's file is in the upper, in the form that calls by name take.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { AT_FDCWD, fdPath } from '../sys/index.js';
import type { Node } from './node.js';

/** A node's place in the upper, as a directory fd and a name; '.' for directories. */
export function upperPlace(node: Node): { dirfd: number; name: ByteString } | number {
  if (node.kind === 'directory') {
    const dirfd = node.upper?.fd() ?? -errno.EROFS;
    return dirfd < 0 ? dirfd : { dirfd, name: '.' };
  }
  if (node.pinned >= 0) return { dirfd: AT_FDCWD, name: fdPath(node.pinned) };
  const dirfd = node.upper?.dir.fd() ?? -errno.EROFS;
  return dirfd < 0 || node.upper === undefined ? dirfd : { dirfd, name: node.upper.name };
}
