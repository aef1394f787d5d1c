// The entries of a directory in an order that never changes: by a hash of the name, which is also the cookie
// that resumes a listing. So no state is kept per reader; a reader in the middle of a directory misses nothing
// that stays, and sees nothing twice, whatever others add and remove.

import type { ByteString } from '../core/index.js';
import { list } from '../stack/index.js';
import type { DirNode } from './node.js';

/** Cookies of `.` and `..`; those of names are above. */
export const COOKIE_DOT = 1;
export const COOKIE_DOTDOT = 2;
const FIRST_COOKIE = 3;

/** 52 bits of two interleaved multiplicative hashes over the bytes of a name. */
function cookieOf(name: ByteString): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let index = 0; index < name.length; index += 1) {
    const byte = name.charCodeAt(index);
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x5bd1e995);
    b ^= b >>> 15;
  }
  a ^= a >>> 16;
  return (a >>> 0) * 0x100000 + ((b >>> 0) & 0xfffff) + FIRST_COOKIE;
}

export interface ListedEntry {
  readonly name: ByteString;
  readonly cookie: number;
}

/** By cookie; names with one hash by their bytes, so that the order does not depend on who came first. */
function inOrder(a: ListedEntry, b: ListedEntry): number {
  return a.cookie - b.cookie || (a.name < b.name ? -1 : 1);
}

/** Adds names to entries that keep their cookies. Of two names with one hash, the new one takes the next free cookie. */
function withNames(entries: readonly ListedEntry[], names: Iterable<ByteString>): ListedEntry[] {
  const taken = new Set(entries.map((entry) => entry.cookie));
  const added = [...names].map((name) => ({ name, cookie: cookieOf(name) })).sort(inOrder);
  for (const entry of added) {
    while (taken.has(entry.cookie)) entry.cookie += 1;
    taken.add(entry.cookie);
  }
  return [...entries, ...added].sort(inOrder);
}

export class Listing {
  #entries: ListedEntry[];
  readonly #removed = new Set<ByteString>();
  readonly #added = new Set<ByteString>();

  constructor(names: Iterable<ByteString>) {
    this.#entries = withNames([], names);
  }

  /** Whether all of its names were removed. */
  get isEmpty(): boolean {
    if (this.#added.size > 0 || this.#entries.length > this.#removed.size) return false;
    return this.#entries.every(({ name }) => this.#removed.has(name));
  }

  add(name: ByteString): void {
    if (!this.#removed.delete(name)) this.#added.add(name);
  }

  remove(name: ByteString): void {
    if (!this.#added.delete(name)) this.#removed.add(name);
  }

  /** Takes in what was added and removed since the last time. */
  #settle(): void {
    const mostlyGone = this.#removed.size > 64 && this.#removed.size * 2 > this.#entries.length;
    if (this.#added.size === 0 && !mostlyGone) return;
    const kept = this.#entries.filter(({ name }) => !this.#removed.has(name));
    this.#entries = withNames(kept, this.#added);
    this.#added.clear();
    this.#removed.clear();
  }

  /** Visits the entries after `cookie` until the visitor returns false. */
  visitAfter(cookie: number, visit: (entry: ListedEntry) => boolean): void {
    this.#settle();
    const entries = this.#entries;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle]!.cookie <= cookie) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < entries.length; index += 1) {
      const entry = entries[index]!;
      if (this.#removed.has(entry.name)) continue;
      if (!visit(entry)) return;
    }
  }
}

/** The listing of a directory, read from its layers when first needed; or -errno. */
export function listingOf(dir: DirNode): Listing | number {
  if (dir.listing !== undefined) return dir.listing;
  // Who lists a directory asks for its names next: they are indexed on the way.
  const first = dir.isDeep ? new Map<ByteString, number>() : undefined;
  const names = list(dir.parts, first, dir.upper === undefined ? 0 : 1);
  if (typeof names === 'number') return names;
  dir.lowerIndex ??= first;
  dir.listing = new Listing(names);
  return dir.listing;
}

export function addToListing(dir: DirNode, name: ByteString): void {
  dir.listing?.add(name);
}

export function removeFromListing(dir: DirNode, name: ByteString): void {
  dir.listing?.remove(name);
}
