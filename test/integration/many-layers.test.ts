// A hundred layers and more: names, content and removals spread over all of them.

import { appendFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import { whiteout } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { Scenario } from '../helpers/scenario.js';
import { expectSameTree } from '../helpers/tree.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;

/** Layer n of `count`, 0 the top: its own file, one that all have, a directory, a removal of what is just below. */
const layer = (n: number, count: number): LayerSpec => {
  const spec: Record<string, LayerNode | string> = {
    [`own-${String(n)}`]: String(n),
    all: `layer ${String(n)}`,
    [`d/${String(n)}`]: '',
    [`deep/${String(n % 10)}/${String(n)}`]: '',
  };
  if (n % 3 === 0 && n + 1 < count) spec[`d/${String(n + 1)}`] = whiteout();
  return spec;
};

const layers = (count: number): LayerSpec[] => Array.from({ length: count }, (_, n) => layer(n, count));

let scenario: Scenario;
afterEach(() => scenario.remove());

describe.skipIf(skip)('a stack of layers', () => {
  test('of 100 shows and changes what kernel overlayfs shows', async () => {
    scenario = new Scenario('layers', { lower: layers(100), upper: {} });
    const before = await scenario.on('kernel', (root) => scenario.tree(root));
    await scenario.on('veneer', (root) => {
      expectSameTree(before, scenario.tree(root));
      expect(readFileSync(`${root}/all`, 'utf8')).toBe('layer 0');
      expect(readdirSync(`${root}/d`)).toHaveLength(67);
      expect(
        new Set(readdirSync(`${root}/d`).map((name) => statSync(`${root}/d/${name}`, { bigint: true }).ino)).size,
      ).toBe(67);
    });
    await scenario.step('veneer', (root) => {
      appendFileSync(`${root}/own-99`, '+');
      renameSync(`${root}/deep`, `${root}/deeper`);
      rmSync(`${root}/d/50`, { force: true });
      rmSync(`${root}/deeper/3`, { recursive: true });
      mkdirSync(`${root}/deeper/3`);
    });
  });

  test('of 300 can be mounted read-only', async () => {
    scenario = new Scenario('layers', { lower: layers(300) });
    await scenario.on('veneer', (root) => {
      expect(readFileSync(`${root}/own-299`, 'utf8')).toBe('299');
      expect(readdirSync(`${root}/d`)).toHaveLength(200);
    });
    scenario.expectLowersUnchanged();
  });
});
