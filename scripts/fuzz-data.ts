// The data exerciser with fresh seeds for a given time: npm run fuzz -- --data --minutes N [--seed S]. Runs inside vitest
// (scripts/fuzz.config.ts).

import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { must, mount } from '../src/sys/index.js';
import { LoopImage } from '../test/helpers/loop-image.js';
import { missing } from '../test/helpers/requires.js';
import { tempDir } from '../test/helpers/tmp.js';
import { VARIANTS, playHistory, shrinkHistory } from '../test/integration/data-case.js';
import { makeHistory } from '../test/integration/data-operations.js';

const MINUTES = Number(process.env['VENEER_FUZZ_MINUTES']);
const FIRST_SEED = Number(process.env['VENEER_FUZZ_SEED']);
/** Of histories, in turn. */
const LENGTHS = [100, 300, 300, 600, 1500];

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function makePlaces(base: string): string[] {
  const make = (name: string): string => {
    mkdirSync(path.join(base, name));
    return path.join(base, name);
  };
  const tmpfs = make('tmpfs');
  must(mount({ source: 'tmpfs', target: tmpfs, type: 'tmpfs', flags: 0, data: 'mode=0755' }), 'mount', tmpfs);
  const xfs = missing('xfs') === undefined ? [new LoopImage(make('xfs'), 'xfs').mountpoint] : [];
  return [make('here'), tmpfs, ...xfs];
}

test('fuzz the data of files', { timeout: 0 }, async () => {
  const reason = missing('root', 'fuse', 'build');
  if (reason !== undefined) throw new Error(reason);
  using temp = tempDir('fuzz-data');
  const end = Date.now() + MINUTES * 60_000;
  const turns = makePlaces(temp.path).flatMap((place) =>
    Object.entries(VARIANTS)
      .filter(([, { kind }]) => kind === 'veneer')
      .map(([name, variant]) => ({ place, name, variant })),
  );
  const failed: string[] = [];
  let [histories, operations, said] = [0, 0, 0];
  for (let seed = FIRST_SEED; Date.now() < end; seed += 1) {
    const { place, name, variant } = turns[histories % turns.length]!;
    const history = makeHistory(seed, LENGTHS[seed % LENGTHS.length]!);
    const base = path.join(place, 'case');
    try {
      await playHistory(base, variant, history);
    } catch (error) {
      const which = `seed ${String(seed)} with ${String(history.length)} operations, ${name} on ${path.basename(place)}`;
      failed.push(which);
      say(`${which}: ${(error as Error).message}`);
      const smallest = await shrinkHistory(path.join(place, 'shrink'), variant, history);
      rmSync(path.join(place, 'shrink'), { recursive: true, force: true });
      say(`  shrunk to:\n${smallest.map((next) => `  ${JSON.stringify(next)}`).join('\n')}`);
    }
    rmSync(base, { recursive: true, force: true });
    histories += 1;
    operations += history.length;
    if (Date.now() - said < 10_000 && Date.now() < end) continue;
    said = Date.now();
    say(
      `seeds ${String(FIRST_SEED)} to ${String(seed)}: ${String(histories)} histories, ${String(operations)} operations, ${String(failed.length)} failures`,
    );
  }
  expect(failed).toEqual([]);
});
