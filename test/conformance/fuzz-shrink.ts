// A failing case made as small as it gets: operations and entries of layers are dropped as long as it goes on failing.

import type { LayerSpec } from '../helpers/layer-spec.js';
import type { Case } from './fuzz-case.js';
import { withoutIdleWhiteouts } from './fuzz-layers.js';
import { failuresOf } from './fuzz-mounts.js';

/** Candidates that share one mount. */
const BATCH = 24;

/** A list without each of its runs of `size`. */
const withoutRuns = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, run) => [
    ...list.slice(0, run * size),
    ...list.slice((run + 1) * size),
  ]);

/** A layer without each of its entries, and what cannot be without it. */
function withoutEntries(spec: LayerSpec): LayerSpec[] {
  return Object.keys(spec).map((gone) =>
    Object.fromEntries(
      Object.entries(spec).filter(([at, node]) => {
        const needs = typeof node === 'object' && node.kind === 'link' ? node.to : '';
        return [at, needs].every((path) => path !== gone && !path.startsWith(`${gone}/`));
      }),
    ),
  );
}

function withoutLayerEntries(one: Case): Case[] {
  const stack = [one.layers.upper, ...one.layers.lower];
  return stack.flatMap((spec, index) =>
    withoutEntries(spec).map((smaller) => {
      const [upper, ...lower] = withoutIdleWhiteouts(stack.with(index, smaller));
      return { ...one, layers: { upper: upper!, lower } };
    }),
  );
}

/** The first of the candidates that fails, tried many at a time. */
async function firstFailing(candidates: readonly Case[]): Promise<Case | undefined> {
  for (let start = 0; start < candidates.length; start += BATCH) {
    const batch = candidates
      .slice(start, start + BATCH)
      .map((one, index) => ({ ...one, name: `try-${String(index)}` }));
    const failures = await failuresOf(batch);
    const found = batch.find((one) => failures.has(one));
    if (found !== undefined) return found;
  }
  return undefined;
}

export async function shrinkCase(failing: Case): Promise<Case> {
  let smallest = failing;
  let size = Math.ceil(failing.operations.length / 2);
  while (size >= 1) {
    const candidates = withoutRuns(smallest.operations, size).map((operations) => ({ ...smallest, operations }));
    const smaller = await firstFailing(candidates);
    if (smaller === undefined) size = size === 1 ? 0 : Math.ceil(size / 2);
    else smallest = smaller;
    size = Math.min(size, smallest.operations.length);
  }
  for (;;) {
    const smaller = await firstFailing(withoutLayerEntries(smallest));
    if (smaller === undefined) return { ...smallest, name: failing.name };
    smallest = smaller;
  }
}
