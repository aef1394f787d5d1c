// A file system that is full to the byte where a test wants it.

import { closeSync, mkdirSync, openSync, statfsSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../src/core/index.js';
import { mount, must } from '../../src/sys/index.js';

export class SmallDisk {
  readonly path: string;
  readonly #filler: string;

  /** Mounts a tmpfs of this size (`12m`) on a new directory, which a TempDir above it un-mounts. */
  constructor(directory: string, size: string) {
    this.path = directory;
    mkdirSync(this.path);
    must(
      mount({ source: 'tmpfs', target: this.path, type: 'tmpfs', flags: 0, data: `size=${size}` }),
      'mount',
      this.path,
    );
    this.#filler = join(this.path, 'filler');
  }

  /** Takes all space but some. */
  leave(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    const fd = openSync(this.#filler, 'w');
    try {
      const block = Buffer.alloc(bsize, 1);
      for (let left = bavail * bsize - bytes; left >= bsize; left -= bsize) writeSync(fd, block);
    } catch (error) {
      if (!hasCode(error, 'ENOSPC')) throw error;
    } finally {
      closeSync(fd);
    }
  }

  makeRoom(): void {
    truncateSync(this.#filler, 0);
  }
}
