// The layers below the one that is unpacked, as one merged tree: what its whiteouts hide and its links may name.

import { orAborted, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { Stat } from '../sys/index.js';
import { list, lookup, openStack } from '../stack/index.js';
import type { Found, Merged, Stack } from '../stack/index.js';
import { describe } from './found-entry.js';
import { parentOf, nameOf } from './target-tree.js';
import type { TarEntry } from './tar-entry.js';

export class LowerView {
  readonly #stack: Stack;
  readonly #directories = new Map<ByteString, Merged | undefined>();
  readonly #stat = new Stat();

  /** `paths`: layer directories, top first. */
  constructor(paths: readonly string[]) {
    this.#stack = openStack(paths);
    this.#directories.set('', this.#stack.root.length === 0 ? undefined : this.#stack.root);
  }

  /** The root's parent is the root. */
  #directory(path: ByteString): Merged | undefined {
    if (this.#directories.has(path)) return this.#directories.get(path);
    const found = this.find(path);
    const parts = found?.kind === 'directory' ? found.parts : undefined;
    this.#directories.set(path, parts);
    return parts;
  }

  /** What the path is below. */
  find(path: ByteString): Found | undefined {
    const parent = this.#directory(parentOf(path));
    if (parent === undefined) return undefined;
    if (path === '')
      return parent[0]?.stat(this.#stat) === 0 ? { kind: 'directory', parts: parent, protection: 0 } : undefined;
    const found = lookup(parent, nameOf(path), this.#stat);
    if (typeof found === 'number') throw new SysError(-found, 'lookup', path);
    return found;
  }

  /** What the path is below, and the entry that describes it; undefined for nothing, and for a socket. */
  describe(path: ByteString): { found: Found; entry: TarEntry } | undefined {
    const found = this.find(path);
    const entry = found === undefined ? undefined : describe(path, found, this.#stat);
    return found === undefined || entry === undefined ? undefined : { found, entry };
  }

  rootNames(): Iterable<ByteString> {
    const root = this.#directory('');
    if (root === undefined) return [];
    const names = list(root);
    if (typeof names === 'number') throw new SysError(-names, 'getdents64', '/');
    return names.keys();
  }

  [Symbol.dispose](): void {
    this.#stack.close();
  }
}

/** The layers below, opened when they are first needed. */
export class LowerLayers implements Disposable {
  readonly #paths: readonly string[] | (() => Promise<readonly string[]>) | undefined;
  readonly #signal: AbortSignal | undefined;
  #view: LowerView | undefined;

  /** Without `paths` they are not known. */
  constructor(
    paths: readonly string[] | (() => Promise<readonly string[]>) | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#paths = paths;
    this.#signal = signal;
  }

  /** Undefined where they are not known. Throws a SysError, and the signal's reason. */
  async view(): Promise<LowerView | undefined> {
    if (this.#view !== undefined || this.#paths === undefined) return this.#view;
    const paths = typeof this.#paths === 'function' ? await orAborted(this.#paths(), this.#signal) : this.#paths;
    return (this.#view = new LowerView(paths));
  }

  [Symbol.dispose](): void {
    this.#view?.[Symbol.dispose]();
  }
}
