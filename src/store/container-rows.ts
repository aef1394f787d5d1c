// The rows of containers, without rules.

import type { Digest } from '../core/index.js';
import type { ChainId, DiffId, HistoryEntry } from '../image/index.js';
import type { Sql } from './database.js';
import { FrozenRows } from './frozen-rows.js';

/** A layer that a commit put on top of the container's image. */
export interface CommittedLayer {
  readonly chainId: ChainId;
  /** The history entry it has in images. */
  readonly history: HistoryEntry;
}

export interface ContainerRecord {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly image: Digest;
  /** The image as it was asked for. */
  readonly imageReference: string;
  readonly created: Date;
  /** Where it was last mounted; whether it still is, the kernel knows. */
  readonly mountpoint: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Bottom first. */
  readonly committed: readonly CommittedLayer[];
  /** The frozen directories between these and its upper one, top first. */
  readonly frozen: readonly string[];
}

/** The intent to turn a container's upper directory into a layer. */
export interface UpperMove {
  readonly diffId: DiffId;
  readonly parent: ChainId | undefined;
  readonly size: number;
  readonly tarSize?: number | undefined;
  readonly history: HistoryEntry;
  /** The frozen directory that becomes the layer, in place of the upper one. */
  readonly frozen?: string;
}

interface ContainerRow {
  readonly id: string;
  readonly name: string;
  readonly image: Digest;
  readonly image_reference: string;
  readonly created: number;
  readonly mountpoint: string | null;
  readonly labels: string;
  readonly frozen: string | null;
}

const COLUMNS = 'id, name, image, image_reference, created, mountpoint, labels, frozen';

export type NewContainer = Pick<ContainerRecord, 'id' | 'name' | 'image' | 'imageReference' | 'labels'>;

export class ContainerRows {
  readonly #statements;
  readonly #frozen: FrozenRows;

  constructor(sql: Sql) {
    this.#frozen = new FrozenRows(sql);
    this.#statements = {
      get: sql.prepare<[string], ContainerRow>(`SELECT ${COLUMNS} FROM containers WHERE id = ?`),
      list: sql.prepare<[], ContainerRow>(`SELECT ${COLUMNS} FROM containers ORDER BY created DESC, id`),
      named: sql.prepare<[string], string>('SELECT id FROM containers WHERE name = ?').pluck(),
      range: sql
        .prepare<[string, string], string>('SELECT id FROM containers WHERE id >= ? AND id < ? ORDER BY id')
        .pluck(),
      layers: sql.prepare<[string], { chain_id: ChainId; history: string }>(
        'SELECT chain_id, history FROM container_layers WHERE container = ? ORDER BY position',
      ),
      insert: sql.prepare<[Omit<ContainerRow, 'mountpoint' | 'frozen'>]>(
        `INSERT INTO containers (id, name, image, image_reference, created, labels)
         VALUES (:id, :name, :image, :image_reference, :created, :labels)`,
      ),
      remove: sql.prepare<[string]>('DELETE FROM containers WHERE id = ?'),
      name: sql.prepare<[string, string]>('UPDATE containers SET name = ? WHERE id = ?'),
      mountpoint: sql.prepare<[string | null, string]>('UPDATE containers SET mountpoint = ? WHERE id = ?'),
      move: sql.prepare<[string], string | null>('SELECT moving FROM containers WHERE id = ?').pluck(),
      moves: sql.prepare<[], string>('SELECT id FROM containers WHERE moving IS NOT NULL').pluck(),
      setMove: sql.prepare<[string | null, string]>('UPDATE containers SET moving = ? WHERE id = ?'),
      addLayer: sql.prepare<[{ container: string; layer: string; history: string }]>(
        `INSERT INTO container_layers SELECT :container, count(*), :layer, :history
         FROM container_layers WHERE container = :container`,
      ),
    };
  }

  get(id: string): ContainerRecord | undefined {
    const row = this.#statements.get.get(id);
    return row === undefined ? undefined : this.#record(row);
  }

  list(): ContainerRecord[] {
    return this.#statements.list.all().map((row) => this.#record(row));
  }

  #record(row: ContainerRow): ContainerRecord {
    return {
      id: row.id,
      name: row.name,
      image: row.image,
      imageReference: row.image_reference,
      created: new Date(row.created),
      mountpoint: row.mountpoint ?? undefined,
      labels: JSON.parse(row.labels) as Record<string, string>,
      committed: this.#statements.layers.all(row.id).map((layer) => ({
        chainId: layer.chain_id,
        history: JSON.parse(layer.history) as HistoryEntry,
      })),
      frozen: row.frozen === null ? [] : this.#frozen.stack(row.frozen),
    };
  }

  named(name: string): string | undefined {
    return this.#statements.named.get(name);
  }

  /** The IDs that start with the given hex digits. */
  startingWith(hex: string): string[] {
    // 'g' sorts after every hex digit.
    return this.#statements.range.all(hex, `${hex}g`);
  }

  insert(container: NewContainer): void {
    const { id, name, image, imageReference, labels } = container;
    const row = { id, name, image, image_reference: imageReference, labels: JSON.stringify(labels) };
    this.#statements.insert.run({ ...row, created: Date.now() });
  }

  remove(id: string): void {
    this.#statements.remove.run(id);
  }

  setName(id: string, name: string): void {
    this.#statements.name.run(name, id);
  }

  setMountpoint(id: string, mountpoint: string | undefined): void {
    this.#statements.mountpoint.run(mountpoint ?? null, id);
  }

  move(id: string): UpperMove | undefined {
    const json = this.#statements.move.get(id) ?? undefined;
    return json === undefined ? undefined : (JSON.parse(json) as UpperMove);
  }

  /** The containers with an unfinished move. */
  moves(): string[] {
    return this.#statements.moves.all();
  }

  setMove(id: string, move: UpperMove | undefined): void {
    this.#statements.setMove.run(move === undefined ? null : JSON.stringify(move), id);
  }

  addLayer(container: string, layer: CommittedLayer): void {
    this.#statements.addLayer.run({ container, layer: layer.chainId, history: JSON.stringify(layer.history) });
  }
}
