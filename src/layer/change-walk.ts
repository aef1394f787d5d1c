// Compares the merged view of [upper..., lower...] with that of [lower...], and goes only where an upper layer has
// something to say. Works on what names mean, not on how layers spell it: whiteouts, opaque directories, redirects and
// metadata-only copies are all resolved before two things are compared.

import { displayBytes, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { Stat } from '../sys/index.js';
import { firstPartOfNames, list, lookup } from '../stack/index.js';
import type { FirstParts, Found, FoundDirectory, Merged } from '../stack/index.js';
import { sameAttributes, sameFile, samePlaces } from './compare.js';

export type ChangeKind = 'added' | 'modified' | 'deleted';

/** One change, with what is there now. `stat` is valid until the next change is asked for. */
export type ChangeNode =
  | { readonly path: ByteString; readonly kind: 'deleted' }
  | { readonly path: ByteString; readonly kind: 'added' | 'modified'; readonly found: Found; readonly stat: Stat };

/** A directory of both views; `before` is undefined where there was none. */
interface Pair {
  readonly path: ByteString;
  readonly now: Merged;
  readonly before: Merged | undefined;
}

interface ChangedName {
  readonly name: ByteString;
  readonly found: Found;
  readonly before: Found | undefined;
}

function find(parts: Merged | undefined, name: ByteString, stat: Stat, path: ByteString): Found | undefined {
  const found = parts === undefined || parts.length === 0 ? undefined : lookup(parts, name, stat);
  if (typeof found === 'number') throw new SysError(-found, 'lookup', displayBytes(path));
  return found;
}

function namesOf(names: FirstParts | Set<ByteString> | number, path: ByteString): Iterable<ByteString> {
  if (typeof names === 'number') throw new SysError(-names, 'getdents64', displayBytes(path));
  return names.keys();
}

function release(found: Found | undefined): void {
  if (found?.kind === 'directory') for (const part of found.parts) part.close();
}

export class ChangeWalk {
  readonly #upperCount: number;
  /** Directories on the way down that have not changed themselves: listed when something in them has. */
  #pending: ChangeNode[] = [];
  readonly #now = new Stat();
  readonly #before = new Stat();

  /** `upperCount`: how many layers of the stack are the upper ones. */
  constructor(upperCount: number) {
    this.#upperCount = upperCount;
  }

  /**
   * All changes, each directory before what is in it; in each directory the deleted names first, then the others, both
   * in byte order. The root comes as '' if its own attributes have changed. Throws a SysError.
   */
  *run(root: Merged): Generator<ChangeNode, void> {
    const before = root.slice(this.#upperCount);
    if (root.length === before.length) return;
    const [now, then] = [new Stat(), new Stat()];
    const found: Found = { kind: 'directory', parts: root, protection: 0 };
    root[0]?.stat(now);
    const base: Found = { kind: 'directory', parts: before, protection: 0 };
    if (before[0]?.stat(then) === undefined || !sameAttributes({ found, stat: now }, { found: base, stat: then })) {
      yield { path: '', kind: 'modified', found, stat: now };
    }
    yield* this.#directory({ path: '', now: root, before });
  }

  *#directory(pair: Pair): Generator<ChangeNode, void> {
    const names = this.#touchedNames(pair);
    const others: ByteString[] = [];
    for (const name of names) {
      const path = pair.path === '' ? name : `${pair.path}/${name}`;
      const found = find(pair.now, name, this.#now, path);
      release(found);
      if (found !== undefined) {
        others.push(name);
        continue;
      }
      const before = find(pair.before, name, this.#before, path);
      release(before);
      if (before !== undefined) yield* this.#emit({ path, kind: 'deleted' });
    }
    for (const name of others) {
      const path = pair.path === '' ? name : `${pair.path}/${name}`;
      const found = find(pair.now, name, this.#now, path);
      const before = find(pair.before, name, this.#before, path);
      if (found !== undefined) yield* this.#compare(path, { name, found, before });
      release(found);
      release(before);
    }
  }

  /** The names that can differ, in byte order: those the upper layers speak of, or all where the layers below differ. */
  #touchedNames({ path, now, before }: Pair): ByteString[] {
    const upper = now.filter((part) => part.layer.index < this.#upperCount);
    if (before !== undefined && samePlaces(now.slice(upper.length), before)) {
      return [...namesOf(firstPartOfNames(upper), path)].sort();
    }
    const names = new Set(namesOf(list(now), path));
    for (const name of before === undefined ? [] : namesOf(list(before), path)) names.add(name);
    return [...names].sort();
  }

  *#compare(path: ByteString, { found, before }: ChangedName): Generator<ChangeNode, void> {
    const now = { found, stat: this.#now };
    if (found.kind === 'directory' && before?.kind === 'directory') {
      yield* this.#directories(path, found, before);
      return;
    }
    const kind = before === undefined ? 'added' : 'modified';
    if (found.kind === 'directory') {
      yield* this.#emit({ path, kind, ...now });
      yield* this.#directory({ path, now: found.parts, before: undefined });
    } else if (before?.kind !== 'other' || !sameFile({ ...now, found }, { found: before, stat: this.#before })) {
      yield* this.#emit({ path, kind, ...now });
    }
  }

  *#directories(path: ByteString, found: FoundDirectory, before: FoundDirectory): Generator<ChangeNode, void> {
    if (samePlaces(found.parts, before.parts)) return;
    const changed = !sameAttributes({ found, stat: this.#now }, { found: before, stat: this.#before });
    // It may be listed after more names have been looked up.
    const stat = new Stat();
    this.#now.bytes.copy(stat.bytes);
    const node: ChangeNode = { path, kind: 'modified', found, stat };
    if (changed) yield* this.#emit(node);
    else this.#pending.push(node);
    yield* this.#directory({ path, now: found.parts, before: before.parts });
    if (this.#pending.at(-1) === node) this.#pending.pop();
  }

  *#emit(node: ChangeNode): Generator<ChangeNode, void> {
    const parents = this.#pending;
    this.#pending = [];
    yield* parents;
    yield node;
  }
}
