// Volumes: directories that outlive containers, by name.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError } from '../core/index.js';
import type { Database } from './database.js';
import { fsyncDirectory } from './durable.js';
import { lockDirectory } from './lock.js';
import type { HeldLock, StoreLock } from './lock.js';
import type { StorePaths } from './paths.js';
import type { Staged, StagingArea } from './staging.js';
import { VolumeRows } from './volume-rows.js';
import type { NewVolume, VolumeRecord } from './volume-rows.js';

export interface VolumeParts {
  readonly paths: StorePaths;
  readonly lock: StoreLock;
  readonly database: Database;
  readonly staging: StagingArea;
}

/** As Docker's restricted names. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Throws `invalid`. */
export function checkVolumeName(name: string): void {
  if (NAME.test(name)) return;
  throw new VeneerError('invalid', `'${name}' is not a volume name`, {
    hint: 'use two or more of letters, digits, _ . -, starting with a letter or digit; a directory begins with /',
  });
}

export class VolumeStore {
  readonly #parts: VolumeParts;
  readonly #rows: VolumeRows;

  constructor(parts: VolumeParts) {
    this.#parts = parts;
    this.#rows = new VolumeRows(parts.database.sql);
  }

  /** By name. */
  list(): VolumeRecord[] {
    return this.#rows.list();
  }

  find(name: string): VolumeRecord | undefined {
    return this.#rows.get(name);
  }

  /** Throws `not-found`. */
  get(name: string): VolumeRecord {
    const record = this.#rows.get(name);
    if (record !== undefined) return record;
    throw new VeneerError('not-found', `no such volume: ${name}`, { hint: "'veneer volume ls' lists what there is" });
  }

  /** Where its files are. */
  path(name: string): string {
    return join(this.#parts.paths.volume(name), '_data');
  }

  /** The IDs of the containers that have it. */
  users(name: string): string[] {
    return this.#rows.users(name);
  }

  /** Waits for the lock under which a volume is filled. */
  lock(name: string): Promise<HeldLock> {
    return lockDirectory(this.#parts.paths.volume(name), `volume ${name}`);
  }

  /** Makes a volume; one that is there stays as it is. Throws `invalid` for a malformed name. */
  create(volume: NewVolume): VolumeRecord {
    checkVolumeName(volume.name);
    const { lock, database } = this.#parts;
    lock.exclusively(() => {
      if (this.#rows.get(volume.name) !== undefined) return;
      this.makeDirectory(volume.name);
      database.transact(() => this.#rows.insert(volume));
    });
    return this.get(volume.name);
  }

  /** Makes the directory of a volume that has no row yet. Call it under the store's lock. */
  makeDirectory(name: string): void {
    const { paths, staging } = this.#parts;
    const directory = paths.volume(name);
    // Of a volume that a process was removing when it died.
    if (existsSync(directory)) staging.discard(staging.trash(directory));
    mkdirSync(directory, { mode: 0o711 });
    mkdirSync(this.path(name), { mode: 0o755 });
    fsyncDirectory(directory);
    fsyncDirectory(paths.volumes);
  }

  /** Records which volumes a new container has, and makes those that are not there. Call it in the transaction that inserts the container. */
  attach(container: string, volumes: readonly NewVolume[]): void {
    for (const volume of volumes) {
      if (this.#rows.get(volume.name) === undefined) {
        this.makeDirectory(volume.name);
        this.#rows.insert(volume);
      }
      this.#rows.attach(container, volume.name);
    }
  }

  /** Removes a volume with what is in it. Throws `not-found`, and `in-use` while a container has it. */
  remove(name: string): void {
    const { lock, database } = this.#parts;
    const trashed = lock.exclusively(() => {
      this.get(name);
      const [user] = this.#rows.users(name);
      if (user !== undefined) {
        throw new VeneerError('in-use', `volume ${name} is in use by container ${user.slice(0, 12)}`, {
          hint: `remove that first: veneer rm ${user.slice(0, 12)}`,
        });
      }
      database.transactRemoval(() => this.#rows.remove(name));
      return this.trash([name]);
    });
    for (const staged of trashed) this.#parts.staging.discard(staged);
  }

  /** Forgets those volumes without a name of a container that no other has. Call it in the transaction that removes the container, before. */
  forgetOwn(container: string): string[] {
    const own = this.#rows.own(container);
    for (const name of own) this.#rows.detach(container, name);
    for (const name of own) this.#rows.remove(name);
    return own;
  }

  /** Takes the directories of volumes without rows out of their places. Call it under the store's lock. */
  trash(names: readonly string[]): Staged[] {
    const { paths, staging } = this.#parts;
    const directories = names.map((name) => paths.volume(name));
    return directories.filter((directory) => existsSync(directory)).map((directory) => staging.trash(directory));
  }
}
