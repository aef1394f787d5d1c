// The rows of frozen directories and of the snapshots that name them, without rules.

import type { Sql } from './database.js';

/** A state of a container's file system, by name. */
export interface Snapshot {
  readonly name: string;
  /** The frozen directory that is the top of it. */
  readonly frozen: string;
  readonly created: Date;
}

/** The intent to freeze a container's upper directory. */
export interface Freezing {
  /** Of the frozen directory. */
  readonly id: string;
  /** Of the snapshot that it is made for. */
  readonly snapshot?: string;
}

interface SnapshotRow {
  readonly name: string;
  readonly frozen: string;
  readonly created: number;
}

export class FrozenRows {
  readonly #statements;

  constructor(sql: Sql) {
    this.#statements = {
      stack: sql
        .prepare<[string], string>(
          `WITH RECURSIVE stack(id, parent, depth) AS (
             SELECT id, parent, 0 FROM frozen WHERE id = ?
             UNION ALL SELECT frozen.id, frozen.parent, depth + 1 FROM frozen JOIN stack ON frozen.id = stack.parent)
           SELECT id FROM stack ORDER BY depth`,
        )
        .pluck(),
      list: sql.prepare<[], string>('SELECT id FROM frozen ORDER BY id').pluck(),
      insert: sql.prepare<[string, string | null, number]>('INSERT INTO frozen (id, parent, created) VALUES (?, ?, ?)'),
      remove: sql.prepare<[string]>('DELETE FROM frozen WHERE id = ?'),
      unneeded: sql
        .prepare<[], string>(
          `SELECT id FROM frozen WHERE NOT EXISTS (SELECT 1 FROM containers WHERE containers.frozen = frozen.id)
             AND NOT EXISTS (SELECT 1 FROM snapshots WHERE snapshots.frozen = frozen.id)
             AND NOT EXISTS (SELECT 1 FROM frozen AS above WHERE above.parent = frozen.id)`,
        )
        .pluck(),
      users: sql
        .prepare<[string, string], number>(
          `SELECT (SELECT count(*) FROM containers WHERE frozen = ?) + (SELECT count(*) FROM snapshots WHERE frozen = ?)`,
        )
        .pluck(),
      top: sql.prepare<[string], string | null>('SELECT frozen FROM containers WHERE id = ?').pluck(),
      setTop: sql.prepare<[string | null, string]>('UPDATE containers SET frozen = ? WHERE id = ?'),
      freezing: sql.prepare<[string], string | null>('SELECT freezing FROM containers WHERE id = ?').pluck(),
      allFreezing: sql.prepare<[], { id: string; freezing: string }>(
        'SELECT id, freezing FROM containers WHERE freezing IS NOT NULL',
      ),
      setFreezing: sql.prepare<[string | null, string]>('UPDATE containers SET freezing = ? WHERE id = ?'),
      snapshots: sql.prepare<[string], SnapshotRow>(
        'SELECT name, frozen, created FROM snapshots WHERE container = ? ORDER BY created, name',
      ),
      snapshot: sql.prepare<[string, string], SnapshotRow>(
        'SELECT name, frozen, created FROM snapshots WHERE container = ? AND name = ?',
      ),
      addSnapshot: sql.prepare<[string, string, string, number]>(
        'INSERT INTO snapshots (container, name, frozen, created) VALUES (?, ?, ?, ?)',
      ),
      removeSnapshot: sql.prepare<[string, string]>('DELETE FROM snapshots WHERE container = ? AND name = ?'),
    };
  }

  /** What a frozen directory lies on, itself first. */
  stack(id: string): string[] {
    return this.#statements.stack.all(id);
  }

  list(): string[] {
    return this.#statements.list.all();
  }

  insert(id: string, parent: string | undefined): void {
    this.#statements.insert.run(id, parent ?? null, Date.now());
  }

  remove(id: string): void {
    this.#statements.remove.run(id);
  }

  /** Those that no container, no snapshot and no other one needs. */
  unneeded(): string[] {
    return this.#statements.unneeded.all();
  }

  /** How many containers and snapshots have it on top. */
  users(id: string): number {
    return this.#statements.users.get(id, id) ?? 0;
  }

  top(container: string): string | undefined {
    return this.#statements.top.get(container) ?? undefined;
  }

  setTop(container: string, id: string | undefined): void {
    this.#statements.setTop.run(id ?? null, container);
  }

  freezing(container: string): Freezing | undefined {
    const json = this.#statements.freezing.get(container) ?? undefined;
    return json === undefined ? undefined : (JSON.parse(json) as Freezing);
  }

  /** By container. */
  allFreezing(): Map<string, Freezing> {
    const rows = this.#statements.allFreezing.all();
    return new Map(rows.map(({ id, freezing }) => [id, JSON.parse(freezing) as Freezing]));
  }

  setFreezing(container: string, freezing: Freezing | undefined): void {
    this.#statements.setFreezing.run(freezing === undefined ? null : JSON.stringify(freezing), container);
  }

  /** The oldest first. */
  snapshots(container: string): Snapshot[] {
    return this.#statements.snapshots.all(container).map((row) => ({ ...row, created: new Date(row.created) }));
  }

  snapshot(container: string, name: string): Snapshot | undefined {
    const row = this.#statements.snapshot.get(container, name);
    return row === undefined ? undefined : { ...row, created: new Date(row.created) };
  }

  addSnapshot(container: string, name: string, frozen: string): void {
    this.#statements.addSnapshot.run(container, name, frozen, Date.now());
  }

  removeSnapshot(container: string, name: string): void {
    this.#statements.removeSnapshot.run(container, name);
  }
}
