// Frozen directories: what were the upper directories of containers. Containers and snapshots share them; each goes with the last who
// needs it.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, hasCode } from '../core/index.js';
import type { Database } from './database.js';
import { fsyncDirectory } from './durable.js';
import { FrozenRows } from './frozen-rows.js';
import type { Freezing, Snapshot } from './frozen-rows.js';
import type { StoreLock } from './lock.js';
import type { StorePaths } from './paths.js';
import type { Staged, StagingArea } from './staging.js';

export interface FrozenParts {
  readonly paths: StorePaths;
  readonly lock: StoreLock;
  readonly database: Database;
  readonly staging: StagingArea;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Of calls with a container, the caller holds that one's lock. */
export class FrozenStore {
  readonly #parts: FrozenParts;
  readonly #rows: FrozenRows;

  constructor(parts: FrozenParts) {
    this.#parts = parts;
    this.#rows = new FrozenRows(parts.database.sql);
  }

  path(id: string): string {
    return join(this.#place(id), 'diff');
  }

  #place(id: string): string {
    return this.#parts.paths.frozenDirectory(id);
  }

  /** What a frozen directory lies on, itself first. */
  stack(id: string | undefined): string[] {
    return id === undefined ? [] : this.#rows.stack(id);
  }

  /** All that a container and its snapshots need. */
  ofContainer(container: string): string[] {
    const tops = [this.#rows.top(container), ...this.#rows.snapshots(container).map(({ frozen }) => frozen)];
    return [...new Set(tops.flatMap((top) => this.stack(top)))];
  }

  list(): string[] {
    return this.#rows.list();
  }

  /**
   * Writes down that the container's upper directory is about to be renamed to a frozen one, and tells where to. To be followed by
   * `finish`; after a crash the next who locks the container does that. Throws `invalid` and `already-exists` for the name of the
   * snapshot it is to have.
   */
  begin(container: string, snapshot?: string): string {
    const id = randomBytes(16).toString('hex');
    const { lock, database } = this.#parts;
    lock.exclusively(() => {
      database.transact(() => {
        if (snapshot !== undefined) this.#checkName(container, snapshot);
        this.#rows.setFreezing(container, { id, ...(snapshot === undefined ? {} : { snapshot }) });
      });
      mkdirSync(this.#place(id), { mode: 0o700 });
    });
    return this.path(id);
  }

  #checkName(container: string, name: string): void {
    if (!NAME.test(name)) {
      throw new VeneerError('invalid', `'${name}' is not a name for a snapshot`, {
        hint: 'use letters, digits, _ . -, starting with a letter or digit',
      });
    }
    if (this.#rows.snapshot(container, name) === undefined) return;
    throw new VeneerError('already-exists', `there is a snapshot '${name}' already`, {
      hint: 'choose another name, or remove that one: veneer snapshot --delete CONTAINER NAME',
    });
  }

  /**
   * Records the directory as what the container lies on now, if it is in its place. Its content must be on disk; returns its ID, undefined
   * where nothing was moved.
   */
  finish(container: string): string | undefined {
    const { lock, database, paths } = this.#parts;
    return lock.exclusively(() => {
      const freezing = this.#rows.freezing(container);
      if (freezing === undefined) return undefined;
      const { id, snapshot } = freezing;
      const moved = !this.#forbid(id);
      if (moved) for (const directory of [this.#place(id), paths.frozen]) fsyncDirectory(directory);
      database.transact(() => {
        if (moved) {
          this.#rows.insert(id, this.#rows.top(container));
          this.#rows.setTop(container, id);
          if (snapshot !== undefined) this.#rows.addSnapshot(container, snapshot, id);
        }
        this.#rows.setFreezing(container, undefined);
      });
      return moved ? id : undefined;
    });
  }

  /** Keeps what has not been moved from being moved any more, by a server whose client is dead: its place goes. Whether it did. */
  #forbid(id: string): boolean {
    try {
      rmdirSync(this.#place(id));
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return true;
      if (hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST')) return false;
      throw error;
    }
  }

  /** Intents of freezing, by container. */
  unfinished(): ReadonlyMap<string, Freezing> {
    return this.#rows.allFreezing();
  }

  /** Whether the container alone needs a directory, and nothing lies below it but layers. */
  isAlone(container: string, id: string): boolean {
    return this.#rows.top(container) === id && this.#rows.users(id) === 1 && this.#rows.stack(id).length === 1;
  }

  /** The oldest first. */
  snapshots(container: string): Snapshot[] {
    return this.#rows.snapshots(container);
  }

  /** Throws `not-found`. */
  snapshot(container: string, name: string): Snapshot {
    const snapshot = this.#rows.snapshot(container, name);
    if (snapshot !== undefined) return snapshot;
    const names = this.snapshots(container).map((one) => one.name);
    throw new VeneerError('not-found', `there is no snapshot '${name}'`, {
      hint: names.length === 0 ? "it has none; 'veneer snapshot' makes one" : `there are ${names.join(', ')}`,
    });
  }

  /** Has the container lie on another directory: that of a snapshot of its own. Its upper directory must be new. */
  setTop(container: string, id: string): void {
    this.#removing(() => {
      this.#rows.setTop(container, id);
    });
  }

  /** Within a transaction: of a new container. */
  startAt(container: string, id: string): void {
    this.#rows.setTop(container, id);
  }

  removeSnapshot(container: string, name: string): void {
    this.#removing(() => {
      this.snapshot(container, name);
      this.#rows.removeSnapshot(container, name);
    });
  }

  #removing(change: () => void): void {
    const { lock, database, staging } = this.#parts;
    const trashed = lock.exclusively(() => {
      const forgotten = database.transactRemoval(() => {
        change();
        return this.forgetUnneeded();
      });
      return this.trash(forgotten);
    });
    for (const staged of trashed) staging.discard(staged);
  }

  /** Within a transaction: forgets a directory that has become a layer of its container. */
  forget(container: string, id: string): void {
    this.#rows.setTop(container, undefined);
    this.#rows.remove(id);
  }

  /** After that. */
  clear(id: string): void {
    this.#forbid(id);
  }

  /** Those that nobody needs, as `check` finds them. */
  unneeded(): string[] {
    return this.#rows.unneeded();
  }

  /** Within a transaction: deletes the rows of those that nobody needs any more, and returns them. */
  forgetUnneeded(): string[] {
    const forgotten: string[] = [];
    for (let ids = this.#rows.unneeded(); ids.length > 0; ids = this.#rows.unneeded()) {
      for (const id of ids) this.#rows.remove(id);
      forgotten.push(...ids);
    }
    return forgotten;
  }

  /** Moves the directories of forgotten ones to staging. Call it under the store's lock. */
  trash(ids: readonly string[]): Staged[] {
    return ids.flatMap((id) => (existsSync(this.#place(id)) ? [this.#parts.staging.trash(this.#place(id))] : []));
  }
}
