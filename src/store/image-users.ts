// What keeps an image from being removed: containers made from it, and read-only mounts of it.

import { VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { Sql } from './database.js';
import type { MountRegistry } from './mounts.js';

export class ImageUsers {
  readonly #mounts: MountRegistry;
  readonly #containers;
  readonly #used;

  constructor(sql: Sql, mounts: MountRegistry) {
    this.#mounts = mounts;
    this.#containers = sql
      .prepare<[string], string>('SELECT name FROM containers WHERE image = ? ORDER BY created')
      .pluck();
    this.#used = sql.prepare<[], Digest>('SELECT DISTINCT image FROM containers').pluck();
  }

  /** Images with containers or mounts. */
  all(): Set<Digest> {
    return new Set([...this.#used.all(), ...this.#mounts.images()]);
  }

  has(id: Digest): boolean {
    return this.#containers.get(id) !== undefined || this.#mounts.active(id).length > 0;
  }

  /** Throws `in-use` while something uses the image; afterwards no row of a mount refers to it. */
  refuseInUse(id: Digest, text: string): void {
    const [container, ...others] = this.#containers.all(id);
    if (container !== undefined) {
      const users = others.length === 0 ? 'uses' : `and ${String(others.length)} more use`;
      throw new VeneerError('in-use', `cannot remove image ${text}: container ${container} ${users} it`, {
        hint: `remove it first: veneer rm ${container}`,
      });
    }
    const [mountpoint] = this.#mounts.active(id);
    if (mountpoint !== undefined) {
      throw new VeneerError('in-use', `cannot remove image ${text}: it is mounted at ${mountpoint}`, {
        hint: `un-mount it first: veneer umount ${mountpoint}`,
      });
    }
  }
}
