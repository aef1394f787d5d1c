// Cases of the differential test: layers and a history of operations, made from a seed or kept in found/.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { dir } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { fuzzLayers } from './fuzz-layers.js';
import type { FuzzLayers } from './fuzz-layers.js';
import { operation } from './fuzz-operations.js';
import type { Operation } from './fuzz-operations.js';

/** Cases that once failed, shrunk: the normal run replays them. */
export const FOUND = path.join(import.meta.dirname, 'found');

const DEPTH = 3;

export interface Case {
  /** A file name. */
  readonly name: string;
  readonly layers: FuzzLayers;
  readonly operations: readonly Operation[];
}

export function makeCase(seed: number, length: number): Case {
  const operations = fc.array(operation, { minLength: length, maxLength: length });
  const [layers, sequence] = fc.sample(fc.tuple(fuzzLayers, operations), { seed, numRuns: 1 })[0]!;
  return { name: `seed-${String(seed)}`, layers, operations: sequence };
}

export function foundCases(): Case[] {
  return readdirSync(FOUND)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const kept = JSON.parse(readFileSync(path.join(FOUND, name), 'utf8')) as Omit<Case, 'name'>;
      return { name: path.basename(name, '.json'), layers: kept.layers, operations: kept.operations };
    });
}

/** The layers of all cases, each in its own directory. */
export function combineCases(cases: readonly Case[]): { lower: LayerSpec[]; upper: LayerSpec } {
  const below = ({ name }: Case, spec: LayerSpec): [string, LayerNode | string][] => [
    [name, dir()],
    ...Object.entries(spec).map(([at, node]): [string, LayerNode | string] => [
      `${name}/${at}`,
      typeof node === 'object' && node.kind === 'link' ? { kind: 'link', to: `${name}/${node.to}` } : node,
    ]),
  ];
  const lower = Array.from({ length: DEPTH }, (_, index) =>
    Object.fromEntries(cases.flatMap((one) => below(one, one.layers.lower[index] ?? {}))),
  );
  return {
    lower,
    upper: Object.fromEntries(
      cases.flatMap((one) => (Object.keys(one.layers.upper).length > 0 ? below(one, one.layers.upper) : [])),
    ),
  };
}
