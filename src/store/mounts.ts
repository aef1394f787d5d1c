// Which images are mounted read-only, so that their layers stay. A row is written before the mount is made
// and may outlive it; the kernel's mount table decides, and the lease of a process that is still mounting.

import { toByteString } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { mountEntries } from '../sys/index.js';
import type { Database } from './database.js';
import type { Lease } from './leases.js';
import type { StagingArea } from './staging.js';

interface MountRow {
  readonly mountpoint: string;
  readonly image: Digest;
  readonly lease: string;
}

export class MountRegistry {
  readonly #database: Database;
  readonly #staging: StagingArea;
  readonly #statements;

  constructor(database: Database, staging: StagingArea) {
    this.#database = database;
    this.#staging = staging;
    const { sql } = database;
    this.#statements = {
      add: sql.prepare<[string, string, string]>('INSERT OR REPLACE INTO mounts VALUES (?, ?, ?)'),
      at: sql.prepare<[string], Digest>('SELECT image FROM mounts WHERE mountpoint = ?').pluck(),
      remove: sql.prepare<[string]>('DELETE FROM mounts WHERE mountpoint = ?'),
      of: sql.prepare<[string], MountRow>('SELECT * FROM mounts WHERE image = ? ORDER BY mountpoint'),
      list: sql.prepare<[], MountRow>('SELECT * FROM mounts'),
    };
  }

  /** Records a mount about to be made, which counts as there until the lease ends and from then on if it is. */
  add(mountpoint: string, image: Digest, lease: Lease): void {
    this.#database.transact(() => this.#statements.add.run(mountpoint, image, lease.name));
  }

  remove(mountpoint: string): void {
    this.#database.transact(() => this.#statements.remove.run(mountpoint));
  }

  /** The image whose mount was recorded for a directory; whether it is there, the kernel knows. */
  imageAt(mountpoint: string): Digest | undefined {
    return this.#statements.at.get(mountpoint);
  }

  /** Where the image is mounted now. Rows of mounts that are gone are deleted. */
  active(image: Digest): string[] {
    return this.#alive(this.#statements.of.all(image)).map(({ mountpoint }) => mountpoint);
  }

  /** The images that are mounted now. */
  images(): Digest[] {
    return this.#alive(this.#statements.list.all()).map(({ image }) => image);
  }

  #alive(recorded: readonly MountRow[]): MountRow[] {
    if (recorded.length === 0) return [];
    const mounted = new Set(mountEntries().map((entry) => entry.mountpoint));
    return recorded.filter(({ mountpoint, lease }) => {
      if (mounted.has(toByteString(mountpoint)) || this.#staging.isHeld(lease)) return true;
      this.#statements.remove.run(mountpoint);
      return false;
    });
  }
}
