// Opens the files of a layer directory by their paths, one directory after the other, never through a symlink. Paths come in
// an archive's order, so the directories on the way to the last one stay open.

import { toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { AT_FDCWD, close, must, openat, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } from '../sys/index.js';
import { nameOf, parentOf } from './target-tree.js';

interface OpenDirectory {
  readonly name: ByteString;
  readonly fd: number;
}

export class ContentFiles {
  readonly #root: number;
  /** The directories of `#parent`, outermost first. */
  readonly #open: OpenDirectory[] = [];
  #parent: ByteString = '';

  /** Throws a SysError. */
  constructor(path: string) {
    this.#root = must(openat(AT_FDCWD, toByteString(path), O_PATH | O_DIRECTORY), 'open', path);
  }

  /** An fd of a file, for reading, or -errno. The caller closes it. */
  open(path: ByteString): number {
    const parent = parentOf(path);
    const dirfd = parent === this.#parent ? this.#last() : this.#enter(parent);
    // Should a fifo be there, it is not waited for.
    return dirfd < 0 ? dirfd : openat(dirfd, nameOf(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  #last(): number {
    return this.#open.at(-1)?.fd ?? this.#root;
  }

  #enter(parent: ByteString): number {
    const names = parent === '' ? [] : parent.split('/');
    let common = 0;
    while (common < names.length && names[common] === this.#open[common]?.name) common += 1;
    for (const { fd } of this.#open.splice(common)) close(fd);
    for (const name of names.slice(common)) {
      const fd = openat(this.#last(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
      if (fd < 0) {
        this.#parent = this.#open.map((directory) => directory.name).join('/');
        return fd;
      }
      this.#open.push({ name, fd });
    }
    this.#parent = parent;
    return this.#last();
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.splice(0)) close(fd);
    close(this.#root);
  }
}
