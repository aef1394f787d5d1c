// A mount of veneer whose upper is frozen while it is in use, beside one of kernel overlayfs over the same layers to which nothing of the
// kind happens. What is frozen must be what the kernel's showed at that moment.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { mountStaged, overlayDoor, stage } from '../helpers/backends.js';
import type { Layers, Mounted, Staged, VeneerOptions } from '../helpers/backends.js';
import { withoutDirectoryTimes } from '../helpers/death.js';
import { withDeadline } from '../helpers/tmp.js';
import { expectSameTree, snapshot, withoutTimes } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';

const SNAPSHOT_DEADLINE = 30_000;

/** The path that a file's links are counted under, and what it says of their number. */
function linksOf(path: string, links: string): { first: string; count: number } {
  const [count = '', first = path] = links.split(' same as ');
  return { first, count: Number(count) };
}

/**
 * Two trees without the numbers of links that the first one says are more than there are names: an overlay counts names below
 * that other layers hide, and a layer of its own does not know of them.
 */
function withVisibleLinks(expected: Tree, actual: Tree): [Tree, Tree] {
  const names = new Map<string, number>();
  for (const [path, { links }] of expected) {
    if (links === undefined) continue;
    const { first } = linksOf(path, links);
    names.set(first, (names.get(first) ?? 0) + 1);
  }
  const isHidden = (path: string): boolean => {
    const { links } = expected.get(path) ?? {};
    if (links === undefined) return false;
    const { first, count } = linksOf(path, links);
    return count > (names.get(first) ?? 0);
  };
  const strip = (tree: Tree): Tree =>
    new Map([...tree].map(([path, entry]) => [path, isHidden(path) ? { ...entry, links: 'some' } : entry]));
  return [strip(expected), strip(actual)];
}

function expectSame(expected: Tree, actual: Tree): void {
  expectSameTree(...withVisibleLinks(expected, actual));
}

interface Frozen {
  readonly directory: string;
  /** What was to be seen at that moment. */
  readonly tree: Tree;
}

export class FreezingMount {
  readonly #started = Math.floor(Date.now() / 1000);
  readonly #base: string;
  readonly #options: VeneerOptions;
  readonly #oracle: Mounted;
  #mounted: Mounted;
  /** The latest first. */
  readonly #frozen: Frozen[] = [];

  private constructor(base: string, mounts: { oracle: Mounted; mounted: Mounted }, options: VeneerOptions) {
    this.#base = base;
    this.#oracle = mounts.oracle;
    this.#mounted = mounts.mounted;
    this.#options = options;
  }

  static async open(base: string, layers: Layers, options: VeneerOptions = {}): Promise<FreezingMount> {
    for (const name of ['k', 'v']) mkdirSync(path.join(base, name), { recursive: true, mode: 0o755 });
    const oracle = await mountStaged('kernel', stage(path.join(base, 'k'), layers, 'kernel'));
    const staged = stage(path.join(base, 'v'), layers, 'veneer');
    return new FreezingMount(base, { oracle, mounted: await mountStaged('veneer', staged, options) }, options);
  }

  get oracle(): string {
    return this.#oracle.root;
  }

  get root(): string {
    return this.#mounted.root;
  }

  #tree(root: string): Tree {
    const read = (): Tree => snapshot(root, { newSince: this.#started });
    return withoutDirectoryTimes(withDeadline(`snapshot of ${root}`, SNAPSHOT_DEADLINE, read));
  }

  compare(): void {
    expectSame(this.#tree(this.oracle), this.#tree(this.root));
  }

  async freeze(): Promise<void> {
    const directory = path.join(this.#base, `f${String(this.#frozen.length)}`);
    const tree = this.#tree(this.oracle);
    const { freezeOverlay } = await overlayDoor();
    await freezeOverlay(this.root, { frozen: directory });
    this.#frozen.unshift({ directory, tree });
  }

  #stacked(from: number): string[] {
    return [...this.#frozen.slice(from).map(({ directory }) => directory), ...this.#mounted.staged.lowers];
  }

  /** Each frozen state still shows what it showed, to the kernel and to veneer. */
  async checkFrozen(): Promise<void> {
    for (const [index, { tree }] of this.#frozen.entries()) {
      const base = path.join(this.#base, `check${String(index)}`);
      const staged: Staged = {
        base: this.#base,
        lowers: this.#stacked(index),
        work: path.join(base, 'work'),
        mountpoint: path.join(base, 'mnt'),
        readOnly: true,
      };
      mkdirSync(staged.mountpoint, { recursive: true });
      // The kernel follows the marks of metadata-only copies only when told to.
      for (const kind of this.#options.metacopy === true ? (['veneer'] as const) : (['kernel', 'veneer'] as const)) {
        const mounted = await mountStaged(kind, staged);
        try {
          // A program that writes goes on writing, to the state after this one; what it has done shows in a new time.
          expectSame(withoutTimes(tree, ['file']), withoutTimes(this.#tree(mounted.root), ['file']));
        } finally {
          await mounted.unmount();
        }
      }
    }
  }

  /** Mounts the whole again, with what was frozen as lower layers. */
  async remount(): Promise<void> {
    const { staged } = this.#mounted;
    await this.#mounted.unmount();
    const options = { ...this.#options, frozen: this.#frozen.length };
    const mounted = await mountStaged('veneer', { ...staged, lowers: this.#stacked(0) }, options);
    this.#mounted = { ...mounted, staged };
  }

  async close(): Promise<void> {
    await this.#mounted.unmount();
    await this.#oracle.unmount();
  }
}
