// kill -9 at random points of import, load, commit, rm, rmi and prune, several processes at work in one store.
// VENEER_KILLS: how many of them die, VENEER_SEED: the numbers they draw.

import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import { Promised, blow, expectKept, makePool, randomFrom } from './store-storm.js';

const KILLS = Number(process.env['VENEER_KILLS'] ?? 60);
const SEED = Number(process.env['VENEER_SEED'] ?? Date.now() % 1_000_000);
const PROCESSES = 4;

const needs = requires('build', 'root', 'tar');

describe.skipIf(needs.skip)(needs.title('processes killed at random'), () => {
  test(`${String(KILLS)} of them leave a store that works, with everything they were told is there (seed ${String(SEED)})`, async () => {
    using temp = tempDir('storm');
    const random = randomFrom(SEED);
    let promised = new Promised();
    let figures = { kills: 0, acknowledged: 0, leftovers: 0, tars: 0 };
    for (let round = 0; figures.kills < KILLS; round += 1) {
      // A new store now and then, or checking takes longer and longer.
      const place = path.join(temp.path, String(Math.floor(round / 8)));
      const places = { root: path.join(place, 'root'), pool: path.join(temp.path, 'pool') };
      if (round === 0) await makePool(places.pool);
      if (round % 8 === 0) promised = new Promised();
      promised.learn(await blow({ places, round: `r${String(round)}`, processes: PROCESSES, random }));
      const { leftovers, tars } = await expectKept(places.root, promised);
      figures = {
        kills: figures.kills + PROCESSES,
        acknowledged: figures.acknowledged + promised.acknowledged,
        leftovers: figures.leftovers + leftovers,
        tars: figures.tars + tars,
      };
      promised.acknowledged = 0;
    }
    if (process.env['VENEER_KILLS'] !== undefined) process.stderr.write(`${JSON.stringify(figures)}\n`);
    expect(figures.acknowledged).toBeGreaterThan(0);
  }, 3_600_000);
});
