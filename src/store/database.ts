// The metadata database: SQLite in WAL mode, shared by all processes that use the store.

import Sqlite from 'better-sqlite3';
import { VeneerError, isFull, messageOf, namingFullDisk } from '../core/index.js';
import { MIGRATIONS } from './schema.js';
import type { SpaceReserve } from './space-reserve.js';

export type Sql = Sqlite.Database;

/** How long a process waits for another one's transaction; ours last milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;

/** How long the log may get before it is folded in. Whoever opens the database reads it whole, if no process has it open. */
const LOG_PAGES = 128;

export class Database {
  readonly sql: Sql;
  readonly #path: string;
  readonly #reserve: SpaceReserve;

  /**
   * Opens or creates; call it under the store's lock. Throws `integrity`, `unsupported` for a newer store, and `unavailable` on a
   * file system that is full, but for what is in the reserve.
   */
  constructor(path: string, reserve: SpaceReserve) {
    this.#path = path;
    this.#reserve = reserve;
    this.sql = this.#guard(() => new Sqlite(path, { timeout: BUSY_TIMEOUT_MS }));
    try {
      this.#withReserve(() => this.#prepare());
    } catch (error) {
      this.sql.close();
      throw error;
    }
  }

  /** Does it again with the space that was set aside, where there is no other. */
  #withReserve<T>(work: () => T): T {
    try {
      return this.#guard(work);
    } catch (error) {
      if (!isFull(error) || !this.#reserve.free()) throw error;
      return this.#guard(work);
    }
  }

  #prepare(): void {
    // `timeout` has set busy_timeout. FULL: a transaction that was reported survives a power failure.
    this.sql.pragma('journal_mode = WAL');
    this.sql.pragma('synchronous = FULL');
    this.sql.pragma('foreign_keys = ON');
    this.sql.pragma(`wal_autocheckpoint = ${String(LOG_PAGES)}`);
    const version = this.sql.pragma('user_version', { simple: true }) as number;
    if (version > MIGRATIONS.length) {
      throw new VeneerError('unsupported', `the store's database '${this.#path}' was written by a newer veneer`, {
        hint: 'update veneer, or use another --root',
      });
    }
    MIGRATIONS.slice(version).forEach((migration, index) => {
      this.transact(() => {
        this.sql.exec(migration);
        this.sql.pragma(`user_version = ${String(version + index + 1)}`);
      });
    });
  }

  /** Runs `work` in a transaction that holds the write lock from its start; may be nested. */
  transact<T>(work: () => T): T {
    return this.#guard(() => this.sql.transaction(work).immediate());
  }

  /**
   * As `transact`, for what a loss of power may take back: nothing waits for the disk. Inside another transaction it is as durable as
   * that one.
   */
  transactVolatile<T>(work: () => T): T {
    if (this.sql.inTransaction) return this.transact(work);
    this.sql.pragma('synchronous = NORMAL');
    try {
      return this.transact(work);
    } finally {
      this.sql.pragma('synchronous = FULL');
    }
  }

  /** As `transact`, for what makes room: where there is none, once more with the space set aside for it. */
  transactRemoval<T>(work: () => T): T {
    return this.#withReserve(() => this.transact(work));
  }

  /** Runs `work` in a transaction and takes everything back. */
  rehearse<T>(work: () => T): T {
    const undo = new Error('taken back');
    const results: T[] = [];
    try {
      this.transact(() => {
        results.push(work());
        throw undo;
      });
    } catch (error) {
      if (error !== undo) throw error;
    }
    return results[0] as T;
  }

  /** Turns the failures of SQLite that are not programming errors into ours. */
  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError)) throw error;
      const what = `the store's database '${this.#path}'`;
      const detail = { cause: error };
      if (error.code.startsWith('SQLITE_BUSY')) {
        throw new VeneerError('in-use', `${what} is busy: another process holds it`, { ...detail, hint: 'try again' });
      }
      if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(error.code)) {
        throw new VeneerError('integrity', `${what} is damaged: ${messageOf(error)}`, detail);
      }
      if (/^SQLITE_(?:CANTOPEN|READONLY|PERM|AUTH)/.test(error.code)) {
        throw new VeneerError('permission', `cannot write ${what}: ${messageOf(error)}`, detail);
      }
      if (isFull(error))
        throw namingFullDisk(new VeneerError('unavailable', "cannot write the store's database", detail), this.#path);
      if (/^SQLITE_(?:IOERR|NOMEM)/.test(error.code)) {
        throw new VeneerError('unavailable', `cannot write ${what}: ${messageOf(error)}`, detail);
      }
      throw error;
    }
  }

  close(): void {
    this.sql.close();
  }
}
