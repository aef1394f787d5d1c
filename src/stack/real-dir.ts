// One directory in one layer. It is known by its parent and name and opened when needed; a bounded
// number stay open, so that a million directories do not need a million fds.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, close, fstatx, openat, statx } from '../sys/index.js';
import type { Stat } from '../sys/index.js';
import type { LayerDir } from './layer-dir.js';

/** How many directories of a process stay open at most. */
const MAX_OPEN = 2048;

const open = new Set<RealDir>();
let clock = 0;

/** Closes the less recently used half. */
function evict(): void {
  const byAge = [...open].sort((a, b) => a.lastUse - b.lastUse);
  for (const dir of byAge.slice(0, MAX_OPEN / 2)) dir.close();
}

export class RealDir {
  readonly layer: LayerDir;
  #parent: RealDir | undefined;
  #name: ByteString;
  #fd = -1;
  /** For eviction only. */
  lastUse = 0;
  /** Whether it holds whiteouts in the attribute form, where that is known for good. */
  xattrWhiteouts: boolean | undefined;
  /** Set when the directory was removed: its name may belong to another one now. */
  #removed = false;

  constructor(layer: LayerDir, parent?: RealDir, name: ByteString = '') {
    this.layer = layer;
    this.#parent = parent;
    this.#name = name;
  }

  /** The directory `name` below this one. */
  child(name: ByteString): RealDir {
    return new RealDir(this.layer, this, name);
  }

  /** The path below the layer's root, without a leading slash; '' is the root. */
  get path(): ByteString {
    if (this.#parent === undefined) return '';
    const above = this.#parent.path;
    return above === '' ? this.#name : `${above}/${this.#name}`;
  }

  /**
   * An fd of the directory, which stays this object's own and is valid until the next call of any RealDir,
   * at least MAX_OPEN / 2 calls long; or -errno.
   */
  fd(): number {
    clock += 1;
    this.lastUse = clock;
    if (this.#fd >= 0) return this.#fd;
    return this.#open();
  }

  #open(): number {
    if (this.#parent === undefined) return this.layer.fd;
    if (this.#removed) return -errno.ENOENT;
    const above = this.#parent.fd();
    if (above < 0) return above;
    let fd = openat(above, this.#name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    // Without the right to list it, the names in it may still be reached.
    if (fd === -errno.EACCES) fd = openat(above, this.#name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0) return fd;
    this.#fd = fd;
    open.add(this);
    if (open.size > MAX_OPEN) evict();
    return fd;
  }

  /** statx of the directory itself; does not keep it open for that. */
  stat(into: Stat): number {
    if (this.#fd >= 0) return fstatx(this.#fd, into);
    if (this.#parent === undefined) return fstatx(this.layer.fd, into);
    if (this.#removed) return -errno.ENOENT;
    const above = this.#parent.fd();
    return above < 0 ? above : statx(above, this.#name, into);
  }

  /** After a rename in the layer: the directory is now `name` below `parent`. */
  moved(parent: RealDir, name: ByteString): void {
    this.#parent = parent;
    this.#name = name;
  }

  /** After a removal: an fd that is open still serves, but the name is never opened again. */
  removed(): void {
    this.#removed = true;
  }

  get isRemoved(): boolean {
    return this.#removed;
  }

  /** Gives the fd back; the next use opens again. */
  close(): void {
    if (this.#fd < 0) return;
    close(this.#fd);
    this.#fd = -1;
    open.delete(this);
  }
}

/** Gives back all fds of directories in a layer that is closed. */
export function closeDirectories(layer: LayerDir): void {
  for (const dir of open) if (dir.layer === layer) dir.close();
}

/** Has the directories of a layer opened again, from its root as it is now; those that were removed stay with who has them. */
export function reopenDirectories(layer: LayerDir): void {
  for (const dir of open) if (dir.layer === layer && !dir.isRemoved) dir.close();
}
