// What `diff` lists: the changes of some layers against those they lie on.

import type { ByteString } from '../core/index.js';
import { openStack } from '../stack/index.js';
import { ChangeWalk } from './change-walk.js';
import type { ChangeKind } from './change-walk.js';

export interface Change {
  /** From the root, without a leading slash. */
  readonly path: ByteString;
  readonly kind: ChangeKind;
}

export interface DiffLayersOptions {
  /** Layer directories, top first: those whose changes are asked for. */
  readonly upper: readonly string[];
  /** The layer directories they lie on, top first. */
  readonly lower: readonly string[];
}

/**
 * The changes of the merged view of all layers against that of the lower ones, in the byte order of their paths, as
 * `docker diff` lists them: every parent of a change is modified; all below an added directory is added; of a deleted
 * directory only itself is listed; a change of type is a modification. The root is not listed. Throws a SysError.
 */
export function* diffLayers({ upper, lower }: DiffLayersOptions): Generator<Change, void> {
  const changes: Change[] = [];
  const stack = openStack([...upper, ...lower]);
  try {
    for (const { path, kind } of new ChangeWalk(upper.length).run(stack.root)) {
      if (path !== '') changes.push({ path, kind });
    }
  } finally {
    stack.close();
  }
  // `a-b` stands between the directory `a` and `a/b`: no walk of the tree meets them in this order.
  yield* changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
