// Volumes: directories that outlive containers, by name.

import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, hasCode } from '../core/index.js';
import type { Database } from './database.js';
import { fsyncDirectory, renameDurably } from './durable.js';
import { meetsLabels } from './label-filter.js';
import type { LabelFilter } from './label-filter.js';
import { lockDirectory } from './lock.js';
import type { HeldLock, StoreLock } from './lock.js';
import type { StorePaths } from './paths.js';
import type { Staged, StagingArea } from './staging.js';
import { treeSize } from './tree-size.js';
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

export interface PruneVolumesOptions {
  /** Also those with a name. */
  readonly all?: boolean | undefined;
  readonly labels?: readonly LabelFilter[] | undefined;
}

export interface PrunedVolumes {
  readonly removed: readonly string[];
  /** What that frees, in bytes. */
  readonly space: number;
}

/** For a volume without a name of the user's: docker's form. */
export function newVolumeName(): string {
  return randomBytes(32).toString('hex');
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

  /** A directory to collect what a volume is to begin with, for `fill` or a new one. */
  stage(): Staged {
    return this.#parts.staging.createDirectory();
  }

  discard(staged: Staged): void {
    this.#parts.staging.discard(staged);
  }

  /**
   * Makes a directory that is on disk (syncfs) the content of an empty volume: all of it or nothing, but for `isFilling`. What somebody
   * puts in at the same moment stays. Call it under the volume's lock.
   */
  fill(name: string, content: string): void {
    renameDurably(content, this.#arrived(name));
    this.finishFilling(name);
  }

  /** Whether a process died in the middle of `fill`. */
  isFilling(name: string): boolean {
    return existsSync(this.#arrived(name));
  }

  /** Puts in what is complete, and not in its place yet. Call it under the volume's lock. */
  finishFilling(name: string): void {
    const [from, to] = [this.#arrived(name), this.path(name)].map((path) => Buffer.from(`${path}/`));
    if (from === undefined || to === undefined || !existsSync(from)) return;
    const { atime, mtime } = statSync(to);
    for (const entry of readdirSync(from, { encoding: 'buffer' })) {
      const place = Buffer.concat([to, entry]);
      if (lstatSync(place, { throwIfNoEntry: false }) === undefined) renameSync(Buffer.concat([from, entry]), place);
    }
    utimesSync(to, atime, mtime);
    fsyncDirectory(this.path(name));
    this.#parts.staging.discard(this.#parts.staging.trash(this.#arrived(name)));
  }

  /** Beside its files, for they may be mounted in a container already. */
  #arrived(name: string): string {
    return join(this.#parts.paths.volume(name), 'arrived');
  }

  /** Makes a volume; one that is there stays as it is. Throws `invalid` for a malformed name. */
  create(volume: NewVolume): VolumeRecord {
    checkVolumeName(volume.name);
    const { lock, database } = this.#parts;
    lock.exclusively(() => {
      if (this.#rows.get(volume.name) !== undefined) return;
      this.makeDirectory(volume);
      database.transact(() => this.#rows.insert(volume));
    });
    return this.get(volume.name);
  }

  /** Makes the directory of a volume that has no row yet. Call it under the store's lock. */
  makeDirectory({ name, content }: Pick<NewVolume, 'name' | 'content'>): void {
    const { paths, staging } = this.#parts;
    const directory = paths.volume(name);
    // Of a volume that a process was removing when it died.
    if (existsSync(directory)) staging.discard(staging.trash(directory));
    mkdirSync(directory, { mode: 0o711 });
    if (content === undefined) mkdirSync(this.path(name), { mode: 0o755 });
    else renameSync(content, this.path(name));
    fsyncDirectory(directory);
    fsyncDirectory(paths.volumes);
  }

  /** Records which volumes a new container has, and makes those that are not there. Call it in the transaction that inserts the container. */
  attach(container: string, volumes: readonly NewVolume[]): void {
    for (const volume of volumes) {
      if (this.#rows.get(volume.name) === undefined) {
        this.makeDirectory(volume);
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

  /** Removes volumes that no container has: those without a name of the user's, or `all`, that meet the labels. */
  prune({ all = false, labels = [] }: PruneVolumesOptions = {}): PrunedVolumes {
    const removed: string[] = [];
    let space = 0;
    for (const { name, isAnonymous, labels: own } of this.list()) {
      if (!(all || isAnonymous) || !meetsLabels(own, labels) || this.users(name).length > 0) continue;
      const size = treeSize(this.path(name));
      try {
        this.remove(name);
      } catch (error) {
        // Removed meanwhile, or taken by a container.
        if (hasCode(error, 'not-found') || hasCode(error, 'in-use')) continue;
        throw error;
      }
      removed.push(name);
      space += size;
    }
    return { removed, space };
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
