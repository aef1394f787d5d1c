// Leases keep what a running operation has put into the store, or found there, until something refers to it. A lease is
// a staging entry, locked as long as its process lives, and rows that name what it keeps.

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
      this.#database.transact(() => this.#statements.end.run(staged.name));
      this.#staging.discard(staged);
    };
    return { name: staged.name, release, [Symbol.dispose]: release };
  }

  hold(lease: Lease, kind: LeasedKind, object: Digest): void {
    this.#database.transact(() => this.#statements.hold.run(lease.name, kind, object));
  }

  /** Leases whose process has died. Ask under the store's lock. */
  stale(): string[] {
    return this.#statements.names.all().filter((name) => !this.#staging.isHeld(name));
  }

  /** Forgets leases whose process has died. Call it under the store's lock. */
  dropStale(): void {
    this.#database.transact(() => {
      for (const name of this.stale()) this.#statements.end.run(name);
    });
  }
}
