// Memory is given back when most nodes are gone, and not before.

import { expect, it } from 'vitest';
import { MemoryReturn } from '../../../src/overlay/memory.js';

/** How often a collection is asked for while the number of nodes goes through `counts`. */
function collections(counts: readonly number[]): number {
  let count = 0;
  let collected = 0;
  const memory = new MemoryReturn(
    () => count,
    () => (collected += 1),
  );
  for (count of counts) memory.idle();
  return collected;
}

it('memory is collected once when half of many nodes are gone', () => {
  expect(collections([10, 50_000, 26_000, 24_000, 23_000])).toBe(1);
});

it('memory is collected again after the next big tree', () => {
  expect(collections([50_000, 10, 50_000, 10])).toBe(2);
});

it('a small tree is not worth a collection', () => {
  expect(collections([19_000, 0])).toBe(0);
});

/** Many arrays of numbers, some 30 MB. */
function manyArrays(): number[][] {
  return Array.from({ length: 40_000 }, (_, index) => Array.from({ length: 100 }, () => index));
}

it('a collection frees what is no longer referred to', () => {
  const tree = { nodes: manyArrays() };
  const memory = new MemoryReturn(() => tree.nodes.length);
  memory.idle();
  const full = process.memoryUsage().heapUsed;
  tree.nodes = [];
  memory.idle();
  expect(process.memoryUsage().heapUsed).toBeLessThan(full - (10 << 20));
});
