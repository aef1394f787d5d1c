// A little space that is set aside, for the notes that removing things takes when the file system is full.

import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { hasCode } from '../core/index.js';

/** What SQLite takes to open a database and to write down the removal of many things. */
const SIZE = 256 * 1024;

export class SpaceReserve {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Gives the space back to the file system. Returns false when there was none. */
  free(): boolean {
    if (this.#size() === 0) return false;
    truncateSync(this.#path, 0);
    return true;
  }

  /** Whether nothing of it has been given back, or could not be set aside again. */
  get isWhole(): boolean {
    return this.#size() === SIZE;
  }

  /** Sets aside what can be had. */
  fill(): void {
    const size = this.#size();
    if (size >= SIZE) return;
    const fd = openSync(this.#path, 'a', 0o600);
    try {
      const zeros = Buffer.alloc(SIZE);
      for (let at = size; at < SIZE;) at += writeSync(fd, zeros, 0, SIZE - at);
    } catch (error) {
      if (!hasCode(error, 'ENOSPC') && !hasCode(error, 'EDQUOT')) throw error;
    } finally {
      closeSync(fd);
    }
  }

  #size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }
}
