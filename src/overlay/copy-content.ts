// The data of a copy, and that it is on disk before the copy is shown.

import { errno } from '../core/index.js';
import type { Outcome } from '../fuse/index.js';
import { cloneData, copyDataAside, copyDense, copySparse, fsync, fsyncAside } from '../sys/index.js';
import type { Stat } from '../sys/index.js';

/** Up to this size a copy takes no longer than handing it to another thread. */
const COPY_AT_ONCE = 128 * 1024;

/** Milliseconds: a disk that syncs a small file faster is not worth another thread, which takes a part of that itself. */
const QUICK = 1;

/** Bytes of a block as `stx_blocks` counts them. */
const BLOCK = 512;

/** An open source, what is to become its copy, and how much of it. */
export interface CopyJob {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  /** Of `from`. */
  readonly stat: Pick<Stat, 'dev' | 'blocks'>;
}

/** Says that two file systems share no blocks, whatever the files are. */
function neverClones(status: number): boolean {
  return status === -errno.EOPNOTSUPP || status === -errno.EXDEV || status === -errno.ENOTTY;
}

/** Makes copies in one upper directory. */
export class Copier {
  /** Devices from which nothing can be cloned. */
  readonly #unclonable = new Set<number>();
  /** Whether the last small file was synced in no time. */
  #quick = false;

  /** Makes the empty file `to` equal to the first `size` bytes of `from`: 0 or -errno, later if it takes long. */
  copy({ from, to, size, stat }: CopyJob): Outcome {
    if (size === 0) return 0;
    if (!this.#unclonable.has(stat.dev)) {
      const cloned = cloneData(from, to, size);
      if (cloned >= 0) return 0;
      if (neverClones(cloned)) this.#unclonable.add(stat.dev);
    }
    if (size > COPY_AT_ONCE) return copyDataAside(from, to, size);
    return stat.blocks * BLOCK >= size ? copyDense(from, to, size) : copySparse(from, to, size);
  }

  /** Writes a copy of `size` bytes to disk: 0 or -errno, at once where the disk is quick. */
  sync(fd: number, size: number): Outcome {
    if (size > COPY_AT_ONCE) return fsyncAside(fd);
    const start = performance.now();
    if (!this.#quick) {
      return fsyncAside(fd).then((status) => {
        this.#note(start);
        return status;
      });
    }
    const status = fsync(fd);
    this.#note(start);
    return status;
  }

  #note(start: number): void {
    this.#quick = performance.now() - start < QUICK;
  }
}
