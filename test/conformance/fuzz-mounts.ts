// Kernel overlayfs and veneer over the same layers, and cases played on both in step.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { mountStaged, stage } from '../helpers/backends.js';
import type { Mounted, VeneerOptions } from '../helpers/backends.js';
import { withoutDirectoryTimes } from '../helpers/death.js';
import { tempDir, withDeadline } from '../helpers/tmp.js';
import { expectSameTree, snapshot, withoutTimes } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { combineCases } from './fuzz-case.js';
import type { Case } from './fuzz-case.js';
import { Player } from './fuzz-player.js';

const KINDS = ['kernel', 'veneer'] as const;
export type FuzzKind = (typeof KINDS)[number];

/** Whose upper is mounted by whom after all; in this order, each leaves the upper a mount of the other can read. */
export const REMOUNTS: readonly (readonly [writer: FuzzKind, reader: FuzzKind])[] = [
  ['kernel', 'veneer'],
  ['veneer', 'kernel'],
  ['veneer', 'veneer'],
];

const PLAY_DEADLINE = 15_000;
const SNAPSHOT_DEADLINE = 30_000;

export class FuzzMounts {
  readonly #started = Math.floor(Date.now() / 1000);
  readonly #mounts = new Map<FuzzKind, Mounted>();
  readonly #options: VeneerOptions;

  private constructor(options: VeneerOptions) {
    this.#options = options;
  }

  /** Makes and mounts the layers of all cases below an empty directory. */
  static async open(base: string, cases: readonly Case[], options: VeneerOptions = {}): Promise<FuzzMounts> {
    const mounts = new FuzzMounts(options);
    const layers = combineCases(cases);
    for (const kind of KINDS) {
      mkdirSync(path.join(base, kind), { mode: 0o755 });
      mounts.#mounts.set(kind, await mountStaged(kind, stage(path.join(base, kind), layers, kind), options));
    }
    return mounts;
  }

  #root(kind: FuzzKind, { name }: Case): string {
    return path.join(this.#mounts.get(kind)!.root, name);
  }

  #tree(kind: FuzzKind, one: Case): Tree {
    const root = this.#root(kind, one);
    const read = (): Tree => snapshot(root, { newSince: this.#started });
    const tree = withoutDirectoryTimes(withDeadline(`snapshot of ${root}`, SNAPSHOT_DEADLINE, read));
    // The data of the kernel's metadata-only copies come with a new time of the file, although nobody wrote to it.
    return this.#options.metacopy === true ? withoutTimes(tree, ['file']) : tree;
  }

  /** Throws at the first difference: in an answer, or between the trees before and after. The message has the history. */
  play(one: Case): void {
    const [kernel, veneer] = [new Player(this.#root('kernel', one)), new Player(this.#root('veneer', one))];
    const history: string[] = [];
    const closeAll = (): void => {
      kernel.closeAll();
      veneer.closeAll();
    };
    const compare = (): void => expectSameTree(this.#tree('kernel', one), this.#tree('veneer', one));
    try {
      compare();
      withDeadline(one.name, PLAY_DEADLINE, () => {
        for (const [step, next] of one.operations.entries()) {
          const expected = kernel.play(next);
          history.push(`${String(step)} ${JSON.stringify(next)} -> ${expected}`);
          const got = veneer.play(next);
          if (got !== expected) throw new Error(`veneer answers ${got}`);
        }
      });
      closeAll();
      compare();
    } catch (error) {
      const story = `layers ${JSON.stringify(one.layers)}\n${history.join('\n')}`;
      throw new Error(`${(error as Error).message}\n${story}`, { cause: error });
    } finally {
      closeAll();
    }
  }

  /** Mounts what `writer` wrote by `reader`; the cases that show another tree then, and how. */
  async remount(writer: FuzzKind, reader: FuzzKind, cases: readonly Case[]): Promise<Map<Case, Error>> {
    const trees = new Map(cases.map((one) => [one, this.#tree(writer, one)]));
    const mounted = this.#mounts.get(writer)!;
    await mounted.unmount();
    this.#mounts.set(writer, await mountStaged(reader, mounted.staged, this.#options));
    const failures = new Map<Case, Error>();
    for (const [one, tree] of trees) {
      try {
        expectSameTree(tree, this.#tree(writer, one));
      } catch (error) {
        failures.set(one, error as Error);
      }
    }
    return failures;
  }

  async close(): Promise<void> {
    for (const mounted of this.#mounts.values()) await mounted.unmount();
  }
}

/** How the layers are mounted, by name: each way that data or attributes take. */
export const VARIANTS: Readonly<Record<string, VeneerOptions>> = {
  default: {},
  'passthrough=all': { passthrough: 'all' },
  'passthrough=off': { passthrough: 'off' },
  'metacopy=on': { metacopy: true },
};

/** Everything that the differential test asks, on fresh mounts: the cases that fail, and how. */
export async function failuresOf(cases: readonly Case[]): Promise<Map<Case, Error>> {
  using temp = tempDir('fuzz');
  const mounts = await FuzzMounts.open(temp.path, cases, VARIANTS[process.env['VENEER_FUZZ_MOUNT'] ?? 'default']);
  const failures = new Map<Case, Error>();
  try {
    for (const one of cases) {
      try {
        mounts.play(one);
      } catch (error) {
        failures.set(one, error as Error);
      }
    }
    for (const [writer, reader] of REMOUNTS) {
      const sound = cases.filter((one) => !failures.has(one));
      for (const [one, error] of await mounts.remount(writer, reader, sound)) {
        const story = `layers ${JSON.stringify(one.layers)}\n${one.operations.map((next) => JSON.stringify(next)).join('\n')}`;
        failures.set(one, new Error(`written by ${writer}, mounted by ${reader}: ${error.message}\n${story}`));
      }
    }
    return failures;
  } finally {
    await mounts.close();
  }
}
