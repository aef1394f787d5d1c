// What `diff` lists: what turns one stack of layers into another.

import type { ByteString } from '../core/index.js';
import { openStacks } from '../stack/index.js';
import type { StackPair } from '../stack/index.js';
import { ChangeWalk } from './change-walk.js';
import type { ChangeKind } from './change-walk.js';
import { pathsBelow } from './path-choice.js';

export interface Change {
  /** From the root, without a leading slash. */
  readonly path: ByteString;
  readonly kind: ChangeKind;
}

/** What is compared: layers with those they lie on, or any two stacks. All are layer directories, top first. */
export type LayersToCompare =
  | {
      /** Those whose changes are asked for. */
      readonly upper: readonly string[];
      readonly lower: readonly string[];
    }
  | {
      readonly now: readonly string[];
      /** Costs nothing where its lowest layers are those of `now`. */
      readonly before: readonly string[];
    };

export type DiffLayersOptions = LayersToCompare & {
  /** Only these paths and what is below them, without leading slashes. Everything by default. */
  readonly paths?: readonly ByteString[];
};

export function openLayersToCompare(layers: LayersToCompare): StackPair {
  if ('now' in layers) return openStacks(layers.now, layers.before);
  return openStacks([...layers.upper, ...layers.lower], layers.lower);
}

/**
 * The changes from one stack to the other, in the byte order of their paths, as `docker diff` lists them: every parent
 * of a change is modified; all below an added directory is added; of a deleted directory only itself is listed;
 * a change of type is a modification. The root is not listed. Throws a SysError.
 */
export function* diffLayers(options: DiffLayersOptions): Generator<Change, void> {
  const changes: Change[] = [];
  using stacks = openLayersToCompare(options);
  const { paths } = options;
  const walk = new ChangeWalk(stacks, paths === undefined ? {} : { paths: pathsBelow(paths) });
  for (const { path, kind } of walk.run()) {
    if (path !== '') changes.push({ path, kind });
  }
  // `a-b` stands between the directory `a` and `a/b`: no walk of the tree meets them in this order.
  yield* changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
