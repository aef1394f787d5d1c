// Compares two merged views, and goes only where they can differ: what lies in the layers that both share is passed over.
// Works on what names mean, not on how layers spell it: whiteouts, opaque directories, redirects and metadata-only
// copies are all resolved before two things are compared.

import { displayBytes, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { Stat } from '../sys/index.js';
import { firstPartOfNames, list, lookup } from '../stack/index.js';
import type { FirstParts, Found, FoundDirectory, FoundOther, Merged, StackPair } from '../stack/index.js';
import { commonParts, sameAttributes, sameButForTime, sameFile, samePlaces } from './compare.js';
import type { Seen } from './compare.js';
import { allPaths } from './path-choice.js';
import type { PathChoice } from './path-choice.js';

export type ChangeKind = 'added' | 'modified' | 'deleted';

/** One change, with what is there now and what was before. Valid until the next change is asked for. */
export type ChangeNode =
  | { readonly path: ByteString; readonly kind: 'deleted'; readonly now?: undefined; readonly before: Seen }
  | { readonly path: ByteString; readonly kind: 'added'; readonly now: Seen; readonly before?: undefined }
  | { readonly path: ByteString; readonly kind: 'modified'; readonly now: Seen; readonly before: Seen };

export interface ChangeWalkOptions {
  /** Lists everything below a directory that is gone or has become something else, too, not only itself. */
  readonly deep?: boolean;
  /** What is asked for; everything by default. */
  readonly paths?: PathChoice;
  /**
   * Nothing but what is asked for, as something to be applied: with it come the new directories it lies in. A directory of
   * which only the time has changed comes only with something in it: its time tells of what was not asked for.
   */
  readonly strict?: boolean;
}

/** A directory of both views; undefined where there is none. */
interface Pair {
  readonly path: ByteString;
  readonly now: Merged | undefined;
  readonly before: Merged | undefined;
}

/** The two sides of a name; undefined where there is nothing. */
interface Sides {
  readonly now: Seen | undefined;
  readonly before: Seen | undefined;
}

interface TouchedNames {
  readonly names: readonly ByteString[];
  readonly present: ReadonlySet<ByteString>;
}

const NOTHING: Merged = [];

function namesOf(names: FirstParts | Set<ByteString> | number, path: ByteString): Iterable<ByteString> {
  if (typeof names === 'number') throw new SysError(-names, 'getdents64', displayBytes(path));
  return names.keys();
}

function find(parts: Merged | undefined, name: ByteString, stat: Stat, path: ByteString): Found | undefined {
  const found = parts === undefined || parts.length === 0 ? undefined : lookup(parts, name, stat);
  if (typeof found === 'number') throw new SysError(-found, 'lookup', displayBytes(path));
  return found;
}

function release(found: Found | undefined): void {
  if (found?.kind === 'directory') for (const part of found.parts) part.close();
}

function partsOf(seen: Seen | undefined): Merged | undefined {
  return seen?.found.kind === 'directory' ? seen.found.parts : undefined;
}

/** The root as something to compare. */
function rootOf(parts: Merged): Seen | undefined {
  const stat = new Stat();
  const status = parts[0]?.stat(stat);
  if (status === undefined) return undefined;
  if (status < 0) throw new SysError(-status, 'statx', '/');
  return { found: { kind: 'directory', parts, protection: 0 }, stat };
}

export class ChangeWalk {
  readonly #stacks: StackPair;
  readonly #deep: boolean;
  readonly #paths: PathChoice;
  readonly #strict: boolean;
  /** Directories on the way down that have not changed themselves: listed when something in them has. */
  #pending: ChangeNode[] = [];
  /** The attributes of both sides, by depth: those of a directory stay as they are while one is below it. */
  readonly #stats: (readonly [now: Stat, before: Stat])[] = [];

  constructor(stacks: StackPair, { deep = false, paths = allPaths, strict = false }: ChangeWalkOptions = {}) {
    this.#stacks = stacks;
    this.#deep = deep;
    this.#paths = paths;
    this.#strict = strict;
  }

  /**
   * All changes from `before` to `now`, each directory before what is in it; in each directory the deleted names first, then
   * the others, both in byte order. With `deep`, what was in a directory that is no directory any more comes before that
   * change. The root comes as '' if its own attributes have changed. Throws a SysError.
   */
  *run(): Generator<ChangeNode, void> {
    const { now: nowParts, before: beforeParts } = this.#stacks;
    if (samePlaces(nowParts, beforeParts)) return;
    const [now, before] = [rootOf(nowParts), rootOf(beforeParts)];
    if (now !== undefined && this.#paths('') === 'inside') {
      if (before === undefined) yield { path: '', kind: 'added', now };
      else if (!this.#sameDirectory(now, before)) yield { path: '', kind: 'modified', now, before };
    }
    yield* this.#directory({ path: '', now: nowParts, before: beforeParts }, 0);
  }

  *#directory(pair: Pair, depth: number): Generator<ChangeNode, void> {
    const others: ByteString[] = [];
    const stats = (this.#stats[depth] ??= [new Stat(), new Stat()]);
    const { names, present } = this.#touchedNames(pair);
    for (const name of names) {
      const path = pair.path === '' ? name : `${pair.path}/${name}`;
      if (this.#paths(path) === 'outside') continue;
      if (present.has(name)) {
        others.push(name);
        continue;
      }
      const found = find(pair.now, name, stats[0], path);
      release(found);
      if (found !== undefined) {
        others.push(name);
        continue;
      }
      const before = find(pair.before, name, stats[1], path);
      if (before !== undefined) yield* this.#deleted(path, { found: before, stat: stats[1] }, depth);
      release(before);
    }
    for (const name of others) {
      const path = pair.path === '' ? name : `${pair.path}/${name}`;
      const found = find(pair.now, name, stats[0], path);
      const before = find(pair.before, name, stats[1], path);
      const sides = {
        now: found && { found, stat: stats[0] },
        before: before && { found: before, stat: stats[1] },
      };
      yield* this.#compare(path, sides, depth);
      release(found);
      release(before);
    }
  }

  /**
   * The names that can differ, in byte order: those spoken of by parts that the other side does not have. Of some it is known
   * that they are there now.
   */
  #touchedNames({ path, now = NOTHING, before = NOTHING }: Pair): TouchedNames {
    const common = commonParts(now, before);
    if (common === 0) {
      const present = new Set(namesOf(list(now), path));
      const names = new Set(present);
      for (const name of namesOf(list(before), path)) names.add(name);
      return { names: [...names].sort(), present };
    }
    const names = new Set<ByteString>();
    for (const parts of [now, before]) {
      for (const name of namesOf(firstPartOfNames(parts.slice(0, parts.length - common)), path)) names.add(name);
    }
    return { names: [...names].sort(), present: new Set() };
  }

  *#deleted(path: ByteString, before: Seen, depth: number): Generator<ChangeNode, void> {
    const parts = this.#deep ? partsOf(before) : undefined;
    if (parts === undefined ? this.#isLeafWanted(path) : this.#isWanted(path)) {
      yield* this.#emit({ path, kind: 'deleted', before });
    }
    if (parts !== undefined) yield* this.#directory({ path, now: undefined, before: parts }, depth + 1);
  }

  #isWanted(path: ByteString): boolean {
    return this.#paths(path) === 'inside';
  }

  /** What below it was asked for is there no more, or not yet, because of this: that is an answer, too. */
  #isLeafWanted(path: ByteString): boolean {
    return !this.#strict || this.#isWanted(path);
  }

  *#compare(path: ByteString, { now, before }: Sides, depth: number): Generator<ChangeNode, void> {
    if (now === undefined) return;
    const parts = partsOf(now);
    const partsBefore = partsOf(before);
    if (before !== undefined && parts !== undefined && partsBefore !== undefined) {
      yield* this.#directories(
        path,
        { now: now as Seen<FoundDirectory>, before: before as Seen<FoundDirectory> },
        depth,
      );
      return;
    }
    if (parts === undefined && before !== undefined && partsBefore === undefined) {
      if (!this.#isLeafWanted(path)) return;
      const same = sameFile(now as Seen<FoundOther>, before as Seen<FoundOther>);
      if (!same) yield* this.#emit({ path, kind: 'modified', now, before });
      return;
    }
    if (this.#deep && partsBefore !== undefined) {
      yield* this.#directory({ path, now: undefined, before: partsBefore }, depth + 1);
    }
    const node: ChangeNode =
      before === undefined ? { path, kind: 'added', now } : { path, kind: 'modified', now, before };
    if (parts === undefined) {
      if (this.#isLeafWanted(path)) yield* this.#emit(node);
      return;
    }
    if (this.#isWanted(path)) yield* this.#emit(node);
    else if (this.#strict) this.#pending.push(node);
    yield* this.#directory({ path, now: parts, before: undefined }, depth + 1);
    this.#drop(node);
  }

  *#directories(
    path: ByteString,
    { now, before }: { now: Seen<FoundDirectory>; before: Seen<FoundDirectory> },
    depth: number,
  ): Generator<ChangeNode, void> {
    if (samePlaces(now.found.parts, before.found.parts)) return;
    const pair = { path, now: now.found.parts, before: before.found.parts };
    if (!this.#isWanted(path)) {
      yield* this.#directory(pair, depth + 1);
      return;
    }
    const node: ChangeNode = { path, kind: 'modified', now, before };
    if (this.#sameDirectory(now, before)) this.#pending.push(node);
    else yield* this.#emit(node);
    yield* this.#directory(pair, depth + 1);
    this.#drop(node);
  }

  #sameDirectory(now: Seen, before: Seen): boolean {
    return this.#strict ? sameButForTime(now, before) : sameAttributes(now, before);
  }

  /** Nothing in the directory was listed. */
  #drop(node: ChangeNode): void {
    if (this.#pending.at(-1) === node) this.#pending.pop();
  }

  *#emit(node: ChangeNode): Generator<ChangeNode, void> {
    const parents = this.#pending;
    this.#pending = [];
    yield* parents;
    yield node;
  }
}
