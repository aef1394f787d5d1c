// The layer store: unpacked layer directories by ChainID, in the overlay's on-disk form, never written once in place.

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, digestHex, toByteString } from '../core/index.js';
import { chainId } from '../image/index.js';
import type { ChainId, DiffId } from '../image/index.js';
import { must, syncfs, syncfsAside } from '../sys/index.js';
import type { Database } from './database.js';
import { fsyncDirectory, renameDurably } from './durable.js';
import type { Lease, LeaseRegistry } from './leases.js';
import type { HeldLock, StoreLock } from './lock.js';
import { recordIn } from './paths.js';
import type { LayerRecord, StorePaths } from './paths.js';
import { removeTree } from './remove-tree.js';
import type { Staged, StagingArea } from './staging.js';

export interface Layer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** The layer it lies on. */
  readonly parent: ChainId | undefined;
  /** Of the content of its files, in bytes, as Docker counts. */
  readonly size: number;
  readonly created: Date;
  /** Of the uncompressed tar, in bytes; undefined where it is not known. */
  readonly tarSize: number | undefined;
}

export interface LayerFacts {
  readonly diffId: DiffId;
  readonly parent: ChainId | undefined;
  readonly size: number;
  readonly tarSize?: number | undefined;
}

/** Where the parts of a layer are. */
export interface LayerFiles {
  /** The directory with the layer's files. */
  readonly diff: string;
  /** Undefined where the store was made before layers had one. */
  readonly skeleton: string | undefined;
  readonly replaced: string;
}

/** A layer being unpacked. */
export interface StagedLayer {
  /** The directory to fill. */
  readonly diff: string;
  /** Where what the tar is made from goes; nothing is there yet. */
  readonly record: LayerRecord;
  readonly staged: Staged;
}

interface Commit {
  readonly facts: LayerFacts;
  readonly lease: Lease;
  /** Takes what has to be discarded, whatever happens. */
  readonly doomed: Staged[];
}

/** A layer whose row is gone. */
export type ForgottenLayer = Pick<Layer, 'chainId' | 'size'>;

export interface LayerParts {
  readonly paths: StorePaths;
  readonly lock: StoreLock;
  readonly database: Database;
  readonly staging: StagingArea;
  readonly leases: LeaseRegistry;
}

interface LayerRow {
  readonly chain_id: ChainId;
  readonly diff_id: DiffId;
  readonly parent: ChainId | null;
  readonly size: number;
  readonly created: number;
  readonly tar_size: number | null;
}

function toLayer(row: LayerRow): Layer {
  return {
    chainId: row.chain_id,
    diffId: row.diff_id,
    parent: row.parent ?? undefined,
    size: row.size,
    created: new Date(row.created),
    tarSize: row.tar_size ?? undefined,
  };
}

/** What nothing needs: neither an image, a container, a lease, nor a layer on top that one of them needs. */
const UNNEEDED = `chain_id NOT IN (
  WITH RECURSIVE needed(id) AS (
    SELECT chain_id FROM image_layers
    UNION SELECT chain_id FROM container_layers
    UNION SELECT object FROM leases WHERE kind = 'layer'
    UNION SELECT parent FROM layers JOIN needed ON chain_id = id WHERE parent IS NOT NULL
  ) SELECT id FROM needed)`;

/** The same for one layer, given that what nothing needs has gone from on top of it. */
const FORGET = `DELETE FROM layers WHERE chain_id = :id
  AND NOT EXISTS (SELECT 1 FROM layers WHERE parent = :id)
  AND NOT EXISTS (SELECT 1 FROM image_layers WHERE chain_id = :id)
  AND NOT EXISTS (SELECT 1 FROM container_layers WHERE chain_id = :id)
  AND NOT EXISTS (SELECT 1 FROM leases WHERE kind = 'layer' AND object = :id)
  RETURNING chain_id AS chainId, size`;

export class LayerStore {
  readonly #parts: LayerParts;
  readonly #statements;
  /** Those that are on disk. */
  readonly #settled = new WeakSet<StagedLayer>();

  constructor(parts: LayerParts) {
    this.#parts = parts;
    const { sql } = parts.database;
    this.#statements = {
      get: sql.prepare<[string], LayerRow>('SELECT * FROM layers WHERE chain_id = ?'),
      list: sql.prepare<[], LayerRow>('SELECT * FROM layers ORDER BY created, chain_id'),
      insert: sql.prepare<[LayerRow]>(
        `INSERT INTO layers VALUES (:chain_id, :diff_id, :parent, :size, :created, :tar_size)
         ON CONFLICT DO UPDATE SET tar_size = coalesce(tar_size, excluded.tar_size)`,
      ),
      forgetTar: sql.prepare<[string]>('UPDATE layers SET tar_size = NULL WHERE chain_id = ?'),
      unneeded: sql.prepare<[], ChainId>(`SELECT chain_id FROM layers WHERE ${UNNEEDED} ORDER BY chain_id`).pluck(),
      forget: sql.prepare<[{ id: string }], ForgottenLayer>(FORGET),
      // One statement, because foreign keys are checked at its end: children and parents go in any order.
      forgetAll: sql.prepare<[]>(`DELETE FROM layers WHERE ${UNNEEDED}`),
    };
  }

  find(id: ChainId): Layer | undefined {
    const row = this.#statements.get.get(id);
    return row === undefined ? undefined : toLayer(row);
  }

  /** Throws `not-found`. */
  get(id: ChainId): Layer {
    const layer = this.find(id);
    if (layer === undefined) throw new VeneerError('not-found', `layer ${id} is not in the store`);
    return layer;
  }

  list(): Layer[] {
    return this.#statements.list.all().map(toLayer);
  }

  /** The directory with the layer's files. */
  path(id: ChainId): string {
    return this.#parts.paths.diff(id);
  }

  /** What the layer's tar is made from. */
  parts(id: ChainId): LayerFiles {
    const { skeleton, replaced } = this.#parts.paths.record(id);
    return { diff: this.path(id), skeleton: existsSync(skeleton) ? skeleton : undefined, replaced };
  }

  /** Layer directories for an overlay, top first, of layers given bottom first; an empty directory where there are none. */
  paths(layers: readonly ChainId[]): string[] {
    return layers.length === 0 ? [this.#parts.paths.empty] : layers.map((id) => this.path(id)).reverse();
  }

  /**
   * Waits until nobody else unpacks the layer, and has others wait from then on: afterwards ask `reuse` whether it is there now.
   * Release it after `commit`. Who needs several takes them from the bottom of the stack; then nobody waits for ever.
   */
  async unpacking(id: ChainId, options: { signal?: AbortSignal } = {}): Promise<HeldLock> {
    const { staging } = this.#parts;
    const staged = await staging.claim(`unpack.${digestHex(id)}`, options.signal);
    let held = true;
    const release = (): void => {
      if (held) staging.discard(staged);
      held = false;
    };
    return { release, [Symbol.dispose]: release };
  }

  /** Starts a new layer. End with `commit` or `discard`. */
  stage(): StagedLayer {
    const staged = this.#parts.staging.createDirectory();
    const diff = join(staged.path, 'diff');
    try {
      mkdirSync(diff, { mode: 0o755 });
    } catch (error) {
      this.#parts.staging.discard(staged);
      throw error;
    }
    return { diff, record: recordIn(staged.path), staged };
  }

  /** Drops a layer that was not committed. */
  discard(layer: StagedLayer): void {
    this.#parts.staging.discard(layer.staged);
  }

  /** The layer, if the store has it already, kept by the lease from now on. */
  reuse(id: ChainId, lease: Lease): Layer | undefined {
    const { lock, leases } = this.#parts;
    return lock.exclusively(() => {
      const layer = this.find(id);
      if (layer !== undefined) leases.hold(lease, 'layer', id);
      return layer;
    });
  }

  /**
   * Has a filled layer written to disk while this thread goes on, so that `commit` does not wait for that. Nothing may be
   * written to it afterwards.
   */
  async settle(layer: StagedLayer): Promise<void> {
    must(await syncfsAside(layer.staged.fd), 'syncfs', layer.diff);
    this.#settled.add(layer);
  }

  /**
   * Puts a filled directory in its place; durable on return. When the store has the layer already, that one is used and
   * the staged one dropped, so importing one thing twice, even at the same time, is harmless: all it gives is the record
   * that a layer of an old store lacks. The lease keeps the layer. The staged one is gone after a failure, too.
   */
  commit(layer: StagedLayer, facts: LayerFacts, lease: Lease): Layer {
    const { lock, staging } = this.#parts;
    const doomed: Staged[] = [];
    let placed = false;
    try {
      if (!this.#settled.has(layer)) must(syncfs(layer.staged.fd), 'syncfs', layer.diff);
      placed = lock.exclusively(() => this.#put(layer, { facts, lease, doomed }));
    } finally {
      if (placed) staging.release(layer.staged);
      else doomed.push(layer.staged);
      for (const staged of doomed) staging.discard(staged);
    }
    return this.get(chainId(facts.parent, facts.diffId));
  }

  /** False where the store has the layer already. */
  #put(layer: StagedLayer, { facts, lease, doomed }: Commit): boolean {
    const { leases, database } = this.#parts;
    const id = chainId(facts.parent, facts.diffId);
    const place = this.#parts.paths.layer(id);
    const present = this.find(id) !== undefined && existsSync(this.path(id));
    if (present) this.#complete(id, layer.record);
    else {
      doomed.push(...this.#clearPlace(id));
      renameDurably(layer.staged.path, place);
    }
    try {
      database.transact(() => {
        this.insert(facts);
        leases.hold(lease, 'layer', id);
      });
    } catch (error) {
      // On a full file system there may be no space for the row: what has no row must not be in its place.
      if (!present) renameDurably(place, layer.staged.path);
      throw error;
    }
    return !present;
  }

  /** Gives a layer without record the one of the same layer unpacked again. */
  #complete(id: ChainId, { skeleton, replaced }: LayerRecord): void {
    const place = this.#parts.paths.record(id);
    if (existsSync(place.skeleton) || !existsSync(skeleton)) return;
    // One that was on its way when the machine lost its power.
    if (existsSync(place.replaced)) removeTree(toByteString(place.replaced));
    if (existsSync(replaced)) renameDurably(replaced, place.replaced);
    renameDurably(skeleton, place.skeleton);
  }

  /**
   * Makes a directory of the store the content of a layer by renaming it, with the skeleton of its tar: no data is copied.
   * Both must be on disk already (syncfs) and beside each other. Call it under the store's lock, for a layer the store does not
   * have; insert the row afterwards. The directory goes last: once it is there, the layer is whole.
   */
  adopt(from: string, id: ChainId, skeleton: string | undefined): void {
    const replaced = this.#clearPlace(id);
    const place = this.#parts.paths.layer(id);
    try {
      mkdirSync(place, { mode: 0o700 });
      if (skeleton !== undefined) renameSync(skeleton, recordIn(place).skeleton);
      fsyncDirectory(this.#parts.paths.layers);
      renameDurably(from, this.path(id));
    } finally {
      for (const staged of replaced) this.#parts.staging.discard(staged);
    }
  }

  /** Records a layer whose directory is in place. */
  insert(facts: LayerFacts): void {
    this.#statements.insert.run({
      chain_id: chainId(facts.parent, facts.diffId),
      diff_id: facts.diffId,
      parent: facts.parent ?? null,
      size: facts.size,
      created: Date.now(),
      tar_size: facts.tarSize ?? null,
    });
  }

  /** Forgets that the exact tar of a layer can be made. */
  forgetTar(id: ChainId): void {
    this.#parts.database.transact(() => this.#statements.forgetTar.run(id));
  }

  /** Takes away what is in the place of a layer that is not recorded. */
  #clearPlace(id: ChainId): Staged[] {
    const place = this.#parts.paths.layer(id);
    return existsSync(place) ? [this.#parts.staging.trash(place)] : [];
  }

  /** Layers that are recorded and that nothing needs. */
  unneeded(): ChainId[] {
    return this.#statements.unneeded.all();
  }

  /**
   * Within a transaction: deletes the rows of those layers of a stack (bottom first, its top may be missing) that nothing needs any
   * more, and returns them, top first. Their directories go after the transaction, by `trash`. Takes as long as there are layers to forget.
   */
  forgetUnneeded(stack: readonly ChainId[]): ForgottenLayer[] {
    const forgotten: ForgottenLayer[] = [];
    const top = stack.findLastIndex((id) => this.find(id) !== undefined);
    for (const id of stack.slice(0, top + 1).toReversed()) {
      const layer = this.#statements.forget.get({ id });
      // What is below is needed, too.
      if (layer === undefined) break;
      forgotten.push(layer);
    }
    return forgotten;
  }

  /** Within a transaction: deletes the rows of all layers that nothing needs. Their directories are extra then. */
  forgetAllUnneeded(): void {
    this.#statements.forgetAll.run();
  }

  /** Moves directories of forgotten layers to staging. Call it under the store's lock, then discard them outside it. */
  trash(layers: readonly ForgottenLayer[]): Staged[] {
    return layers.flatMap(({ chainId: id }) => this.#clearPlace(id));
  }
}
