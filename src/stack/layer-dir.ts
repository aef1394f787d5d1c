// One layer directory of a stack, opened once; everything below is reached from its fd.

import { SysError, toByteString } from '../core/index.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, Stat, close, fstatx, must, openat } from '../sys/index.js';
import type { RealDir } from './real-dir.js';

/** An opened layer root. `index` is its place in the stack: 0 is the top. */
export class LayerDir {
  readonly path: string;
  readonly index: number;
  readonly fd: number;
  /** The device of its root; a layer may span several. */
  readonly dev: number;
  /** The roots of the layers under this one, top first: where its absolute redirects lead. */
  below: readonly RealDir[] = [];

  /** Follows symlinks in `path`. Throws a SysError. */
  constructor(path: string, index: number) {
    this.path = path;
    this.index = index;
    this.fd = must(openat(AT_FDCWD, toByteString(path), O_RDONLY | O_DIRECTORY), 'open', path);
    const stat = new Stat();
    const status = fstatx(this.fd, stat);
    if (status < 0) {
      close(this.fd);
      throw new SysError(-status, 'statx', path);
    }
    this.dev = stat.dev;
  }

  get isBottom(): boolean {
    return this.below.length === 0;
  }

  close(): void {
    close(this.fd);
  }
}
