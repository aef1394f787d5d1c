// From the paths of libfuse's high-level interface to nodes. Lookups walk from the root, name by name; what they found is
// kept, each with the reference it took, in two generations: what was not asked for while a whole generation filled is let go.
// A directory is kept as long as anything below it is, as the kernel does: a Filesystem may rely on it.
//
// Libfuse hides a removed file that is still open: it renames it to `.fuse_hidden` and two numbers, and removes that when
// it is closed. Here the name is removed at once, and the hidden one leads to the node for as long.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { Attr, Entry, FUSE_ROOT_ID } from '../fuse/index.js';
import type { Filesystem, Outcome } from '../fuse/index.js';
import { S_IFDIR, S_IFMT } from '../sys/index.js';
import { bytesOf } from './text.js';

interface Known {
  readonly nodeid: number;
  readonly isDirectory: boolean;
}

/** The directory a path is in, as a node, and the last name. */
export interface Place {
  readonly parent: number;
  readonly name: ByteString;
}

/** Nodes in a generation. */
const GENERATION = 4096;

/** hidden_name() of libfuse 2: the node's number and a counter. */
const HIDDEN = /\/\.fuse_hidden[0-9a-f]{16}$/;

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const directoryOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));

export class PathNodes {
  readonly #fs: Filesystem;
  readonly #generation: number;
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  /** Nodes without a name, by the hidden one, whose directory may be renamed meanwhile. */
  readonly #hidden = new Map<string, number>();
  /** Paths of open files, by handle: these stay. */
  readonly #pinned = new Map<number, string>();

  constructor(filesystem: Filesystem, generation = GENERATION) {
    this.#fs = filesystem;
    this.#generation = generation;
  }

  #get(path: string): number | undefined {
    if (path === '/') return FUSE_ROOT_ID;
    const young = this.#young.get(path);
    if (young !== undefined) return young.nodeid;
    const old = this.#old.get(path);
    if (old !== undefined) {
      this.#old.delete(path);
      this.#young.set(path, old);
      return old.nodeid;
    }
    return this.#hidden.size === 0 ? undefined : this.#hidden.get(nameOf(path));
  }

  /** The node of a path, which stays until the next `trim`; -errno. */
  find(path: string): Outcome {
    return this.#get(path) ?? this.#lookUp(path, new Entry());
  }

  /** The attributes of a path, or -errno. */
  async attributes(path: string): Promise<Attr | number> {
    const known = this.#get(path);
    if (known !== undefined) {
      const attr = new Attr();
      const status = await this.#fs.getattr(known, undefined, attr);
      if (status >= 0) return attr;
      if (status !== -errno.ENOENT && status !== -errno.ESTALE) return status;
      // Lost to a change below the mount: there may be another by that name.
      this.drop(path);
    }
    const entry = new Entry();
    const status = await this.#lookUp(path, entry);
    return status < 0 ? status : entry.attr;
  }

  async #lookUp(path: string, entry: Entry): Promise<number> {
    const place = await this.place(path);
    if (typeof place === 'number') return place;
    const status = await this.#fs.lookup(place.parent, place.name, entry);
    if (status < 0) return status;
    if (entry.nodeid === 0) return -errno.ENOENT;
    this.adopt(path, entry);
    return entry.nodeid;
  }

  /** Where the last name of a path is, whether it exists or not; EILSEQ for one that cannot be told from others. */
  async place(path: string): Promise<Place | number> {
    const parent = await this.find(directoryOf(path));
    if (parent < 0) return parent;
    const name = bytesOf(nameOf(path));
    return name === undefined ? -errno.EILSEQ : { parent, name };
  }

  /** Takes over the reference of an entry that was looked up or made at a path. */
  adopt(path: string, entry: Entry): void {
    this.drop(path);
    this.#young.set(path, { nodeid: entry.nodeid, isDirectory: (entry.attr.mode & S_IFMT) === S_IFDIR });
  }

  /** The path leads nowhere any more, or elsewhere. */
  drop(path: string): void {
    for (const generation of [this.#young, this.#old]) {
      const known = generation.get(path);
      if (known === undefined) continue;
      generation.delete(path);
      this.#fs.forget(known.nodeid, 1);
    }
  }

  /** After a rename: neither path, nor what lies below them, is what it was. */
  moved(from: string, to: string): void {
    const wasFile = (this.#young.get(from) ?? this.#old.get(from))?.isDirectory === false;
    for (const [fh, path] of this.#pinned) {
      if (path === from || path.startsWith(`${from}/`)) this.#pinned.set(fh, to + path.slice(from.length));
    }
    for (const path of [from, to]) {
      this.drop(path);
      if (!wasFile) this.#dropBelow(`${path}/`);
    }
  }

  #dropBelow(prefix: string): void {
    for (const generation of [this.#young, this.#old]) {
      for (const path of generation.keys()) if (path.startsWith(prefix)) this.drop(path);
    }
  }

  /** Whether a rename is libfuse's way of removing a file that is open. */
  static isHiding(from: string, to: string): boolean {
    return HIDDEN.test(to) && directoryOf(from) === directoryOf(to);
  }

  /** The name was removed; its hidden one leads to the node, until `reveal`. */
  hide(from: string, to: string): void {
    const known = this.#young.get(from) ?? this.#old.get(from);
    if (known === undefined) return;
    this.#young.delete(from);
    this.#old.delete(from);
    this.#hidden.set(nameOf(to), known.nodeid);
  }

  isHidden(path: string): boolean {
    return this.#hidden.size > 0 && this.#hidden.has(nameOf(path));
  }

  /** The node is closed: its hidden names end. */
  reveal(nodeid: number): void {
    for (const [name, hidden] of this.#hidden) {
      if (hidden !== nodeid) continue;
      this.#hidden.delete(name);
      this.#fs.forget(nodeid, 1);
    }
  }

  /** Lets go of what was not asked for lately. No operation may be going on: it may be about one of these. */
  trim(): void {
    if (this.#young.size < this.#generation) return;
    const kept = this.#inUse();
    for (const [path, known] of this.#old) {
      if (kept.has(path)) this.#young.set(path, known);
      else this.#fs.forget(known.nodeid, 1);
    }
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Open files, and the directories above them and above what was asked for lately. */
  #inUse(): Set<string> {
    const kept = new Set(this.#pinned.values());
    for (const path of [...kept, ...this.#young.keys()]) {
      for (let above = directoryOf(path); above !== '/' && !kept.has(above); above = directoryOf(above))
        kept.add(above);
    }
    return kept;
  }

  /** The file at a path is open, by this handle. */
  pin(fh: number, path: string): void {
    this.#pinned.set(fh, path);
  }

  unpin(fh: number): void {
    this.#pinned.delete(fh);
  }
}
