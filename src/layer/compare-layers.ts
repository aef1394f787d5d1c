// The changes between two stacks with what was there and what is there now: sizes, modes, owners.

import type { ByteString } from '../core/index.js';
import { ChangeWalk } from './change-walk.js';
import type { ChangeKind, ChangeNode } from './change-walk.js';
import { sameXattrs } from './compare.js';
import { openLayersToCompare } from './diff-layers.js';
import type { DiffLayersOptions } from './diff-layers.js';
import { factsOf } from './file-facts.js';
import type { FileFacts } from './file-facts.js';
import { pathsBelow } from './path-choice.js';

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
  const [a, b] = [now.stat, before.stat];
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && sameXattrs(now.found, before.found);
}

/**
 * The changes from one stack to the other, in the byte order of their paths. Unlike with `diffLayers`, everything below a
 * deleted directory is listed, too. The root is not. Throws a SysError.
 */
export function* compareLayers(options: DiffLayersOptions): Generator<DetailedChange, void> {
  const changes: DetailedChange[] = [];
  using stacks = openLayersToCompare(options);
  const { paths } = options;
  const walk = new ChangeWalk(stacks, { deep: true, ...(paths === undefined ? {} : { paths: pathsBelow(paths) }) });
  for (const change of walk.run()) {
    const { path, kind, now, before } = change;
    if (path === '') continue;
    const facts = { before: before && factsOf(before), now: now && factsOf(now) };
    changes.push({ path, kind, ...facts, isParent: isParent(change) });
  }
  yield* changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
