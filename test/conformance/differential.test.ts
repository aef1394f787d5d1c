// Random operations on veneer and on kernel overlayfs in step, over the same layers: the same answer to each, the same tree
// after all, and again when each upper is mounted by the other. The seed is in the name of a failing case:
//   VENEER_FUZZ_SEED=123 VENEER_FUZZ_CASES=1 npx vitest run test/conformance/differential.test.ts

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { backendGate, mountStaged, stage } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import { dir } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { tempDir, withDeadline } from '../helpers/tmp.js';
import { expectSameTree, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { fuzzLayers } from './fuzz-layers.js';
import type { FuzzLayers } from './fuzz-layers.js';
import { operation } from './fuzz-operations.js';
import type { Operation } from './fuzz-operations.js';
import { Player } from './fuzz-player.js';

const FIRST_SEED = Number(process.env['VENEER_FUZZ_SEED'] ?? 1);
const CASES = Number(process.env['VENEER_FUZZ_CASES'] ?? 60);
const OPERATIONS = Number(process.env['VENEER_FUZZ_OPERATIONS'] ?? 150);
const KINDS = ['kernel', 'veneer'] as const;
const DEPTH = 3;

interface Case {
  readonly seed: number;
  readonly layers: FuzzLayers;
  readonly operations: readonly Operation[];
}

function makeCase(seed: number): Case {
  const operations = fc.array(operation, { minLength: OPERATIONS, maxLength: OPERATIONS });
  const [layers, sequence] = fc.sample(fc.tuple(fuzzLayers, operations), { seed, numRuns: 1 })[0]!;
  return { seed, layers, operations: sequence };
}

const nameOf = ({ seed }: Case): string => `seed-${String(seed)}`;

/** All cases share one mount, each in its own directory. */
function combine(cases: readonly Case[]): { lower: LayerSpec[]; upper: LayerSpec } {
  const below = (one: Case, spec: LayerSpec): [string, LayerNode | string][] => [
    [nameOf(one), dir()],
    ...Object.entries(spec).map(([name, node]): [string, LayerNode | string] => [
      `${nameOf(one)}/${name}`,
      typeof node === 'object' && node.kind === 'link' ? { kind: 'link', to: `${nameOf(one)}/${node.to}` } : node,
    ]),
  ];
  const lower = Array.from({ length: DEPTH }, (_, index) =>
    Object.fromEntries(cases.flatMap((one) => below(one, one.layers.lower[index] ?? {}))),
  );
  return {
    lower,
    upper: Object.fromEntries(
      cases.flatMap((one) => (Object.keys(one.layers.upper).length > 0 ? below(one, one.layers.upper) : [])),
    ),
  };
}

/** Times of directories follow from when the kernel copies them up, which is its own affair. */
const withoutDirectoryTimes = (tree: Tree): Tree =>
  new Map([...tree].map(([name, entry]) => [name, entry.type === 'dir' ? { ...entry, mtime: '' } : entry]));

const gates = KINDS.map((kind) => backendGate(kind));
const skip = gates.some((gate) => gate.skip);

describe.skipIf(skip)('kernel overlayfs and veneer agree', () => {
  const started = Math.floor(Date.now() / 1000);
  const temp = tempDir('differential');
  const cases = Array.from({ length: CASES }, (_, index) => makeCase(FIRST_SEED + index));
  const failed = new Set<string>();
  const mounts = new Map<(typeof KINDS)[number], Mounted>();
  const rootOf = (kind: (typeof KINDS)[number], one: Case): string => path.join(mounts.get(kind)!.root, nameOf(one));
  const treeOf = (root: string): Tree =>
    withoutDirectoryTimes(withDeadline(`snapshot of ${root}`, 30_000, () => snapshot(root, { newSince: started })));

  beforeAll(async () => {
    for (const kind of KINDS) {
      const base = path.join(temp.path, kind);
      mkdirSync(base, { mode: 0o755 });
      mounts.set(kind, await mountStaged(kind, stage(base, combine(cases), kind)));
    }
  });
  afterAll(async () => {
    for (const mounted of mounts.values()) await mounted.unmount();
    temp.remove();
  });

  test.each(cases.map((one) => [nameOf(one), one] as const))('on %s', (name, one) => {
    failed.add(name);
    const [kernel, veneer] = [new Player(rootOf('kernel', one)), new Player(rootOf('veneer', one))];
    const history: string[] = [];
    try {
      expectSameTree(treeOf(rootOf('kernel', one)), treeOf(rootOf('veneer', one)));
      withDeadline(name, 15_000, () => {
        for (const [step, next] of one.operations.entries()) {
          const expected = kernel.play(next);
          history.push(`${String(step)} ${JSON.stringify(next)} -> ${expected}`);
          const got = veneer.play(next);
          if (got !== expected) throw new Error(`veneer answers ${got}`);
        }
      });
      kernel.closeAll();
      veneer.closeAll();
      expectSameTree(treeOf(rootOf('kernel', one)), treeOf(rootOf('veneer', one)));
    } catch (error) {
      const story = `layers ${JSON.stringify(one.layers)}\n${history.join('\n')}`;
      throw new Error(`${(error as Error).message}\n${story}`, { cause: error });
    } finally {
      kernel.closeAll();
      veneer.closeAll();
    }
    failed.delete(name);
  });

  test.each([
    ['kernel', 'veneer'],
    ['veneer', 'kernel'],
    ['veneer', 'veneer'],
  ] as const)('when what %s wrote is mounted by %s', async (writer, reader) => {
    const trees = new Map(cases.map((one) => [nameOf(one), treeOf(rootOf(writer, one))]));
    await mounts.get(writer)!.unmount();
    mounts.set(writer, await mountStaged(reader, mounts.get(writer)!.staged));
    for (const one of cases) {
      if (!failed.has(nameOf(one))) expectSameTree(trees.get(nameOf(one))!, treeOf(rootOf(writer, one)));
    }
  });
});
