// A stack of layers that grows: mounted, un-mounted, mounted by the other overlay, its upper made the topmost lower layer.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { mountStaged, stage } from '../helpers/backends.js';
import type { Layers, Mounted, Staged } from '../helpers/backends.js';
import { withDeadline } from '../helpers/tmp.js';
import { inodes, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { withoutDirectoryTimes } from '../helpers/death.js';
import type { FuzzKind } from './fuzz-mounts.js';

/**
 * What happens to a stack between two parts of a history:
 * - remount: the same layers, the same overlay
 * - swap: the same layers, the other overlay
 * - rotate: the upper is the topmost lower layer from now on, below a new upper
 */
export type Turn = 'remount' | 'swap' | 'rotate';

const SNAPSHOT_DEADLINE = 30_000;
const DIRECTORIES_OF_AN_UPPER = ['upper', 'work', 'mnt'] as const;

export class GrowingStack {
  readonly #started = Math.floor(Date.now() / 1000);
  readonly #base: string;
  #mounted: Mounted;
  #uppers = 1;

  private constructor(base: string, mounted: Mounted) {
    this.#base = base;
    this.#mounted = mounted;
  }

  static async open(base: string, layers: Layers, kind: FuzzKind): Promise<GrowingStack> {
    mkdirSync(base, { mode: 0o755 });
    return new GrowingStack(base, await mountStaged(kind, stage(base, layers, kind)));
  }

  get root(): string {
    return this.#mounted.root;
  }

  get kind(): FuzzKind {
    return this.#mounted.kind as FuzzKind;
  }

  tree(name: string): Tree {
    const root = path.join(this.root, name);
    const read = (): Tree => snapshot(root, { newSince: this.#started });
    return withoutDirectoryTimes(withDeadline(`snapshot of ${root}`, SNAPSHOT_DEADLINE, read));
  }

  inodes(name: string): Map<string, string> {
    const root = path.join(this.root, name);
    return withDeadline(`inodes of ${root}`, SNAPSHOT_DEADLINE, () => inodes(root));
  }

  async turn(turn: Turn): Promise<void> {
    const { kind, staged } = this.#mounted;
    await this.#mounted.unmount();
    const other = kind === 'kernel' ? 'veneer' : 'kernel';
    this.#mounted = await mountStaged(
      turn === 'swap' ? other : kind,
      turn === 'rotate' ? this.#rotated(staged) : staged,
    );
  }

  #rotated(staged: Staged): Staged {
    // The mount point stays: names relative to `base` must stay short for mount(2).
    const base = path.join(this.#base, `r${String(this.#uppers++)}`);
    for (const name of ['', ...DIRECTORIES_OF_AN_UPPER]) mkdirSync(path.join(base, name), { mode: 0o755 });
    return {
      ...staged,
      lowers: [staged.upper!, ...staged.lowers],
      upper: path.join(base, 'upper'),
      work: path.join(base, 'work'),
    };
  }

  async close(): Promise<void> {
    await this.#mounted.unmount();
  }
}
