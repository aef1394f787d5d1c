// From counts at two moments to what happened between them.

import { bucketLimit } from '../fuse/index.js';
import type { OperationCounts } from '../fuse/index.js';
import type { ServerStatistics } from './statistics-door.js';

/** Times in microseconds, from the server's reading a request to its having answered. */
export interface OperationRate {
  readonly operation: string;
  readonly perSecond: number;
  readonly errors: number;
  readonly mean: number;
  /** Upper bounds, at most a fifth above the true value. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Since counting began. */
  readonly max: number;
}

export interface ServerRates {
  /** Of the time that was looked at. */
  readonly seconds: number;
  readonly perSecond: number;
  /** Busiest first. */
  readonly operations: readonly OperationRate[];
  /** Names that the kernel asked for: how many had a node already, and how many were searched for in the layers. */
  readonly names: { readonly known: number; readonly searched: number };
  /** Files and directories that the kernel holds. */
  readonly nodes: number;
  /** Bytes. */
  readonly memory: ServerStatistics['memory'];
  /** Of one processor, 0 to 1 and above. */
  readonly processor: number;
}

const NOTHING: OperationCounts = { count: 0, errors: 0, total: 0, max: 0, buckets: [] };

function percentile(buckets: readonly number[], share: number, max: number): number {
  const wanted = share * buckets.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const index = buckets.findIndex((count) => (seen += count) >= wanted);
  return Math.min(max, bucketLimit(index));
}

function rateOf(
  operation: string,
  { before, after, seconds }: { before: OperationCounts; after: OperationCounts; seconds: number },
): OperationRate {
  const count = after.count - before.count;
  const buckets = after.buckets.map((value, index) => value - (before.buckets[index] ?? 0));
  const at = (share: number): number => percentile(buckets, share, after.max);
  return {
    operation,
    perSecond: count / seconds,
    errors: after.errors - before.errors,
    mean: (after.total - before.total) / count,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: after.max,
  };
}

/** What happened between two looks at one server. */
export function ratesBetween(before: ServerStatistics, after: ServerStatistics): ServerRates {
  const seconds = (after.at - before.at) / 1000;
  const operations = Object.entries(after.operations)
    .filter(([name, { count }]) => count > (before.operations[name]?.count ?? 0))
    .map(([name, counts]) => rateOf(name, { before: before.operations[name] ?? NOTHING, after: counts, seconds }))
    .toSorted((a, b) => b.perSecond - a.perSecond);
  const used = (one: ServerStatistics): number => one.processor.user + one.processor.system;
  return {
    seconds,
    perSecond: operations.reduce((sum, { perSecond }) => sum + perSecond, 0),
    operations,
    names: {
      known: after.gauges.namesKnown - before.gauges.namesKnown,
      searched: after.gauges.namesFound - before.gauges.namesFound,
    },
    nodes: after.gauges.nodes,
    memory: after.memory,
    processor: (used(after) - used(before)) / 1e6 / seconds,
  };
}
