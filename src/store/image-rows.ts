// The rows of images and their names, without rules.

import type { Digest } from '../core/index.js';
import { formatReference } from '../image/index.js';
import type { ChainId, Reference } from '../image/index.js';
import type { Sql } from './database.js';
import type { DigestName } from './digest-name.js';
import { groupBy } from './group-by.js';
import type { TaggedName } from './tagged-name.js';

export interface Image {
  readonly id: Digest;
  /** As its configuration says. */
  readonly created: Date | undefined;
  /** When it came into the store. */
  readonly added: Date;
  /** Of all layers: the content of their files, in bytes. */
  readonly size: number;
  /** Bottom first. */
  readonly layers: readonly ChainId[];
  /** Its names with a tag in canonical form, sorted. */
  readonly references: readonly string[];
  /** Its names by digest in canonical form, sorted: `docker.io/library/debian@sha256:…`. */
  readonly digests: readonly string[];
}

interface ImageRow {
  readonly id: Digest;
  readonly created: number | null;
  readonly added: number;
  readonly size: number;
}

/** What belongs to an image, one row each. */
interface Belonging<T extends string = string> {
  readonly image: Digest;
  readonly value: T;
}

const SIZE = `(SELECT coalesce(sum(size), 0) FROM image_layers JOIN layers USING (chain_id) WHERE image = images.id)`;
const COLUMNS = `id, created, added, ${SIZE} AS size`;

/** The parts of images: of one, or of all. */
const LAYERS = 'SELECT image, chain_id AS value FROM image_layers';
const TAGS = "SELECT image, repository || ':' || tag AS value FROM tags";
const DIGESTS = "SELECT image, repository || '@' || digest AS value FROM digests";

/** The key of a name's repository: the canonical name without tag and digest. */
export function repositoryOf(reference: Reference): string {
  return formatReference({ registry: reference.registry, repository: reference.repository });
}

export class ImageRows {
  readonly #statements;

  constructor(sql: Sql) {
    const ofOne = <T extends string>(select: string, order: string) =>
      sql.prepare<[string], Belonging<T>>(`${select} WHERE image = ? ORDER BY ${order}`);
    const ofAll = <T extends string>(select: string, order: string) =>
      sql.prepare<[], Belonging<T>>(`${select} ORDER BY image, ${order}`);
    this.#statements = {
      get: sql.prepare<[string], ImageRow>(`SELECT ${COLUMNS} FROM images WHERE id = ?`),
      list: sql.prepare<[], ImageRow>(`SELECT ${COLUMNS} FROM images ORDER BY created DESC, added DESC, id`),
      has: sql.prepare<[string], 1>('SELECT 1 FROM images WHERE id = ?').pluck(),
      layers: ofOne<ChainId>(LAYERS, 'position'),
      tags: ofOne(TAGS, 'value'),
      digests: ofOne(DIGESTS, 'value'),
      allLayers: ofAll<ChainId>(LAYERS, 'position'),
      allTags: ofAll(TAGS, 'value'),
      allDigests: ofAll(DIGESTS, 'value'),
      tagged: sql.prepare<[string, string], Digest>('SELECT image FROM tags WHERE repository = ? AND tag = ?').pluck(),
      // By a name of its own; else what is named so by a tag and has such a manifest, or is itself of that digest.
      digested: sql
        .prepare<[{ repository: string; digest: string }], Digest>(
          `SELECT image FROM digests WHERE repository = :repository AND digest = :digest
           UNION ALL SELECT tags.image FROM manifests JOIN tags USING (image)
             WHERE digest = :digest AND repository = :repository
           UNION ALL SELECT image FROM tags WHERE image = :digest AND repository = :repository LIMIT 1`,
        )
        .pluck(),
      range: sql
        .prepare<[string, string], Digest>('SELECT id FROM images WHERE id >= ? AND id < ? ORDER BY id LIMIT 2')
        .pluck(),
      insert: sql.prepare<[string, number | null, number]>('INSERT OR IGNORE INTO images VALUES (?, ?, ?)'),
      insertLayer: sql.prepare<[string, number, string]>('INSERT OR IGNORE INTO image_layers VALUES (?, ?, ?)'),
      removeLayers: sql.prepare<[string]>('DELETE FROM image_layers WHERE image = ?'),
      remove: sql.prepare<[string]>('DELETE FROM images WHERE id = ?'),
      tag: sql.prepare<[string, string, string]>('INSERT OR REPLACE INTO tags VALUES (?, ?, ?)'),
      untag: sql.prepare<[string, string]>('DELETE FROM tags WHERE repository = ? AND tag = ?'),
      untagAll: sql.prepare<[string]>('DELETE FROM tags WHERE image = ?'),
      removeDigest: sql.prepare<[string, string]>('DELETE FROM digests WHERE repository = ? AND digest = ?'),
      nameDigest: sql.prepare<[string, string, string]>('INSERT OR REPLACE INTO digests VALUES (?, ?, ?)'),
    };
  }

  get(id: string): Image | undefined {
    const row = this.#statements.get.get(id);
    if (row === undefined) return undefined;
    const values = <T extends string>(rows: readonly Belonging<T>[]): T[] => rows.map(({ value }) => value);
    return {
      ...toImage(row),
      layers: values(this.#statements.layers.all(id)),
      references: values(this.#statements.tags.all(id)),
      digests: values(this.#statements.digests.all(id)),
    };
  }

  has(id: string): boolean {
    return this.#statements.has.get(id) !== undefined;
  }

  list(): Image[] {
    const grouped = <T extends string>(rows: readonly Belonging<T>[]): ((image: Digest) => readonly T[]) => {
      const groups = groupBy(rows, ({ image }) => image);
      return (image) => (groups.get(image) ?? []).map(({ value }) => value);
    };
    const layers = grouped(this.#statements.allLayers.all());
    const tags = grouped(this.#statements.allTags.all());
    const digests = grouped(this.#statements.allDigests.all());
    return this.#statements.list.all().map((row) => ({
      ...toImage(row),
      layers: layers(row.id),
      references: tags(row.id),
      digests: digests(row.id),
    }));
  }

  /** The image a name stands for: by its tag, or by a digest, which may be its own or a manifest's. */
  named(reference: Reference): Digest | undefined {
    const repository = repositoryOf(reference);
    const { digest } = reference;
    if (digest === undefined) return this.#statements.tagged.get(repository, reference.tag ?? '');
    return this.#statements.digested.get({ repository, digest });
  }

  /** The IDs that start with the given hex digits, two at most. */
  startingWith(hex: string): Digest[] {
    // 'g' sorts after every hex digit.
    return this.#statements.range.all(`sha256:${hex}`, `sha256:${hex}g`);
  }

  insert(id: Digest, created: Date | undefined, layers: readonly ChainId[]): void {
    const { changes } = this.#statements.insert.run(id, created?.getTime() ?? null, Date.now());
    if (changes > 0) layers.forEach((layer, position) => this.#statements.insertLayer.run(id, position, layer));
  }

  /** Gives an image other layers. */
  setLayers(id: Digest, layers: readonly ChainId[]): void {
    this.#statements.removeLayers.run(id);
    layers.forEach((layer, position) => this.#statements.insertLayer.run(id, position, layer));
  }

  /** Removes an image with its names, manifests and names by digest. */
  remove(id: Digest): void {
    this.#statements.untagAll.run(id);
    this.#statements.remove.run(id);
  }

  tag(name: TaggedName, id: Digest): void {
    this.#statements.tag.run(repositoryOf(name), name.tag, id);
  }

  /** Takes away a tag, or a name by digest. */
  removeName(name: Reference): void {
    if (name.digest === undefined) this.#statements.untag.run(repositoryOf(name), name.tag ?? '');
    else this.#statements.removeDigest.run(repositoryOf(name), name.digest);
  }

  nameDigest(name: DigestName, id: Digest): void {
    this.#statements.nameDigest.run(repositoryOf(name), name.digest, id);
  }
}

function toImage(row: ImageRow): Omit<Image, 'layers' | 'references' | 'digests'> {
  return {
    id: row.id,
    created: row.created === null ? undefined : new Date(row.created),
    added: new Date(row.added),
    size: row.size,
  };
}
