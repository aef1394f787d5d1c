// The differential test with fresh seeds for a given time: npm run fuzz -- --minutes N [--seed S]. A case that fails is
// shrunk and kept in test/conformance/found/, where the normal run replays it. Runs inside vitest (scripts/fuzz.config.ts).

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FOUND, makeCase } from '../test/conformance/fuzz-case.js';
import { failuresOf } from '../test/conformance/fuzz-mounts.js';
import { shrinkCase } from '../test/conformance/fuzz-shrink.js';
import { missing } from '../test/helpers/requires.js';

const MINUTES = Number(process.env['VENEER_FUZZ_MINUTES']);
const FIRST_SEED = Number(process.env['VENEER_FUZZ_SEED']);
/** Of the cases of a round, which share one mount. */
const LENGTHS = [20, 50, 50, 100, 100, 150, 150, 150, 300, 300, 500, 1000];

const say = (line: string): void => void process.stdout.write(`${line}\n`);

test('fuzz', { timeout: 0 }, async () => {
  const reason = missing('root', 'mknod', 'trusted-xattr', 'kernel-overlay', 'fuse', 'build');
  if (reason !== undefined) throw new Error(reason);
  const end = Date.now() + MINUTES * 60_000;
  const failed: number[] = [];
  const total = { cases: 0, operations: 0 };
  let said = 0;
  for (let seed = FIRST_SEED; Date.now() < end; seed += LENGTHS.length) {
    const round = LENGTHS.map((length, index) => ({ seed: seed + index, length }));
    const cases = new Map(round.map((one) => [makeCase(one.seed, one.length), one]));
    for (const [one, error] of await failuresOf([...cases.keys()])) {
      const { seed: at, length } = cases.get(one)!;
      failed.push(at);
      say(`seed ${String(at)} with ${String(length)} operations fails: ${error.message.split('\nlayers ')[0]!}`);
      if ((await failuresOf([one])).size === 0) {
        say(`  alone it does not fail; the whole round: --seed ${String(seed)}`);
        continue;
      }
      const smallest = await shrinkCase(one);
      const file = path.join(FOUND, `${one.name}.json`);
      const kept = { layers: smallest.layers, operations: smallest.operations };
      writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
      say(`  shrunk to ${String(smallest.operations.length)} operations: ${path.relative(process.cwd(), file)}`);
    }
    total.cases += cases.size;
    total.operations += LENGTHS.reduce((sum, length) => sum + length, 0);
    if (Date.now() - said < 10_000 && Date.now() < end) continue;
    said = Date.now();
    const { cases: count, operations } = total;
    say(
      `seeds ${String(FIRST_SEED)} to ${String(seed + LENGTHS.length - 1)}: ${String(count)} cases, ${String(operations)} operations, ${String(failed.length)} failures`,
    );
  }
  expect(failed).toEqual([]);
});
