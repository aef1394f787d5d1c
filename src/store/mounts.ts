// Which images are mounted read-only, so that their layers stay. A row is written before the mount is made
// and may outlive it; the kernel's mount table decides.

import { toByteString } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { mountEntries } from '../sys/index.js';
import type { Database } from './database.js';

export class MountRegistry {
  readonly #database: Database;
  readonly #statements;

  constructor(database: Database) {
    this.#database = database;
    const { sql } = database;
    this.#statements = {
      add: sql.prepare<[string, string, number]>('INSERT OR REPLACE INTO mounts VALUES (?, ?, ?)'),
      remove: sql.prepare<[string]>('DELETE FROM mounts WHERE mountpoint = ?'),
      of: sql.prepare<[string], string>('SELECT mountpoint FROM mounts WHERE image = ? ORDER BY mountpoint').pluck(),
    };
  }

  add(mountpoint: string, image: Digest): void {
    this.#database.transact(() => this.#statements.add.run(mountpoint, image, Date.now()));
  }

  remove(mountpoint: string): void {
    this.#database.transact(() => this.#statements.remove.run(mountpoint));
  }

  /** Where the image is mounted now. Rows of mounts that are gone are deleted. */
  active(image: Digest): string[] {
    const recorded = this.#statements.of.all(image);
    if (recorded.length === 0) return [];
    const mounted = new Set(mountEntries().map((entry) => entry.mountpoint));
    for (const mountpoint of recorded) {
      if (!mounted.has(toByteString(mountpoint))) this.#statements.remove.run(mountpoint);
    }
    return recorded.filter((mountpoint) => mounted.has(toByteString(mountpoint)));
  }
}
