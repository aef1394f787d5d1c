// Content that a later entry of the same archive replaces. The layer has no place for it, the archive's exact bytes need it.

import { close, mkdirat, must, openat, renameat2, statx, Stat, AT_FDCWD, O_DIRECTORY, O_PATH } from '../sys/index.js';
import type { Place } from '../sys/index.js';
import { toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { SkeletonWriter } from './skeleton-writer.js';

export class ReplacedContent {
  readonly #path: ByteString;
  readonly #skeleton: SkeletonWriter;
  readonly #stat = new Stat();
  #fd = -1;

  /** `path`: of a directory that is made when something is put into it. */
  constructor(path: string, skeleton: SkeletonWriter) {
    this.#path = toByteString(path);
    this.#skeleton = skeleton;
  }

  /** Moves a file with content out of the layer; false for anything else, which may be removed. Throws a SysError. */
  keep({ dirfd, name }: Place, path: ByteString): boolean {
    must(statx(dirfd, name, this.#stat), 'statx', name);
    if (!this.#stat.isRegular || this.#stat.size === 0) return false;
    if (this.#fd < 0) {
      must(mkdirat(AT_FDCWD, this.#path, 0o700), 'mkdir', this.#path);
      this.#fd = must(openat(AT_FDCWD, this.#path, O_PATH | O_DIRECTORY), 'open', this.#path);
    }
    const number = this.#skeleton.replaced(path);
    must(renameat2({ dirfd, name }, { dirfd: this.#fd, name: String(number) }), 'rename', name);
    return true;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }
}
