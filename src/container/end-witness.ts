// How those who wait for a container hear of its end, even if it is removed at once: each has a file in the run directory, into which
// whoever cleans up after the container writes the exit code.

import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../core/index.js';
import type { Store } from '../store/index.js';
import { runDirectoryOf } from './state.js';

const directoryOf = (store: Store): string => join(runDirectoryOf(store), 'waits');
const prefixOf = (id: string): string => `${id.slice(0, 12)}.`;

export class EndWitness implements Disposable {
  readonly #path: string;
  readonly #fd: number;

  /** From now on, no end of the container is missed. */
  constructor(store: Store, id: string) {
    const directory = directoryOf(store);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#path = join(directory, `${prefixOf(id)}${randomBytes(6).toString('hex')}`);
    this.#fd = openSync(this.#path, 'wx+', 0o600);
  }

  /** Of the first end since; undefined before it. Whoever removes the container has told of its end before. */
  get exitCode(): number | undefined {
    const text = Buffer.alloc(16);
    const length = readSync(this.#fd, text, 0, text.length, 0);
    return length === 0 ? undefined : Number(text.toString('latin1', 0, length));
  }

  /** Calls whenever there may be something new. */
  watch(changed: () => void): Disposable {
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(this.#path, changed);
      watcher.on('error', () => undefined);
    } catch {
      // It was told already.
    }
    return { [Symbol.dispose]: () => watcher?.close() };
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }
}

/** Tells all who wait for a container how it has ended. The caller holds the container's lock. */
export function tellOfEnd(store: Store, id: string, exitCode: number): void {
  for (const name of witnesses(directoryOf(store))) {
    if (!name.startsWith(prefixOf(id))) continue;
    const path = join(directoryOf(store), name);
    try {
      // In one write: a reader has all of it or nothing.
      writeFileSync(path, String(exitCode), { flag: 'r+' });
    } catch (error) {
      // They have stopped waiting.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    // Their own file, which they have open; of one that was killed, nobody's.
    rmSync(path, { force: true });
  }
}

function witnesses(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Nobody has ever waited.
    return [];
  }
}
