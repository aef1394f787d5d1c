// What registries are known to have, and what layers become when they are compressed: what saves an upload or the work before it.
// Hints: they may be out of date, and a store without them only works more.

import { isFull } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { DiffId } from '../image/index.js';
import type { Database } from './database.js';

/** A repository of a registry. */
export interface RemoteName {
  readonly registry: string;
  readonly repository: string;
}

/** A layer, compressed. */
export interface PackedLayer {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** What nothing in the store speaks of any more. */
const FORGET = [
  'DELETE FROM packed_layers WHERE diff_id NOT IN (SELECT diff_id FROM layers)',
  `DELETE FROM known_blobs WHERE blob NOT IN (SELECT id FROM images)
    AND blob NOT IN (SELECT blob FROM manifest_blobs)
    AND blob NOT IN (SELECT diff_id FROM layers)
    AND blob NOT IN (SELECT digest FROM packed_layers)`,
];

export class Remotes {
  readonly #database: Database;
  readonly #statements;

  constructor(database: Database) {
    const { sql } = database;
    this.#database = database;
    this.#statements = {
      saw: sql.prepare<[string, string, number]>('INSERT OR REPLACE INTO known_blobs VALUES (?, ?, ?)'),
      missed: sql.prepare<[string, string]>('DELETE FROM known_blobs WHERE blob = ? AND repository = ?'),
      having: sql
        .prepare<[string], string>('SELECT repository FROM known_blobs WHERE blob = ? ORDER BY seen DESC, repository')
        .pluck(),
      packed: sql.prepare<[string, string], PackedLayer>(
        'SELECT digest, size FROM packed_layers WHERE diff_id = ? AND compression = ?',
      ),
      remember: sql.prepare<[string, string, string, number]>(
        'INSERT OR REPLACE INTO packed_layers VALUES (?, ?, ?, ?)',
      ),
      forget: FORGET.map((statement) => sql.prepare<[]>(statement)),
    };
  }

  /** A repository has been seen to have blobs: they were taken from it, or brought to it. */
  saw(repository: RemoteName, digests: readonly Digest[]): void {
    const name = formatName(repository);
    this.#note(() => {
      for (const digest of new Set(digests)) this.#statements.saw.run(digest, name, Date.now());
    });
  }

  /** A repository turned out not to have a blob any more. */
  missed(repository: RemoteName, digest: Digest): void {
    this.#note(() => this.#statements.missed.run(digest, formatName(repository)));
  }

  /** The repositories of a registry that have had a blob, those seen last first. */
  repositoriesWith(registry: string, digest: Digest): string[] {
    const prefix = `${registry}/`;
    const names = this.#statements.having.all(digest).filter((name) => name.startsWith(prefix));
    return names.map((name) => name.slice(prefix.length));
  }

  /** What a layer was compressed to; `compression` says how, in the words of who remembered it. */
  packed(diffId: DiffId, compression: string): PackedLayer | undefined {
    return this.#statements.packed.get(diffId, compression);
  }

  rememberPacked(diffId: DiffId, compression: string, { digest, size }: PackedLayer): void {
    this.#note(() => this.#statements.remember.run(diffId, compression, digest, size));
  }

  /** Within a transaction, after images or layers have gone: forgets what was about them alone. */
  forgetUnneeded(): void {
    for (const statement of this.#statements.forget) statement.run();
  }

  /** Nothing fails because a hint has no room. */
  #note(work: () => void): void {
    try {
      this.#database.transactVolatile(work);
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }
}

function formatName({ registry, repository }: RemoteName): string {
  return `${registry}/${repository}`;
}
