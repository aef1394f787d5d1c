// One layer directory of a stack, opened once; everything below is reached from its fd.

import { SysError, toByteString } from '../core/index.js';
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_RDONLY,
  Stat,
  close,
  fstatx,
  fdPath,
  must,
  openReadOnlyTree,
  openat,
} from '../sys/index.js';
import type { RealDir } from './real-dir.js';

/**
 * `read-only`: through a private read-only mount, where we may make one, so that the kernel itself keeps the layer
 * from being written, access times included.
 */
export type LayerAccess = 'plain' | 'read-only';

function openRoot(path: string, access: LayerAccess): number {
  const bytes = toByteString(path);
  const plain = openat(AT_FDCWD, bytes, O_RDONLY | O_DIRECTORY);
  if (plain < 0 || access === 'plain') return plain;
  const tree = openReadOnlyTree(bytes);
  if (tree < 0) return plain;
  close(plain);
  // A tree's fd is an O_PATH one, which cannot be listed.
  const fd = openat(tree, '.', O_RDONLY | O_DIRECTORY);
  return fd < 0 ? tree : keep(fd, tree);
}

/** The private mount ends with its fd, but lives on in what was opened below it. */
function keep(fd: number, tree: number): number {
  close(tree);
  return fd;
}

/** An opened layer root. */
export class LayerDir {
  readonly path: string;
  /** Its place in the stack: 0 is the top. */
  index: number;
  #fd: number;
  /** The device of its root; a layer may span several. */
  readonly dev: number;
  /** The roots of the layers under this one, top first: where its absolute redirects lead. */
  below: readonly RealDir[] = [];
  /** Whether its redirects are followed; otherwise what has one is EPERM. */
  followsRedirects = true;
  /** Whether it was a writable layer before the ones above it: what it has keeps the marks it had then. */
  frozen = false;

  /** Follows symlinks in `path`. Throws a SysError. */
  constructor(path: string, index: number, access: LayerAccess = 'plain') {
    this.path = path;
    this.index = index;
    this.#fd = must(openRoot(path, access), 'open', path);
    const stat = new Stat();
    const status = fstatx(this.#fd, stat);
    if (status < 0) {
      close(this.#fd);
      throw new SysError(-status, 'statx', path);
    }
    this.dev = stat.dev;
  }

  get fd(): number {
    return this.#fd;
  }

  /** From now on it is reached as a `read-only` one is. What else was opened below it is to be closed. */
  protect(): void {
    const tree = openReadOnlyTree(fdPath(this.#fd));
    const fd = tree < 0 ? tree : openat(tree, '.', O_RDONLY | O_DIRECTORY);
    if (tree >= 0) close(tree);
    if (fd < 0) return;
    close(this.#fd);
    this.#fd = fd;
  }

  get isBottom(): boolean {
    return this.below.length === 0;
  }

  close(): void {
    close(this.#fd);
  }
}
