// The changes between two stacks with what was there and what is there now: sizes, modes, owners.

import type { ByteString } from '../core/index.js';
import { ChangeWalk } from './change-walk.js';
import type { ChangeKind, ChangeNode, ChangeWalkOptions } from './change-walk.js';
import { sameButForTime } from './compare.js';
import { openLayersToCompare } from './diff-layers.js';
import type { DiffLayersOptions, LayersToCompare } from './diff-layers.js';
import { factsOf } from './file-facts.js';
import type { FileFacts } from './file-facts.js';
import { pathsBelow } from './path-choice.js';
import type { PathChoice } from './path-choice.js';

export interface DetailedChange {
  /** From the root, without a leading slash. */
  readonly path: ByteString;
  readonly kind: ChangeKind;
  /** Undefined for what was added. */
  readonly before: FileFacts | undefined;
  /** Undefined for what was deleted. */
  readonly now: FileFacts | undefined;
  /** True for a directory that is a change for what is in it, or for its time, alone. */
  readonly isParent: boolean;
}

function isParent({ now, before }: ChangeNode): boolean {
  if (now?.found.kind !== 'directory' || before?.found.kind !== 'directory') return false;
  return sameButForTime(now, before);
}

/**
 * The changes from one stack to the other, in the byte order of their paths. Unlike with `diffLayers`, everything below a
 * deleted directory is listed, too. The root is not. Throws a SysError.
 */
export function* compareLayers(options: DiffLayersOptions): Generator<DetailedChange, void> {
  const { paths } = options;
  const changes: DetailedChange[] = [];
  for (const change of walkOf(options, { deep: true, ...(paths === undefined ? {} : { paths: pathsBelow(paths) }) })) {
    if (change.path !== '') changes.push(change);
  }
  yield* changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * What `writeLayer` would write of the same stacks and paths, a change for each entry, in the byte order of the paths. Where
 * the root itself is one, it comes as ''. Throws a SysError.
 */
export function listLayerEntries(options: LayersToCompare & { readonly paths?: PathChoice }): DetailedChange[] {
  const { paths } = options;
  const changes = [...walkOf(options, paths === undefined ? {} : { paths, strict: true })];
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function* walkOf(layers: LayersToCompare, options: ChangeWalkOptions): Generator<DetailedChange, void> {
  using stacks = openLayersToCompare(layers);
  for (const change of new ChangeWalk(stacks, options).run()) {
    const { path, kind, now, before } = change;
    const facts = { before: before && factsOf(before), now: now && factsOf(now) };
    yield { path, kind, ...facts, isParent: isParent(change) };
  }
}
