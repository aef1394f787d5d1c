// Unpacks the entries of one changeset into an overlay layer directory: OCI image-spec, layer.md, "Applying Changesets".

import { displayBytes, errno, SysError, VeneerError } from '../core/index.js';
import type { ByteString, ErrorKind } from '../core/index.js';
import { close, copyData, entryPath, fchmodat, linkat, listxattr, must, removexattr, utimensat } from '../sys/index.js';
import type { Place, Timestamp } from '../sys/index.js';
import { parseOciName, WHITEOUT_PREFIX } from '../whiteout/index.js';
import {
  createFile,
  createNode,
  defaultAclOf,
  ownsNewIn,
  readUmask,
  setAttributes,
  setDefaultAcl,
  timesOf,
} from './create-entry.js';
import type { Fill } from './create-entry.js';
import { entryComponents, isAufsMetadata } from './entry-path.js';
import { openContent } from './found-entry.js';
import { LayerMarks } from './layer-marks.js';
import { limitError } from './limits.js';
import type { LayerLimits } from './limits.js';
import type { LowerLayers, LowerView } from './lower-view.js';
import { displayEntry, entryError } from './tar-entry.js';
import type { TarEntry } from './tar-entry.js';
import { isRoot, NotADirectory, parentOf, statPlace } from './target-tree.js';
import type { Keep, TargetTree } from './target-tree.js';

/** What a directory gets when nothing more is put into it. */
interface Finish {
  readonly mode: number;
  readonly times: { readonly atime: Timestamp; readonly mtime: Timestamp };
  readonly defaultAcl: Buffer | undefined;
}

/** An owner who is not root needs these to put files into a directory. */
const OWNER_MODE = 0o700;

export interface UnpackerOptions {
  readonly tree: TargetTree;
  readonly limits: LayerLimits;
  readonly lower: LowerLayers;
  /** See `TargetTree.remove`. */
  readonly keep?: Keep | undefined;
}

/** Fills the empty file that has the path and is open for writing. */
export type FillPath = (fd: number, path: ByteString) => Promise<void> | undefined;

export class Unpacker {
  readonly #tree: TargetTree;
  readonly #limits: LayerLimits;
  readonly #lower: LowerLayers;
  readonly #keep: Keep | undefined;
  readonly #marks = new LayerMarks();
  readonly #directories = new Map<ByteString, Finish>();
  readonly #umask = readUmask();
  /** Directories whose group, or whose own rule, new entries get. */
  readonly #passesGroupOn = new Set<ByteString>();

  constructor({ tree, limits, lower, keep }: UnpackerOptions) {
    this.#tree = tree;
    this.#limits = limits;
    this.#lower = lower;
    this.#keep = keep;
  }

  /**
   * Takes one entry; `fill` is called for a file's content. There may be nothing to wait for. Throws a VeneerError that names
   * the entry.
   */
  unpack(entry: TarEntry, fill: FillPath): Promise<void> | undefined {
    if (isAufsMetadata(entry.path)) return undefined;
    try {
      const taking = this.#take(entry, fill);
      return taking?.catch((error: unknown) => {
        throw named(entry.path, error);
      });
    } catch (error) {
      throw named(entry.path, error);
    }
  }

  #take(entry: TarEntry, fill: FillPath): Promise<void> | undefined {
    // One long path makes hundreds of directories.
    if (this.#tree.implicitMade > this.#limits.maxEntries) {
      throw limitError(`there are more than ${String(this.#limits.maxEntries)} directories without entries`, {
        entry: entry.path,
        limit: 'maxEntries',
      });
    }
    if (entry.type === 'char' && entry.devMajor === 0 && entry.devMinor === 0) {
      throw entryError('unsupported', entry.path, 'it is a character device 0/0, which on disk means that it is gone');
    }
    const components = entryComponents(entry.path, entry.path, this.#limits);
    const path = components.join('/');
    const name = components.at(-1);
    if (name === undefined) {
      this.#root(entry);
      return undefined;
    }
    const meaning = parseOciName(name);
    if (meaning.kind === 'plain') return this.#put(path, entry, (fd) => fill(fd, path));
    const parent = components.slice(0, -1);
    if (!this.#isDirectory(parent.join('/'))) return undefined;
    if (meaning.kind === 'opaque') this.#marks.opaque(parent.join('/'));
    else this.#marks.whiteout([...parent, meaning.target].join('/'));
    return undefined;
  }

  /**
   * Whether a path is a directory, or can be made one. Where this layer has a file in its place, a mark says nothing: what is below is
   * hidden already. umoci writes such whiteouts for what was in a directory that a file has replaced. Through a symlink none may go.
   */
  #isDirectory(path: ByteString): boolean {
    try {
      this.#tree.directory(path, { create: true });
      return true;
    } catch (error) {
      if (!(error instanceof NotADirectory) || this.#isSymlink(error.path)) throw error;
      return false;
    }
  }

  #isSymlink(path: ByteString): boolean {
    return statPlace(this.#tree.place(path))?.isSymlink === true;
  }

  #root(entry: TarEntry): void {
    if (entry.type !== 'directory')
      throw entryError('integrity', entry.path, 'the root of a layer must be a directory');
    this.#describeDirectory('', entry);
  }

  #put(path: ByteString, entry: TarEntry, fill: Fill): Promise<void> | undefined {
    if (entry.type === 'hardlink') return this.#link(path, entry);
    if (entry.type !== 'directory') return this.#make(path, entry, fill);
    this.#makeDirectory(path, entry);
    return undefined;
  }

  #makeDirectory(path: ByteString, entry: TarEntry): void {
    if (createNode(this.#tree.place(path), usable(entry)) === -errno.EEXIST) {
      if (statPlace(this.#tree.place(path))?.isDirectory === true) {
        this.#describeDirectory(path, entry);
        return;
      }
      this.#tree.remove(path, this.#keep);
      must(createNode(this.#tree.place(path), usable(entry)), 'mkdir');
    }
    this.#finishLater(path, entry);
  }

  /** Replaces what has the path. */
  #make(path: ByteString, entry: TarEntry, fill: Fill): Promise<void> | undefined {
    let status = this.#create(path, entry, fill);
    if (status === -errno.EEXIST) {
      this.#tree.remove(path, this.#keep);
      status = this.#create(path, entry, fill);
    }
    if (typeof status !== 'number') return status.then(() => undefined);
    must(status, 'open');
    return undefined;
  }

  #create(path: ByteString, entry: TarEntry, fill: Fill): number | Promise<0> {
    const place = this.#tree.place(path);
    if (entry.type !== 'file') return createNode(place, entry);
    const ownsNew = isRoot && !this.#passesGroupOn.has(parentOf(path));
    return createFile(place, entry, { fill, umask: this.#umask, ownsNew });
  }

  /** Replaces the attributes of a directory that is there. */
  #describeDirectory(path: ByteString, entry: TarEntry): void {
    const place = this.#tree.place(path);
    const file = entryPath(place.dirfd, place.name);
    const old = listxattr(file);
    for (const name of typeof old === 'number' ? [] : old)
      must(removexattr(file, name), 'removexattr', displayBytes(name));
    setAttributes(place, usable(entry));
    this.#finishLater(path, entry);
  }

  #finishLater(path: ByteString, entry: TarEntry): void {
    this.#tree.implicit.delete(path);
    if (ownsNewIn(entry)) this.#passesGroupOn.delete(path);
    else this.#passesGroupOn.add(path);
    this.#directories.set(path, { mode: entry.mode, times: timesOf(entry), defaultAcl: defaultAclOf(entry) });
  }

  #link(path: ByteString, entry: TarEntry): Promise<void> | undefined {
    const components = entryComponents(entry.linkTarget, entry.path, this.#limits);
    const target = components.join('/');
    const shown = displayBytes(target);
    if (components.at(-1)?.startsWith(WHITEOUT_PREFIX) === true) {
      throw entryError('integrity', entry.path, `it is a hard link to the whiteout '${shown}'`);
    }
    if (target === path) throw entryError('integrity', entry.path, 'it is a hard link to itself');
    if (target.startsWith(`${path}/`)) {
      throw entryError('integrity', entry.path, `it is a hard link to '${shown}', which is below it`);
    }
    const from = this.#tree.existingPlace(target);
    const found = from === undefined ? undefined : statPlace(from);
    if (from === undefined || found === undefined) return this.#copyFromBelow(path, entry, target);
    if (found.isDirectory) throw entryError('integrity', entry.path, `it is a hard link to the directory '${shown}'`);
    let status = linkat(from, this.#tree.place(path));
    if (status === -errno.EEXIST) {
      this.#tree.remove(path, this.#keep);
      status = linkat(from, this.#tree.place(path));
    }
    must(status, 'link', shown);
    return undefined;
  }

  /** A link to a file that only the layers below have: this layer gets a copy, as a copy-up would. */
  async #copyFromBelow(path: ByteString, entry: TarEntry, target: ByteString): Promise<void> {
    const lower = await this.#lower.view();
    const below = lower?.describe(target);
    if (below?.found.kind !== 'other') {
      const where = lower === undefined ? 'in this layer' : 'in this layer or below';
      throw entryError(
        'integrity',
        entry.path,
        `it is a hard link to '${displayBytes(target)}', and no such file is ${where}`,
      );
    }
    const { found, entry: source } = below;
    await this.#make(path, source, (to) => {
      const from = openContent(found);
      try {
        must(copyData(from, to, source.size), 'copy_file_range');
      } finally {
        close(from);
      }
      return undefined;
    });
  }

  /** Sets the marks, then what each directory gets last. Throws a VeneerError that names the path. */
  async finish(): Promise<void> {
    const speaksOfLower = !this.#marks.isEmpty || this.#tree.implicit.size > 0;
    const lower = speaksOfLower ? await this.#lower.view() : undefined;
    this.#marks.apply(this.#tree, lower, (path, error) => {
      throw named(path, error);
    });
    this.#likeBelow(lower);
    for (const [path, finish] of this.#directories) {
      try {
        this.#finishDirectory(path, finish);
      } catch (error) {
        throw named(path, error);
      }
    }
  }

  #finishDirectory(path: ByteString, { mode, times, defaultAcl }: Finish): void {
    let place: Place | undefined;
    try {
      place = this.#tree.existingPlace(path);
    } catch (error) {
      if (!(error instanceof NotADirectory)) throw error;
    }
    // A later entry may have put something else into its place, or into that of its parent.
    if (place === undefined || statPlace(place)?.isDirectory !== true) return;
    if (defaultAcl !== undefined) setDefaultAcl(place, defaultAcl);
    if ((mode & OWNER_MODE) !== OWNER_MODE) must(fchmodat(place.dirfd, place.name, mode), 'chmod');
    must(utimensat(place.dirfd, place.name, times), 'utimensat');
  }

  /** A directory that only leads to an entry must not change what the layers below say of it. */
  #likeBelow(lower: LowerView | undefined): void {
    for (const path of [...this.#tree.implicit]) {
      const below = lower?.describe(path)?.entry;
      if (below?.type !== 'directory') continue;
      setAttributes(this.#tree.place(path), usable(below));
      this.#finishLater(path, below);
    }
  }
}

function usable(directory: TarEntry): TarEntry {
  return { ...directory, mode: directory.mode | OWNER_MODE };
}

const KINDS: Readonly<Record<string, ErrorKind>> = {
  EPERM: 'permission',
  EACCES: 'permission',
  EOPNOTSUPP: 'unsupported',
  // What the kernel says of links without a target, and of names and attributes that are too long.
  ENOENT: 'integrity',
  EINVAL: 'integrity',
  ENAMETOOLONG: 'integrity',
  E2BIG: 'integrity',
  ERANGE: 'integrity',
  EMLINK: 'limit',
};

/** Gives a failure the name of the entry it is about. */
function named(path: ByteString, error: unknown): unknown {
  if (error instanceof NotADirectory) {
    return entryError('integrity', path, `'${displayBytes(error.path)}' is not a directory in this layer`, error);
  }
  if (error instanceof SysError && error.syscall === 'chown' && error.code === 'EINVAL') {
    return new VeneerError('permission', `tar entry ${displayEntry(path)}: ${error.message}`, {
      cause: error,
      hint: 'only so many ids are to be had in this user namespace: a user gets more by /etc/subuid and /etc/subgid',
    });
  }
  if (error instanceof SysError) return entryError(KINDS[error.code] ?? 'unavailable', path, error.message, error);
  // A whiteout of nothing.
  if (error instanceof VeneerError && error.code === 'invalid')
    return entryError('integrity', path, error.message, error);
  return error;
}
