// The rows of volumes, without rules.

import type { Sql } from './database.js';

export interface VolumeRecord {
  readonly name: string;
  readonly created: Date;
  readonly labels: Readonly<Record<string, string>>;
  /** Made for a container, without a name of the user's: it goes with that, where that is asked for. */
  readonly isAnonymous: boolean;
}

export interface NewVolume extends Pick<VolumeRecord, 'name' | 'labels' | 'isAnonymous'> {
  /** What it begins with, instead of with nothing: a staged directory, which becomes its own. */
  readonly content?: string;
}

interface VolumeRow {
  readonly name: string;
  readonly created: number;
  readonly labels: string;
  readonly anonymous: number;
}

function recordOf({ name, created, labels, anonymous }: VolumeRow): VolumeRecord {
  const parsed = JSON.parse(labels) as Record<string, string>;
  return { name, created: new Date(created), labels: parsed, isAnonymous: anonymous === 1 };
}

export class VolumeRows {
  readonly #statements;

  constructor(sql: Sql) {
    this.#statements = {
      get: sql.prepare<[string], VolumeRow>('SELECT * FROM volumes WHERE name = ?'),
      list: sql.prepare<[], VolumeRow>('SELECT * FROM volumes ORDER BY name'),
      insert: sql.prepare<[VolumeRow]>('INSERT INTO volumes VALUES (:name, :created, :labels, :anonymous)'),
      remove: sql.prepare<[string]>('DELETE FROM volumes WHERE name = ?'),
      users: sql
        .prepare<[string], string>('SELECT container FROM container_volumes WHERE volume = ? ORDER BY container')
        .pluck(),
      attach: sql.prepare<[string, string]>('INSERT OR IGNORE INTO container_volumes VALUES (?, ?)'),
      detach: sql.prepare<[string, string]>('DELETE FROM container_volumes WHERE container = ? AND volume = ?'),
      own: sql
        .prepare<[{ container: string }], string>(
          `SELECT name FROM container_volumes JOIN volumes ON name = volume WHERE container = :container AND anonymous
           AND NOT EXISTS (SELECT 1 FROM container_volumes AS other WHERE other.volume = name AND other.container <> :container)`,
        )
        .pluck(),
    };
  }

  get(name: string): VolumeRecord | undefined {
    const row = this.#statements.get.get(name);
    return row === undefined ? undefined : recordOf(row);
  }

  list(): VolumeRecord[] {
    return this.#statements.list.all().map(recordOf);
  }

  insert({ name, labels, isAnonymous }: NewVolume): void {
    const row = { name, created: Date.now(), labels: JSON.stringify(labels), anonymous: isAnonymous ? 1 : 0 };
    this.#statements.insert.run(row);
  }

  remove(name: string): void {
    this.#statements.remove.run(name);
  }

  users(name: string): string[] {
    return this.#statements.users.all(name);
  }

  attach(container: string, volume: string): void {
    this.#statements.attach.run(container, volume);
  }

  detach(container: string, volume: string): void {
    this.#statements.detach.run(container, volume);
  }

  /** The anonymous volumes that this container has and no other. */
  own(container: string): string[] {
    return this.#statements.own.all({ container });
  }
}
