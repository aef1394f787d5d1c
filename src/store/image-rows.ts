// The rows of images and tags, without rules.

import type { Digest } from '../core/index.js';
import type { ChainId, Reference } from '../image/index.js';
import type { Sql } from './database.js';
import type { TaggedName } from './tagged-name.js';

export interface Image {
  readonly id: Digest;
  /** As its configuration says. */
  readonly created: Date | undefined;
  /** Of all layers: the content of their files, in bytes. */
  readonly size: number;
  /** Bottom first. */
  readonly layers: readonly ChainId[];
  /** Its names in canonical form, sorted. */
  readonly references: readonly string[];
}

interface ImageRow {
  readonly id: Digest;
  readonly created: number | null;
  readonly size: number;
}

const COLUMNS = `id, created, (SELECT coalesce(sum(size), 0) FROM image_layers JOIN layers USING (chain_id)
  WHERE image = images.id) AS size`;

/** The key of a tag's repository: the canonical name without tag and digest. */
function repositoryOf(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

export class ImageRows {
  readonly #statements;

  constructor(sql: Sql) {
    this.#statements = {
      get: sql.prepare<[string], ImageRow>(`SELECT ${COLUMNS} FROM images WHERE id = ?`),
      list: sql.prepare<[], ImageRow>(`SELECT ${COLUMNS} FROM images ORDER BY created DESC, added DESC, id`),
      layers: sql
        .prepare<[string], ChainId>('SELECT chain_id FROM image_layers WHERE image = ? ORDER BY position')
        .pluck(),
      names: sql
        .prepare<[string], string>("SELECT repository || ':' || tag FROM tags WHERE image = ? ORDER BY 1")
        .pluck(),
      tagged: sql.prepare<[string, string], Digest>('SELECT image FROM tags WHERE repository = ? AND tag = ?').pluck(),
      inRepository: sql
        .prepare<[string, string], 1>('SELECT 1 FROM tags WHERE image = ? AND repository = ? LIMIT 1')
        .pluck(),
      range: sql
        .prepare<[string, string], Digest>('SELECT id FROM images WHERE id >= ? AND id < ? ORDER BY id')
        .pluck(),
      insert: sql.prepare<[string, number | null, number]>('INSERT OR IGNORE INTO images VALUES (?, ?, ?)'),
      insertLayer: sql.prepare<[string, number, string]>('INSERT OR IGNORE INTO image_layers VALUES (?, ?, ?)'),
      remove: sql.prepare<[string]>('DELETE FROM images WHERE id = ?'),
      tag: sql.prepare<[string, string, string]>('INSERT OR REPLACE INTO tags VALUES (?, ?, ?)'),
      untag: sql.prepare<[string, string]>('DELETE FROM tags WHERE repository = ? AND tag = ?'),
      untagAll: sql.prepare<[string]>('DELETE FROM tags WHERE image = ?'),
    };
  }

  get(id: string): Image | undefined {
    const row = this.#statements.get.get(id);
    return row === undefined ? undefined : this.#image(row);
  }

  list(): Image[] {
    return this.#statements.list.all().map((row) => this.#image(row));
  }

  #image(row: ImageRow): Image {
    return {
      id: row.id,
      created: row.created === null ? undefined : new Date(row.created),
      size: row.size,
      layers: this.#statements.layers.all(row.id),
      references: this.#statements.names.all(row.id),
    };
  }

  /** The image a name stands for: by its tag, or, with a digest, the image of that digest if the repository has it. */
  named(reference: Reference): Digest | undefined {
    const repository = repositoryOf(reference);
    const { digest } = reference;
    if (digest === undefined) return this.#statements.tagged.get(repository, reference.tag ?? '');
    return this.#statements.inRepository.get(digest, repository) === undefined ? undefined : digest;
  }

  /** The IDs that start with the given hex digits. */
  startingWith(hex: string): Digest[] {
    // 'g' sorts after every hex digit.
    return this.#statements.range.all(`sha256:${hex}`, `sha256:${hex}g`);
  }

  insert(id: Digest, created: Date | undefined, layers: readonly ChainId[]): void {
    this.#statements.insert.run(id, created?.getTime() ?? null, Date.now());
    layers.forEach((layer, position) => this.#statements.insertLayer.run(id, position, layer));
  }

  remove(id: Digest): void {
    this.#statements.untagAll.run(id);
    this.#statements.remove.run(id);
  }

  tag(name: TaggedName, id: Digest): void {
    this.#statements.tag.run(repositoryOf(name), name.tag, id);
  }

  untag(name: TaggedName): void {
    this.#statements.untag.run(repositoryOf(name), name.tag);
  }
}
