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
    expectSameTree(this.#tree(this.oracle), this.#tree(this.root));
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
      for (const kind of ['kernel', 'veneer'] as const) {
        const mounted = await mountStaged(kind, staged);
        try {
          // A program that writes goes on writing, to the state after this one; what it has done shows in a new time.
          expectSameTree(withoutTimes(tree, ['file']), withoutTimes(this.#tree(mounted.root), ['file']));
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
