// Leases keep what a running operation has put into the store, or found there, until something refers to it. A lease is
// a staging entry, locked as long as its process lives, and rows that name what it keeps.

import { isFull } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { Database } from './database.js';
import type { Staged, StagingArea } from './staging.js';

export interface Lease extends Disposable {
  readonly name: string;
  /** Ends the lease. What nothing refers to by then may be removed by `prune`. */
  release(): void;
}

export type LeasedKind = 'layer' | 'blob';

export class LeaseRegistry {
  readonly #database: Database;
  readonly #staging: StagingArea;
  readonly #statements;

  constructor(database: Database, staging: StagingArea) {
    this.#database = database;
    this.#staging = staging;
    const { sql } = database;
    this.#statements = {
      hold: sql.prepare<[string, LeasedKind, string]>('INSERT OR IGNORE INTO leases VALUES (?, ?, ?)'),
      end: sql.prepare<[string]>('DELETE FROM leases WHERE lease = ?'),
      names: sql.prepare<[], string>('SELECT DISTINCT lease FROM leases').pluck(),
    };
  }

  open(): Lease {
    const staged: Staged = this.#staging.createFile();
    let open = true;
    const release = (): void => {
      if (!open) return;
      open = false;
      try {
        this.#database.transactVolatile(() => this.#statements.end.run(staged.name));
      } catch (error) {
        // Without its entry a lease keeps nothing: the next one to open the store deletes the rows.
        if (!isFull(error)) throw error;
      } finally {
        this.#staging.discard(staged);
      }
    };
    return { name: staged.name, release, [Symbol.dispose]: release };
  }

  hold(lease: Lease, kind: LeasedKind, object: Digest): void {
    // No lease survives a loss of power.
    this.#database.transactVolatile(() => this.#statements.hold.run(lease.name, kind, object));
  }

  /** Leases whose process has died. Ask under the store's lock. */
  stale(): string[] {
    return this.#statements.names.all().filter((name) => !this.#staging.isHeld(name));
  }

  /** Forgets leases whose process has died, if there is space to write that down. */
  forgetDead(): void {
    try {
      if (this.#statements.names.get() !== undefined) this.dropStale();
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  /** Forgets leases whose process has died. */
  dropStale(): void {
    this.#database.transactRemoval(() => {
      for (const name of this.stale()) this.#statements.end.run(name);
    });
  }
}
