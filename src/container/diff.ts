// `diff`: what a container has changed against its image, and the difference of any two trees.

import { VeneerError, toByteString } from '../core/index.js';
import { compareLayers, diffLayers, patchLayers } from '../layer/index.js';
import type { Change, DetailedChange, DiffLayersOptions, PatchLine } from '../layer/index.js';
import type { Store } from '../store/index.js';
import { openTrees } from './open-trees.js';
import type { OpenTrees } from './open-trees.js';
import { findTree } from './tree-name.js';

/**
 * The changes, sorted by path, against the image the container was made from, also after commits. A mounted container may
 * go on changing meanwhile. Throws `not-found`.
 */
export async function* diffContainer(store: Store, reference: string): AsyncGenerator<Change> {
  using open = await openTrees(store, [{ kind: 'container', record: store.containers.resolve(reference) }]);
  yield* diffLayers(sidesOf(open, reference));
}

export interface DiffTreesOptions {
  /**
   * Each a container or an image by its name or ID, IMAGE@LAYER (a number from 1, the bottom, or an ID), a layer with what it lies
   * on by its ChainID or DiffID, or a directory's path.
   */
  readonly from: string;
  /** Without it, what `from` itself has changed: a container against its image, an image or a layer by its top layer. */
  readonly to?: string | undefined;
  /** Only these paths in the trees, and what is below them. */
  readonly paths?: readonly string[] | undefined;
}

/** The changes that turn one tree into another, sorted by path. Throws `not-found`, and `invalid` for what is ambiguous. */
export async function* diffTrees(store: Store, options: DiffTreesOptions): AsyncGenerator<Change> {
  using open = await openSides(store, options);
  yield* diffLayers(compared(open, options));
}

/** As `diffTrees`, with sizes, modes and owners, and with everything below a deleted directory. */
export async function* compareTrees(store: Store, options: DiffTreesOptions): AsyncGenerator<DetailedChange> {
  using open = await openSides(store, options);
  yield* compareLayers(compared(open, options));
}

/** As `diffTrees`, as a patch: the lines of one change at a time. */
export async function* patchTrees(
  store: Store,
  options: DiffTreesOptions & { readonly maxFileSize?: number | undefined },
): AsyncGenerator<readonly PatchLine[]> {
  using open = await openSides(store, options);
  const { maxFileSize } = options;
  yield* patchLayers({ ...compared(open, options), ...(maxFileSize === undefined ? {} : { maxFileSize }) });
}

async function openSides(store: Store, { from, to }: DiffTreesOptions): Promise<OpenTrees> {
  return openTrees(
    store,
    [from, to].flatMap((text) => (text === undefined ? [] : [findTree(store, text)])),
  );
}

function compared(open: OpenTrees, { from, paths }: DiffTreesOptions): DiffLayersOptions {
  return { ...sidesOf(open, from), ...(paths === undefined ? {} : { paths: paths.map(innerPath) }) };
}

/** A path in a tree as the layers have it. */
function innerPath(path: string): string {
  return toByteString(path)
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}

function sidesOf({ trees }: OpenTrees, from: string): DiffLayersOptions {
  const [first, second] = trees;
  if (first === undefined) throw new RangeError('nothing to compare');
  if (second !== undefined) return { now: second.directories, before: first.directories };
  if (first.kind === 'directory') {
    throw new VeneerError('usage', `diff ${from}: a directory alone has no changes`, {
      hint: `name what to compare it with: veneer diff IMAGE ${from}`,
    });
  }
  return { now: first.directories, before: first.base };
}
