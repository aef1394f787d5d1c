// A store: one directory with everything in it, used by any number of processes at once.

import { chmodSync, existsSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VeneerError, hasCode, namingFullDisk } from '../core/index.js';
import { checkStoreDeep } from './check-deep.js';
import type { DeepCheckOptions } from './check-deep.js';
import { checkStore } from './check.js';
import { ContainerRuns } from './container-runs.js';
import { ContainerStore } from './containers.js';
import { ContentStore } from './content.js';
import { Database } from './database.js';
import { dropUnneeded } from './drop.js';
import type { Needless } from './drop.js';
import type { Finding } from './finding.js';
import { FrozenStore } from './frozen.js';
import { ImageStore } from './images.js';
import { LayerStore } from './layers.js';
import { LeaseRegistry } from './leases.js';
import type { Lease } from './leases.js';
import { StoreLock } from './lock.js';
import { MountRegistry } from './mounts.js';
import type { StoreParts } from './parts.js';
import { StorePaths } from './paths.js';
import { pruneStore } from './prune.js';
import type { Pruned } from './prune.js';
import { Remotes } from './remotes.js';
import { repairStore } from './repair.js';
import type { Repaired } from './repair.js';
import { SpaceReserve } from './space-reserve.js';
import { spreadOut } from './spread-out.js';
import { StagingArea } from './staging.js';
import { storeUsage } from './usage.js';
import type { StoreUsage } from './usage.js';
import { VolumeStore } from './volumes.js';

export class Store implements Disposable {
  readonly #parts: StoreParts;

  readonly #reserve: SpaceReserve;

  private constructor(parts: StoreParts, reserve: SpaceReserve) {
    this.#parts = parts;
    this.#reserve = reserve;
  }

  /**
   * Opens the store in a directory, making it where it is not. Throws `permission`, `invalid` for something that is not
   * a directory, `integrity` for a damaged database, `unsupported` for a store of a newer version.
   */
  static open(root: string): Store {
    const paths = new StorePaths(prepareRoot(root));
    const lock = new StoreLock(paths.root);
    try {
      const reserve = new SpaceReserve(paths.reserve);
      const database = lock.exclusively(() => {
        makeDirectories(paths);
        const opened = new Database(paths.database, reserve);
        reserve.fill();
        return opened;
      });
      const parts = assemble(paths, lock, database);
      parts.leases.forgetDead();
      return new Store(parts, reserve);
    } catch (error) {
      lock.close();
      throw namingFullDisk(error, paths.root);
    }
  }

  /** Absolute, without symlinks. */
  get root(): string {
    return this.#parts.paths.root;
  }
  get content(): ContentStore {
    return this.#parts.content;
  }
  get layers(): LayerStore {
    return this.#parts.layers;
  }
  get images(): ImageStore {
    return this.#parts.images;
  }
  get containers(): ContainerStore {
    return this.#parts.containers;
  }
  get frozen(): FrozenStore {
    return this.#parts.frozen;
  }
  /** A lower layer below all others, with the places on which a runtime mounts, so that it need not make them. */
  get mountPoints(): string {
    return this.#parts.paths.mountPoints;
  }
  get runs(): ContainerRuns {
    return this.#parts.runs;
  }
  get mounts(): MountRegistry {
    return this.#parts.mounts;
  }
  get volumes(): VolumeStore {
    return this.#parts.volumes;
  }
  get remotes(): Remotes {
    return this.#parts.remotes;
  }

  /** Keeps what an operation puts in or finds here until it is referred to; release it at the end. */
  lease(): Lease {
    return this.#parts.leases.open();
  }

  /** A file without a name in the store, for what memory is too small for: open for reading and writing, and gone when closed. */
  scratchFile(): number {
    return this.#parts.staging.createNameless();
  }

  /** Everything that is wrong or left over; an empty list is a sound store. */
  check(): Finding[] {
    return checkStore(this.#parts);
  }

  /** As `check`, and reads everything: the digest of each blob, and of each layer's tar made again. */
  checkDeep(options: DeepCheckOptions): Promise<Finding[]> {
    return checkStoreDeep(this.#parts, options);
  }

  /**
   * Repairs what `check` finds, and what of a deep check's findings is given: leftovers go, what was begun is finished, and what
   * cannot be served any more is forgotten and named. Containers are never removed, nor what they need.
   */
  repair(found: readonly Finding[] = []): Repaired {
    return repairStore(this.#parts, found);
  }

  /** What the store takes on disk, and what of it could go. Reads the directories of containers. */
  usage(options: { signal?: AbortSignal } = {}): Promise<StoreUsage> {
    return storeUsage(this.#parts, options);
  }

  /** Removes those of some layers and blobs that nothing needs, for the end of an operation that has put them in. */
  drop(needless: Needless): void {
    dropUnneeded(this.#parts, needless);
  }

  /** Removes leftovers: what nothing refers to and no living process works on. */
  prune(): Pruned {
    return pruneStore(this.#parts);
  }

  close(): void {
    this.#parts.database.close();
    // What a full file system gives back now is for the next one who wants to remove something.
    this.#reserve.fill();
    this.#parts.lock.close();
  }

  /**
   * As `close`, for a process that ends at once, by `process.exit`: the database's log stays for the next one, since folding it in waits
   * for the disk.
   */
  leave(): void {
    if (this.#reserve.isWhole) this.#parts.lock.close();
    else this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function prepareRoot(root: string): string {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    return realpathSync(root);
  } catch (cause) {
    const hint = 'choose another directory with --root or VENEER_ROOT';
    if (hasCode(cause, 'EACCES') || hasCode(cause, 'EROFS') || hasCode(cause, 'EPERM')) {
      throw new VeneerError('permission', `cannot make the store's directory '${root}': permission denied`, {
        cause,
        hint,
      });
    }
    if (hasCode(cause, 'EEXIST') || hasCode(cause, 'ENOTDIR')) {
      throw new VeneerError('invalid', `the store's directory '${root}' is not a directory`, { cause, hint });
    }
    throw cause;
  }
}

function makeDirectories(paths: StorePaths): void {
  for (const path of [paths.blobs, paths.layers, paths.frozen, paths.volumes]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  for (const path of [paths.containers, paths.staging]) {
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) spreadOut(path);
  }
  if (!existsSync(paths.empty)) mkdirSync(paths.empty, { mode: 0o755 });
  makeMountPoints(paths.mountPoints);
  if (statSync(paths.layers).dev !== statSync(paths.staging).dev) {
    throw new VeneerError('invalid', `the store '${paths.root}' spans file systems: its directories must be on one`);
  }
}

/** As those that moby makes beneath a container's own layer (daemon/initlayer). */
function makeMountPoints(root: string): void {
  if (existsSync(join(root, 'etc', 'hosts'))) return;
  for (const name of ['', 'dev', 'proc', 'sys', 'etc']) {
    mkdirSync(join(root, name), { recursive: true });
    chmodSync(join(root, name), 0o755);
  }
  for (const name of ['resolv.conf', 'hostname', 'hosts']) {
    writeFileSync(join(root, 'etc', name), '', { flag: 'a' });
    chmodSync(join(root, 'etc', name), 0o644);
  }
}

function assemble(paths: StorePaths, lock: StoreLock, database: Database): StoreParts {
  const staging = new StagingArea(paths, lock);
  const leases = new LeaseRegistry(database, staging);
  const basic = { paths, lock, database, staging, leases };
  const content = new ContentStore(basic);
  const layers = new LayerStore(basic);
  const mounts = new MountRegistry(database, staging);
  const remotes = new Remotes(database);
  const images = new ImageStore({ ...basic, content, layers, mounts, remotes });
  const frozen = new FrozenStore(basic);
  const volumes = new VolumeStore(basic);
  const containers = new ContainerStore({ ...basic, layers, frozen, volumes });
  const runs = new ContainerRuns(database);
  return { ...basic, content, layers, mounts, remotes, images, containers, frozen, runs, volumes };
}
