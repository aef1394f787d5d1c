// Random reads, writes, mappings, truncations, holes and copies by two processes on files of all layers, compared byte for
// byte with a model after each. The seed is in the name of a failing case:
//   VENEER_DATA_SEED=123 VENEER_DATA_CASES=1 npx vitest run test/integration/data-exerciser.test.ts

import path from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import { tempDir } from '../helpers/tmp.js';
import { VARIANTS, playHistory } from './data-case.js';
import { makeHistory } from './data-operations.js';

const FIRST_SEED = Number(process.env['VENEER_DATA_SEED'] ?? 1);
const CASES = Number(process.env['VENEER_DATA_CASES'] ?? 3);
const OPERATIONS = Number(process.env['VENEER_DATA_OPERATIONS'] ?? 200);

const temp = tempDir('data');
afterAll(() => temp.remove());

describe.each(Object.entries(VARIANTS))('the data of files, %s', (name, variant) => {
  const gate = backendGate(variant.kind);
  const seeds = Array.from({ length: CASES }, (_, index) => FIRST_SEED + index);
  test.skipIf(gate.skip).each(seeds)(gate.title('seed %s'), async (seed) => {
    await playHistory(path.join(temp.path, `${name}-${String(seed)}`), variant, makeHistory(seed, OPERATIONS));
  });
});
