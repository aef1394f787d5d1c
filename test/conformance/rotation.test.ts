// Random histories on two stacks of layers, one mounted by kernel overlayfs and one by veneer, in parts. Between two
// parts each stack is mounted again, changes hands, or grows by a layer; both must go on showing the same.
//   VENEER_FUZZ_SEED=123 VENEER_FUZZ_CASES=1 npx vitest run test/conformance/rotation.test.ts

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { tempDir, withDeadline } from '../helpers/tmp.js';
import { expectSameTree } from '../helpers/tree.js';
import { combineCases, makeCase } from './fuzz-case.js';
import type { Case } from './fuzz-case.js';
import { Player } from './fuzz-player.js';
import { GrowingStack } from './growing-stack.js';
import type { Turn } from './growing-stack.js';

const FIRST_SEED = Number(process.env['VENEER_FUZZ_SEED'] ?? 1);
const CASES = Number(process.env['VENEER_FUZZ_CASES'] ?? 20);
const OPERATIONS = Number(process.env['VENEER_FUZZ_OPERATIONS'] ?? 25);
const DEADLINE = 15_000;

/**
 * Hard links are left out where stacks grow: the index that holds together the names of one file in several layers is
 * not part of a layer, so which names stay together depends on which the kernel happened to have in its caches.
 */
const HISTORIES: readonly { readonly links: boolean; readonly turns: readonly Turn[] }[] = [
  { links: true, turns: ['remount', 'swap', 'remount', 'swap', 'swap'] },
  { links: false, turns: ['remount', 'rotate', 'swap', 'rotate', 'rotate', 'swap', 'remount'] },
];

const withoutLinkEntries = (spec: LayerSpec): LayerSpec =>
  Object.fromEntries(Object.entries(spec).filter(([, node]) => typeof node === 'string' || node.kind !== 'link'));

function withoutLinks(one: Case): Case {
  const { lower, upper } = one.layers;
  return {
    ...one,
    layers: { lower: lower.map(withoutLinkEntries), upper: withoutLinkEntries(upper) },
    operations: one.operations.filter(({ op }) => op !== 'link'),
  };
}

const skip = backendGate('kernel').skip || backendGate('veneer').skip;

describe.skipIf(skip).each(HISTORIES)('two stacks show the same, through $turns', ({ links, turns }) => {
  const temp = tempDir('rotation');
  const made = Array.from({ length: CASES }, (_, i) => makeCase(FIRST_SEED + i, OPERATIONS * (turns.length + 1)));
  const cases = links ? made : made.map(withoutLinks);
  const broken = new Map<Case, string>();
  const told = new Map<Case, string[]>(cases.map((one) => [one, []]));
  let stacks: readonly GrowingStack[];

  beforeAll(async () => {
    const layers = combineCases(cases);
    stacks = [
      await GrowingStack.open(path.join(temp.path, 'k'), layers, 'kernel'),
      await GrowingStack.open(path.join(temp.path, 'v'), layers, 'veneer'),
    ];
  });
  afterAll(async () => {
    for (const stack of stacks) await stack.close();
    temp.remove();
  });

  const sound = (): Case[] => cases.filter((one) => !broken.has(one));
  const attempt = (one: Case, run: () => void): void => {
    try {
      run();
    } catch (error) {
      const story = `layers ${JSON.stringify(one.layers)}\n${told.get(one)!.join('\n')}`;
      broken.set(one, `${one.name}: ${(error as Error).message}\n${story}`);
    }
  };
  const compare = (one: Case): void => {
    const [a, b] = stacks as [GrowingStack, GrowingStack];
    expectSameTree(a.tree(one.name), b.tree(one.name));
  };

  const play = (part: number): void => {
    for (const one of sound()) {
      attempt(one, () => {
        const [a, b] = stacks.map((stack) => new Player(path.join(stack.root, one.name))) as [Player, Player];
        try {
          withDeadline(one.name, DEADLINE, () => {
            for (const next of one.operations.slice(part * OPERATIONS, (part + 1) * OPERATIONS)) {
              const expected = a.play(next);
              told.get(one)!.push(`${JSON.stringify(next)} -> ${expected}`);
              const got = b.play(next);
              if (got !== expected) throw new Error(`the second stack, on ${stacks[1]!.kind}, answers ${got}`);
            }
          });
        } finally {
          a.closeAll();
          b.closeAll();
        }
        compare(one);
      });
    }
  };

  test.each(turns.map((turn, part) => [part, turn] as const))('part %i, then %s', async (part, turn) => {
    const before = new Set(broken.keys());
    play(part);
    const inodes = new Map(sound().map((one) => [one, stacks.map((stack) => stack.inodes(one.name))]));
    for (const stack of stacks) await stack.turn(turn);
    for (const one of sound()) {
      told.get(one)!.push(`-- ${turn}`);
      attempt(one, () => {
        compare(one);
        if (turn === 'remount') expect(stacks.map((stack) => stack.inodes(one.name))).toEqual(inodes.get(one));
      });
    }
    expect([...broken].filter(([one]) => !before.has(one)).map(([, message]) => message)).toEqual([]);
  });

  test('the last part', () => {
    const before = new Set(broken.keys());
    play(turns.length);
    expect([...broken].filter(([one]) => !before.has(one)).map(([, message]) => message)).toEqual([]);
  });
});
