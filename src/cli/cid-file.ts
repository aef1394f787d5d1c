// --cidfile: a file that takes the ID of a new container.

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { VeneerError, hasCode, messageOf } from '../core/index.js';

/** Makes the file before the container, and takes it away again unless it was written. */
export class CidFile implements Disposable {
  readonly #path: string | undefined;
  #fd: number | undefined;

  /** Throws `already-exists`, and `invalid` for a file that cannot be made. */
  constructor(path: string | undefined) {
    this.#path = path;
    try {
      this.#fd = path === undefined ? undefined : openSync(path, 'wx', 0o644);
    } catch (cause) {
      if (hasCode(cause, 'EEXIST')) {
        throw new VeneerError('already-exists', `--cidfile '${path ?? ''}': the file is there already`, {
          cause,
          hint: 'remove it, or choose another',
        });
      }
      throw new VeneerError('invalid', `--cidfile '${path ?? ''}': ${messageOf(cause)}`, { cause });
    }
  }

  write(id: string): void {
    if (this.#fd === undefined) return;
    writeSync(this.#fd, id);
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined || this.#path === undefined) return;
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }
}
