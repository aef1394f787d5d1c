// Losses of power while processes work on a store: what they were told is done is on the disk.
// VENEER_CUTS: how many on each file system, VENEER_SEED: the numbers drawn.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LoopImage } from '../helpers/loop-image.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import { Promised, blow, expectKept, makePool, randomFrom } from './store-storm.js';

const CUTS = Number(process.env['VENEER_CUTS'] ?? 4);
const SEED = Number(process.env['VENEER_SEED'] ?? Date.now() % 1_000_000);
const SIZE = 512 << 20;

describe.each(['ext4', 'xfs'] as const)('on %s', (kind) => {
  const needs = requires('build', 'root', 'tar', kind);
  test.skipIf(needs.skip)(
    needs.title(`a store survives ${String(CUTS)} losses of power (seed ${String(SEED)})`),
    async () => {
      using temp = tempDir('power');
      const random = randomFrom(SEED);
      const pool = path.join(temp.path, 'pool');
      await makePool(pool);
      mkdirSync(path.join(temp.path, kind));
      const disk = new LoopImage(path.join(temp.path, kind), kind, { size: SIZE });
      const places = { root: path.join(disk.mountpoint, 'root'), pool };
      const promised = new Promised();
      let leftovers = 0;
      for (let cut = 0; cut < CUTS; cut += 1) {
        const said = await blow({
          places,
          round: `r${String(cut)}`,
          processes: 1 + random(2),
          random,
          beforeEnd: () => {
            disk.shutDown();
          },
        });
        promised.learn(said);
        await disk.restart();
        leftovers += (await expectKept(places.root, promised)).leftovers;
      }
      if (process.env['VENEER_CUTS'] !== undefined) {
        process.stderr.write(
          `${JSON.stringify({ kind, cuts: CUTS, acknowledged: promised.acknowledged, leftovers })}\n`,
        );
      }
      expect(promised.acknowledged).toBeGreaterThan(0);
      await disk.unmount();
    },
    3_600_000,
  );
});
