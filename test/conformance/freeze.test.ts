// Random histories with the upper frozen in between, while files are open, against kernel overlayfs to which that does not happen.
//   VENEER_FUZZ_SEED=123 VENEER_FUZZ_CASES=1 npx vitest run test/conformance/freeze.test.ts

import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import { tempDir, withDeadline } from '../helpers/tmp.js';
import { inodes } from '../helpers/tree.js';
import { makeCase } from './fuzz-case.js';
import type { Case } from './fuzz-case.js';
import { VARIANTS } from './fuzz-mounts.js';
import { Player } from './fuzz-player.js';
import { FreezingMount } from './freezing-mount.js';

const FIRST_SEED = Number(process.env['VENEER_FUZZ_SEED'] ?? 1);
const CASES = Number(process.env['VENEER_FUZZ_CASES'] ?? 3);
const OPERATIONS = Number(process.env['VENEER_FUZZ_OPERATIONS'] ?? 25);
const FREEZES = Number(process.env['VENEER_FUZZ_FREEZES'] ?? 4);
const DEADLINE = 15_000;

const skip = backendGate('kernel').skip || backendGate('veneer').skip;

async function play(mount: FreezingMount, one: Case): Promise<void> {
  const history: string[] = [];
  const players = [new Player(mount.oracle), new Player(mount.root)] as const;
  try {
    for (let part = 0; part <= FREEZES; part += 1) {
      withDeadline(one.name, DEADLINE, () => {
        for (const next of one.operations.slice(part * OPERATIONS, (part + 1) * OPERATIONS)) {
          const [expected, got] = players.map((player) => player.play(next));
          history.push(`${JSON.stringify(next)} -> ${String(expected)}`);
          if (got !== expected) throw new Error(`veneer answers ${String(got)}`);
        }
      });
      mount.compare();
      const before = inodes(mount.root);
      if (part < FREEZES) await mount.freeze();
      history.push('freeze');
      mount.compare();
      expect(inodes(mount.root)).toEqual(before);
    }
    for (const player of players) player.closeAll();
    await mount.checkFrozen();
    await mount.remount();
    mount.compare();
  } catch (error) {
    const story = `layers ${JSON.stringify(one.layers)}\n${history.join('\n')}`;
    throw new Error(`${(error as Error).message}\n${story}`, { cause: error });
  } finally {
    for (const player of players) player.closeAll();
  }
}

describe.skipIf(skip).each(Object.entries(VARIANTS))(
  'a mount whose upper is frozen again and again, %s',
  (variant, options) => {
    const temp = tempDir('freeze');
    const first = FIRST_SEED + Object.keys(VARIANTS).indexOf(variant) * CASES;
    const cases = Array.from({ length: CASES }, (_, index) => makeCase(first + index, OPERATIONS * (FREEZES + 1)));
    afterAll(() => {
      temp.remove();
    });

    test.each(cases.map((one) => [one.name, one] as const))(
      'shows what one shows to which that does not happen: %s',
      async (name, one) => {
        const base = path.join(temp.path, name);
        mkdirSync(base);
        const { lower, upper } = one.layers;
        const mount = await FreezingMount.open(base, { lower, upper }, options);
        try {
          await play(mount, one);
        } finally {
          await mount.close();
          rmSync(base, { recursive: true });
        }
      },
    );
  },
);
