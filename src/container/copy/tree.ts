// Where paths of a copy are looked up: in this machine's tree, or in a container's, whose links never lead out of it.

import type { ByteString } from '../../core/index.js';
import { AT_FDCWD, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, openat, openat2 } from '../../sys/index.js';

export interface Tree {
  /** Opens a path as a program in the tree would; -errno. */
  open(path: ByteString, flags: number): number;
  /** Whether what is put below a directory may go through links that are there: they can only lead to places in the same tree. */
  readonly isConfined: boolean;
  /** How a path of it is written in messages. */
  show(path: string): string;
}

export const HERE: Tree = {
  open: (path, flags) => openat(AT_FDCWD, path, flags),
  isConfined: false,
  show: (path) => path,
};

/** The tree below a directory that is open; absolute links and `..` end at it, as in a chroot. */
export function confinedTree(rootFd: number, container: string): Tree {
  return {
    open: (path, flags) => openat2(rootFd, path, { flags, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }),
    isConfined: true,
    show: (path) => `${container}:${path}`,
  };
}
