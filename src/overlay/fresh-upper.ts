// The upper directory that takes the place of one that is frozen, while it is made: in the work directory, with those directories
// that something has to be in from the beginning.

import type { ByteString } from '../core/index.js';
import { errno } from '../core/index.js';
import { LayerDir, RealDir } from '../stack/index.js';
import { Stat, entryPath, fdPath, renameat2, setxattr } from '../sys/index.js';
import { statNode } from './attr.js';
import { keepProtection, setOrigin, stageDirectory } from './copy-up-directory.js';
import { keepingTimes } from './keeping-times.js';
import type { DirNode } from './node.js';
import type { Overlay } from './overlay.js';
import { removeTree } from './work-dir.js';
import type { WorkDir } from './work-dir.js';

export class FreshUpper {
  readonly layer: LayerDir;
  readonly root: RealDir;
  readonly #o: Overlay;
  readonly #work: WorkDir;
  /** Its name in the work directory. */
  readonly name: ByteString;
  readonly #directories = new Map<DirNode, RealDir>();

  private constructor(o: Overlay, work: WorkDir, name: ByteString) {
    this.#o = o;
    this.#work = work;
    this.name = name;
    this.layer = new LayerDir(`${fdPath(work.fd)}/${name}`, 0);
    this.root = new RealDir(this.layer);
    this.#directories.set(o.nodes.root, this.root);
  }

  /** An empty one that looks as the present one, or -errno. */
  static make(o: Overlay): FreshUpper | number {
    const { work, nodes } = o;
    if (work === undefined) return -errno.EROFS;
    const name = stageCopy(o, work, nodes.root, { isRoot: true });
    return typeof name === 'number' ? name : new FreshUpper(o, work, name);
  }

  /** Its part of a directory that the present upper has, or -errno. */
  directory(node: DirNode): RealDir | number {
    const known = this.#directories.get(node);
    if (known !== undefined) return known;
    if (node.at === undefined) return -errno.ENOENT;
    const parent = this.directory(node.at.parent);
    if (typeof parent === 'number') return parent;
    const temporary = stageCopy(this.#o, this.#work, node, { isRoot: false });
    if (typeof temporary === 'number') return temporary;
    const status = this.place(parent, temporary, node.at.name);
    if (status < 0) {
      removeTree(this.#work.fd, temporary);
      return status;
    }
    const made = parent.child(node.at.name);
    this.#directories.set(node, made);
    return made;
  }

  /** Moves something from the work directory into a directory of it. Returns 0 or -errno. */
  place(dir: RealDir, temporary: ByteString, name: ByteString): number {
    return keepingTimes(dir, () => {
      setxattr(entryPath(dir.fd(), '.'), `${this.#o.namespace}impure`, Buffer.from('y'));
      return renameat2({ dirfd: this.#work.fd, name: temporary }, { dirfd: dir.fd(), name });
    });
  }

  /** The directories it has. */
  get directories(): ReadonlyMap<DirNode, RealDir> {
    return this.#directories;
  }

  discard(): void {
    for (const dir of this.#directories.values()) dir.close();
    this.layer.close();
    removeTree(this.#work.fd, this.name);
  }
}

/** Makes an empty copy of an upper directory in the work directory: its name there, or -errno. */
function stageCopy(o: Overlay, work: WorkDir, node: DirNode, { isRoot }: { isRoot: boolean }): ByteString | number {
  const from = node.upper;
  if (from === undefined) return -errno.ESTALE;
  const stat = new Stat();
  const known = statNode(o, node, stat);
  if (known < 0) return known;
  const name = work.newName();
  const target = entryPath(work.fd, name);
  let status = stageDirectory(o, { work, from, temporary: name }, stat);
  if (status >= 0 && !isRoot) status = setOrigin(o, { dir: from, name: '' }, target);
  if (status >= 0) status = keepProtection(o, node, target);
  if (status >= 0) return name;
  removeTree(work.fd, name);
  return status;
}
