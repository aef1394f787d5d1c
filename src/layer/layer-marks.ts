// Whiteouts and opaque marks of the layer being unpacked. They act on lower layers only, wherever they stand in the
// archive, so they are collected and set when all entries are there.

import { errno, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { entryPath } from '../sys/index.js';
import type { Place } from '../sys/index.js';
import { makeOpaque, makeWhiteout, makeXattrWhiteout, TRUSTED, USER } from '../whiteout/index.js';
import type { LowerView } from './lower-view.js';
import { NotADirectory, parentOf, statPlace } from './target-tree.js';
import type { TargetTree } from './target-tree.js';

export class LayerMarks {
  readonly #gone = new Set<ByteString>();
  readonly #opaque = new Set<ByteString>();

  get isEmpty(): boolean {
    return this.#gone.size === 0 && this.#opaque.size === 0;
  }

  /** The layers below have nothing at `path`. */
  whiteout(path: ByteString): void {
    this.#gone.add(path);
  }

  /** The layers below have nothing in the directory `path`. */
  opaque(path: ByteString): void {
    this.#opaque.add(path);
  }

  /** Sets all marks. Without `lower`, every whiteout is taken to hide something. */
  apply(tree: TargetTree, lower: LowerView | undefined, onFailure: (path: ByteString, error: unknown) => never): void {
    if (this.#opaque.has('') && lower !== undefined) {
      // The root of a stack always merges: what an opaque root hides is hidden by name.
      for (const name of lower.rootNames()) this.#gone.add(name);
    }
    for (const path of [...this.#opaque].filter((each) => each !== '')) {
      try {
        const place = tree.existingPlace(path);
        if (place !== undefined && statPlace(place)?.isDirectory === true) setOpaque(place);
      } catch (error) {
        if (!(error instanceof NotADirectory)) onFailure(path, error);
      }
    }
    for (const path of this.#gone) {
      try {
        this.#hide(tree, lower, path);
      } catch (error) {
        // A later entry has put something else in place of the directory that it was to be in.
        if (!(error instanceof NotADirectory)) onFailure(path, error);
      }
    }
  }

  #hide(tree: TargetTree, lower: LowerView | undefined, path: ByteString): void {
    // The kernel shows a whiteout in a directory that merges with nothing as a file that cannot be looked up.
    if (this.#isHidden(parentOf(path), lower)) return;
    if (lower !== undefined && lower.find(path) === undefined) return;
    const place = tree.place(path);
    const stat = statPlace(place);
    if (stat === undefined) setWhiteout(place);
    else if (stat.isDirectory) setOpaque(place);
  }

  /** Whether this layer's marks leave nothing of the layers below at `path`. */
  #isHidden(path: ByteString, lower: LowerView | undefined): boolean {
    for (let at = path; at !== ''; at = parentOf(at)) {
      if (this.#opaque.has(at) || this.#gone.has(at)) return true;
    }
    // An opaque root hides by name, where the names are known.
    return lower === undefined && this.#opaque.has('');
  }
}

function setOpaque({ dirfd, name }: Place): void {
  const path = entryPath(dirfd, name);
  let status = makeOpaque(path, TRUSTED);
  if (status === -errno.EPERM) status = makeOpaque(path, USER);
  if (status < 0) throw new SysError(-status, 'setxattr', name);
}

function setWhiteout({ dirfd, name }: Place): void {
  let status = makeWhiteout(dirfd, name);
  if (status === -errno.EPERM) status = makeXattrWhiteout(dirfd, name, TRUSTED);
  if (status === -errno.EPERM) status = makeXattrWhiteout(dirfd, name, USER);
  if (status < 0) throw new SysError(-status, 'mknod', name);
}
