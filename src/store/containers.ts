// Containers as the store knows them: a row, a directory, and the layers that commits put between the two.

import { existsSync, fsyncSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError } from '../core/index.js';
import { chainId } from '../image/index.js';
import { ContainerRows } from './container-rows.js';
import type { CommittedLayer, ContainerRecord, NewContainer, UpperMove } from './container-rows.js';
import type { Database } from './database.js';
import { renameDurably } from './durable.js';
import type { FrozenStore } from './frozen.js';
import type { LayerStore } from './layers.js';
import { ifUnlocked, lockDirectory } from './lock.js';
import type { HeldLock, StoreLock } from './lock.js';
import { recordIn } from './paths.js';
import type { StorePaths } from './paths.js';
import type { Staged, StagingArea } from './staging.js';
import type { NewVolume } from './volume-rows.js';
import type { VolumeStore } from './volumes.js';

export interface ContainerParts {
  readonly paths: StorePaths;
  readonly lock: StoreLock;
  readonly database: Database;
  readonly staging: StagingArea;
  readonly layers: LayerStore;
  readonly frozen: FrozenStore;
  readonly volumes: VolumeStore;
}

/** As Docker's restricted names. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new VeneerError('invalid', `'${name}' is not a container name`, {
    hint: 'use two or more of letters, digits, _ . -, starting with a letter or digit',
  });
}

function missing(text: string): VeneerError {
  return new VeneerError('not-found', `no such container: ${text}`, { hint: "'veneer ps -a' lists what there is" });
}

/** What a container begins with besides its image. */
export interface BranchPoint {
  readonly committed: readonly CommittedLayer[];
  readonly frozen: string | undefined;
}

export class ContainerStore {
  readonly #parts: ContainerParts;
  readonly #rows: ContainerRows;

  constructor(parts: ContainerParts) {
    this.#parts = parts;
    this.#rows = new ContainerRows(parts.database.sql);
  }

  /** Newest first. */
  list(): ContainerRecord[] {
    return this.#rows.list();
  }

  /** By full ID. Throws `not-found`. */
  get(id: string): ContainerRecord {
    const record = this.#rows.get(id);
    if (record === undefined) throw missing(id);
    return record;
  }

  /** By full ID, name, or the start of an ID, in this order. Throws `invalid` when that is ambiguous. */
  find(text: string): ContainerRecord | undefined {
    const exact = this.#rows.get(text) ?? this.#rows.get(this.#rows.named(text) ?? '');
    if (exact !== undefined || !/^[0-9a-f]{1,64}$/.test(text)) return exact;
    const [id, second] = this.#rows.startingWith(text);
    if (second !== undefined) {
      throw new VeneerError(
        'invalid',
        `container ID '${text}' is ambiguous: more than one container ID starts with it`,
        {
          hint: 'give more digits of the ID',
        },
      );
    }
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** As `find`; throws `not-found` where there is none. */
  resolve(text: string): ContainerRecord {
    const record = this.find(text);
    if (record === undefined) throw missing(text);
    return record;
  }

  directory(id: string): string {
    return this.#parts.paths.container(id);
  }

  /** Waits for the lock under which a container is mounted, committed and removed. Finishes what a dead process began. */
  async lock(record: ContainerRecord): Promise<HeldLock> {
    const held = await this.#lockDirectory(record);
    try {
      if (this.#rows.get(record.id) === undefined) throw missing(record.name);
      this.#recover(record.id);
      return held;
    } catch (error) {
      held.release();
      throw error;
    }
  }

  async #lockDirectory(record: ContainerRecord): Promise<HeldLock> {
    try {
      return await lockDirectory(this.directory(record.id), `container ${record.name}`);
    } catch (error) {
      // Removed meanwhile, directory and all.
      throw this.#rows.get(record.id) === undefined ? missing(record.name) : error;
    }
  }

  /** A directory to build a container in, for `create`. */
  stage(): Staged {
    return this.#parts.staging.createDirectory();
  }

  discard(staged: Staged): void {
    this.#parts.staging.discard(staged);
  }

  /**
   * Puts a built directory in its place and records the container with its volumes, of which those that are missing are made. One that
   * is branched off another one begins with what that one lies on. Throws `invalid`, and `already-exists` for a taken name.
   */
  create(
    container: NewContainer,
    staged: Staged,
    { from, volumes: wanted = [] }: { from?: BranchPoint; volumes?: readonly NewVolume[] } = {},
  ): ContainerRecord {
    checkName(container.name);
    const { lock, database, staging, frozen, volumes } = this.#parts;
    lock.exclusively(() => {
      this.#refuseTaken(container.name);
      const place = this.directory(container.id);
      fsyncSync(staged.fd);
      renameDurably(staged.path, place);
      try {
        database.transact(() => {
          this.#rows.insert(container);
          for (const layer of from?.committed ?? []) this.#rows.addLayer(container.id, layer);
          if (from?.frozen !== undefined) frozen.startAt(container.id, from.frozen);
          volumes.attach(container.id, wanted);
        });
      } catch (error) {
        renameDurably(place, staged.path);
        throw error;
      }
    });
    staging.release(staged);
    return this.get(container.id);
  }

  /** Throws `invalid`, and `already-exists` for a taken name. */
  rename(id: string, name: string): void {
    checkName(name);
    const { lock, database } = this.#parts;
    lock.exclusively(() => {
      if (this.get(id).name === name)
        throw new VeneerError('already-exists', `it is the container's name already: ${name}`);
      this.#refuseTaken(name);
      database.transact(() => this.#rows.setName(id, name));
    });
  }

  /** Throws as `create` does. */
  checkNewName(name: string): void {
    checkName(name);
    this.#refuseTaken(name);
  }

  #refuseTaken(name: string): void {
    const owner = this.#rows.named(name);
    if (owner === undefined) return;
    throw new VeneerError('already-exists', `the name '${name}' is taken by container ${owner.slice(0, 12)}`, {
      hint: `remove or choose another: veneer rm ${name}`,
    });
  }

  isNameTaken(name: string): boolean {
    return this.#rows.named(name) !== undefined;
  }

  /** Nothing waits for the disk: no mount outlives a loss of power. */
  setMountpoint(id: string, mountpoint: string | undefined): void {
    this.#parts.database.transactVolatile(() => this.#rows.setMountpoint(id, mountpoint));
  }

  /** Where `commit` puts the skeleton of the upper directory's tar: a file of nobody until `moveUpper` takes it along. */
  skeleton(id: string): string {
    return recordIn(this.directory(id)).skeleton;
  }

  /**
   * Makes the container's upper directory a layer by renaming it, and that layer the top of what the container lies on. The
   * container has no upper directory then. A skeleton that is there goes with it. Both must be on disk (syncfs), the store
   * must not have the layer, and the caller must hold the container's lock. After a crash the move is finished, or undone, by
   * the next who has the lock.
   */
  moveUpper(id: string, move: UpperMove): void {
    const { lock, database, layers } = this.#parts;
    lock.exclusively(() => {
      database.transact(() => this.#rows.setMove(id, move));
      const skeleton = this.skeleton(id);
      layers.adopt(
        this.#moving(id, move),
        chainId(move.parent, move.diffId),
        existsSync(skeleton) ? skeleton : undefined,
      );
      this.#finishMove(id, move);
    });
  }

  /** What a move begins with. */
  #moving(id: string, { frozen }: UpperMove): string {
    return frozen === undefined ? this.upper(id) : this.#parts.frozen.path(frozen);
  }

  /** Where the container's changes since its last commit are. */
  upper(id: string): string {
    return join(this.directory(id), 'upper');
  }

  #finishMove(id: string, move: UpperMove): void {
    const { database, layers } = this.#parts;
    database.transact(() => {
      layers.insert(move);
      this.#rows.addLayer(id, { chainId: chainId(move.parent, move.diffId), history: move.history });
      this.#rows.setMove(id, undefined);
      if (move.frozen !== undefined) this.#parts.frozen.forget(id, move.frozen);
    });
    if (move.frozen !== undefined) this.#parts.frozen.clear(move.frozen);
  }

  /** Finishes or undoes the move of an upper directory that a dead process began, and removes a skeleton it left. */
  #recover(id: string): void {
    const { lock, database, layers, frozen } = this.#parts;
    lock.exclusively(() => {
      const move = this.#rows.move(id);
      if (move !== undefined) {
        const moved = !existsSync(this.#moving(id, move)) && existsSync(layers.path(chainId(move.parent, move.diffId)));
        if (moved) this.#finishMove(id, move);
        else database.transact(() => this.#rows.setMove(id, undefined));
      }
      frozen.finish(id);
      rmSync(this.skeleton(id), { force: true });
    });
  }

  /** Containers whose upper directory a dead process left on its way. Ask under the store's lock. */
  abandoned(): string[] {
    return this.#eachAbandoned(() => undefined);
  }

  /** Finishes or undoes it. */
  recoverAbandoned(): void {
    this.#parts.lock.exclusively(() =>
      this.#eachAbandoned((id) => {
        this.#recover(id);
      }),
    );
  }

  /** A process that lives has the lock of what it works on. */
  #eachAbandoned(work: (id: string) => void): string[] {
    const unfinished = [...new Set([...this.#rows.moves(), ...this.#parts.frozen.unfinished().keys()])];
    return unfinished.filter((id) =>
      ifUnlocked(this.directory(id), () => {
        work(id);
      }),
    );
  }

  /**
   * Removes a container, its directory, and the committed layers no image needs; with `ownVolumes`, also its volumes without a
   * name that no other container has. It must not be mounted; the caller holds its lock.
   */
  async remove(id: string, options: { ownVolumes?: boolean } = {}): Promise<void> {
    const { staging } = this.#parts;
    for (const staged of this.#forget(id, options)) await staging.discardAside(staged);
  }

  /** What is to be discarded. */
  #forget(id: string, options: { ownVolumes?: boolean }): Staged[] {
    const { lock, database, layers, staging, frozen, volumes } = this.#parts;
    const trashed: Staged[] = [];
    lock.exclusively(() => {
      this.#recover(id);
      const record = this.get(id);
      const forgotten = database.transactRemoval(() => {
        const gone = options.ownVolumes === true ? volumes.forgetOwn(id) : [];
        this.#rows.remove(id);
        return {
          layers: layers.forgetUnneeded(record.committed.map((layer) => layer.chainId)),
          frozen: frozen.forgetUnneeded(),
          volumes: gone,
        };
      });
      trashed.push(...layers.trash(forgotten.layers), ...frozen.trash(forgotten.frozen));
      trashed.push(...volumes.trash(forgotten.volumes));
      if (existsSync(this.directory(id))) trashed.push(staging.trash(this.directory(id)));
    });
    return trashed;
  }

  /** Moves the directory of a container that has no row to staging. Call it under the store's lock. */
  trashDirectory(id: string): Staged {
    return this.#parts.staging.trash(this.directory(id));
  }
}
