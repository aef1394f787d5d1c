// Renamed directories: what an upper remembers of where they were, through several renames and as a layer below others.

import { appendFileSync, mkdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { whiteout } from '../helpers/layer-spec.js';
import { backendGate } from '../helpers/backends.js';
import { Scenario } from '../helpers/scenario.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;
const lower = [
  { 'a/top': 'top', 'a/sub/x': 'x-top', 'a/gone': whiteout() },
  { 'a/bottom': 'bottom', 'a/sub/x': 'x', 'a/sub/deep/y': 'y', 'a/gone': 'gone', 'other/z': 'z' },
];

let scenario: Scenario;
afterEach(() => scenario.remove());

const STORIES: Readonly<Record<string, readonly ((root: string) => void)[]>> = {
  'rename, rename again, move a child out, recreate the old name': [
    (root) => renameSync(`${root}/a`, `${root}/b`),
    (root) => renameSync(`${root}/b`, `${root}/c`),
    (root) => renameSync(`${root}/c/sub`, `${root}/moved-out`),
    (root) => {
      mkdirSync(`${root}/a`);
      mkdirSync(`${root}/a/sub`);
      writeFileSync(`${root}/a/new`, 'new');
    },
    (root) => rmSync(`${root}/a`, { recursive: true }),
    (root) => mkdirSync(`${root}/c/sub`),
  ],
  'into another directory, that one renamed, and back': [
    (root) => renameSync(`${root}/a`, `${root}/other/a`),
    (root) => renameSync(`${root}/other`, `${root}/else`),
    (root) => appendFileSync(`${root}/else/a/sub/deep/y`, '+'),
    (root) => renameSync(`${root}/else/a/sub/deep`, `${root}/else/deep`),
    (root) => renameSync(`${root}/else/a`, `${root}/a`),
    (root) => rmSync(`${root}/else`, { recursive: true }),
  ],
  'two directories change places': [
    (root) => {
      renameSync(`${root}/a`, `${root}/t`);
      renameSync(`${root}/other`, `${root}/a`);
      renameSync(`${root}/t`, `${root}/other`);
    },
    (root) => writeFileSync(`${root}/a/z`, 'changed'),
    (root) => rmSync(`${root}/other/sub/x`),
    (root) => rmSync(`${root}/other`, { recursive: true }),
  ],
  'over an emptied directory, a whiteout and a removed file': [
    (root) => {
      rmSync(`${root}/other/z`);
      renameSync(`${root}/a`, `${root}/other`);
    },
    (root) => {
      writeFileSync(`${root}/n`, '');
      rmSync(`${root}/n`);
      renameSync(`${root}/other/sub`, `${root}/n`);
    },
    (root) => renameSync(`${root}/n/deep`, `${root}/a`),
    (root) => {
      rmSync(`${root}/a/y`);
      rmdirSync(`${root}/a`);
    },
  ],
  'a child of a renamed directory is renamed within': [
    (root) => renameSync(`${root}/a`, `${root}/b`),
    (root) => renameSync(`${root}/b/sub`, `${root}/b/bus`),
    (root) => renameSync(`${root}/b/bus/deep`, `${root}/b/bus/deeper`),
    (root) => renameSync(`${root}/b`, `${root}/a`),
    (root) => renameSync(`${root}/a/bus`, `${root}/a/sub`),
  ],
};

describe.skipIf(skip)('a story of renamed directories', () => {
  for (const [name, steps] of Object.entries(STORIES)) {
    test(`${name}, each step by veneer`, async () => {
      scenario = new Scenario('redirect', { lower, upper: {} });
      for (const step of steps) await scenario.step('veneer', step);
    });

    test(`${name}, steps by turns`, async () => {
      scenario = new Scenario('redirect', { lower, upper: {} });
      for (const [index, step] of steps.entries()) await scenario.step(index % 2 === 0 ? 'kernel' : 'veneer', step);
    });

    test(`${name}, in one mount`, async () => {
      scenario = new Scenario('redirect', { lower, upper: {} });
      await scenario.step('veneer', (root) => {
        for (const step of steps) step(root);
      });
    });
  }
});

describe.skipIf(skip)('an upper with renamed directories', () => {
  test('works as a lower layer', async () => {
    scenario = new Scenario('redirect', { lower, upper: {} });
    const { staged } = scenario;
    await scenario.on('veneer', (root) => {
      renameSync(`${root}/a`, `${root}/b`);
      renameSync(`${root}/b/sub`, `${root}/sub`);
    });
    const again = new Scenario('redirect-lower', { lower: [{}], upper: {} }, [staged.upper!, ...staged.lowers]);
    try {
      const tree = await again.step('veneer', (root) => {
        renameSync(`${root}/b`, `${root}/c`);
        appendFileSync(`${root}/c/top`, '+');
        renameSync(`${root}/sub/deep`, `${root}/c/deep`);
      });
      expect([...tree.keys()].filter((path) => path.startsWith('c/'))).toEqual([
        'c/bottom',
        'c/deep',
        'c/deep/y',
        'c/top',
      ]);
    } finally {
      again.remove();
    }
  });
});
