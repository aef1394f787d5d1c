// Layers that are mounted one time after the other, by kernel overlayfs or by veneer, with steps in between.

import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { mountStaged, stage } from './backends.js';
import type { BackendKind, Layers, Mounted, Staged } from './backends.js';
import { tempDir, withDeadline } from './tmp.js';
import type { TempDir } from './tmp.js';
import { expectSameTree, snapshot } from './tree.js';
import type { Tree } from './tree.js';

type OverlayKind = Exclude<BackendKind, 'plain'>;

const STEP_DEADLINE = 40_000;

export class Scenario {
  readonly temp: TempDir;
  readonly staged: Staged;
  readonly #started = Math.floor(Date.now() / 1000);
  readonly #lowers: readonly Tree[];

  /** `below`: further layer directories, under the written ones. */
  constructor(label: string, layers: Layers, below: readonly string[] = []) {
    this.temp = tempDir(label);
    const base = path.join(this.temp.path, 'layers');
    mkdirSync(base, { mode: 0o755 });
    const staged = stage(base, layers, 'kernel');
    this.staged = { ...staged, lowers: [...staged.lowers, ...below] };
    this.#lowers = this.staged.lowers.map((lower) => snapshot(lower));
  }

  /** Mounts, runs, un-mounts. A synchronous `run` that hangs is cut off; an asynchronous one must bound itself. */
  async on<T>(kind: OverlayKind, run: (root: string, mounted: Mounted) => T | Promise<T>): Promise<T> {
    const mounted = await mountStaged(kind, this.staged);
    try {
      return await withDeadline(`work on ${kind}`, STEP_DEADLINE, () => run(mounted.root, mounted));
    } finally {
      await mounted.unmount();
    }
  }

  /** A mounted tree; changes since the start show as such, without their exact time. */
  tree(root: string): Tree {
    return withDeadline(`snapshot of ${root}`, STEP_DEADLINE, () => snapshot(root, { newSince: this.#started }));
  }

  /** Runs a step on one kind; then the other one must show the same tree. */
  async step(kind: OverlayKind, run: (root: string) => void): Promise<Tree> {
    const tree = await this.on(kind, (root) => {
      run(root);
      return this.tree(root);
    });
    await this.on(kind === 'kernel' ? 'veneer' : 'kernel', (root) => expectSameTree(tree, this.tree(root)));
    this.expectLowersUnchanged();
    return tree;
  }

  expectLowersUnchanged(): void {
    this.staged.lowers.forEach((lower, index) => expectSameTree(this.#lowers[index]!, snapshot(lower)));
  }

  remove(): void {
    this.temp.remove();
  }
}
