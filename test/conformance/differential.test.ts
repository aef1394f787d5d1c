// Random operations on veneer and on kernel overlayfs in step, over the same layers: the same answer to each, the same tree
// after all, and again when each upper is mounted by the other. The seed is in the name of a failing case:
//   VENEER_FUZZ_SEED=123 VENEER_FUZZ_CASES=1 npx vitest run test/conformance/differential.test.ts

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import { tempDir } from '../helpers/tmp.js';
import { foundCases, makeCase } from './fuzz-case.js';
import type { Case } from './fuzz-case.js';
import { FuzzMounts, REMOUNTS, VARIANTS } from './fuzz-mounts.js';

const FIRST_SEED = Number(process.env['VENEER_FUZZ_SEED'] ?? 1);
/** With each variant, and each with cases of its own. */
const CASES = Number(process.env['VENEER_FUZZ_CASES'] ?? 20);
const OPERATIONS = Number(process.env['VENEER_FUZZ_OPERATIONS'] ?? 150);

const skip = backendGate('kernel').skip || backendGate('veneer').skip;

describe.skipIf(skip).each(Object.entries(VARIANTS))('kernel overlayfs and veneer agree, %s', (variant, options) => {
  const temp = tempDir('differential');
  const firstSeed =
    FIRST_SEED + (process.env['VENEER_FUZZ_SEED'] === undefined ? Object.keys(VARIANTS).indexOf(variant) * CASES : 0);
  const cases = [
    ...foundCases(),
    ...Array.from({ length: CASES }, (_, index) => makeCase(firstSeed + index, OPERATIONS)),
  ];
  const sound = new Set<Case>();
  let mounts: FuzzMounts;

  beforeAll(async () => {
    mounts = await FuzzMounts.open(temp.path, cases, options);
  });
  afterAll(async () => {
    await mounts.close();
    temp.remove();
  });

  test.each(cases.map((one) => [one.name, one] as const))('on %s', (_, one) => {
    mounts.play(one);
    sound.add(one);
  });

  test.each(REMOUNTS)('when what %s wrote is mounted by %s', async (writer, reader) => {
    const failures = await mounts.remount(writer, reader, [...sound]);
    for (const one of failures.keys()) sound.delete(one);
    expect([...failures].map(([{ name }, error]) => `${name}: ${error.message}`)).toEqual([]);
  });
});
