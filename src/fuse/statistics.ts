// Counts and latencies by operation. Nothing is counted while nobody watches: a request then costs one look at a number.

import { opcodeName } from './wire/abi.js';

/** Numbers that the file system keeps by itself, always. */
export const GAUGES = ['nodes', 'namesKnown', 'namesFound'] as const;
export type Gauge = (typeof GAUGES)[number];

/** Opcodes beyond share the last place. */
const OPCODES = 64;
/** Upper bounds grow by the fourth root of two, from 1 microsecond to 16 seconds. */
const BUCKETS = 97;
const PER_DOUBLING = 4;

const [COUNT, ERRORS, TOTAL, MAX, FIRST_BUCKET] = [0, 1, 2, 3, 4];
const WIDTH = FIRST_BUCKET + BUCKETS;

/** Of one operation, since counting began. Times are microseconds from reading the request to having sent the reply. */
export interface OperationCounts {
  readonly count: number;
  readonly errors: number;
  readonly total: number;
  readonly max: number;
  /** How many took at most `bucketLimit(index)`, and longer than the limit before. */
  readonly buckets: readonly number[];
}

export interface StatisticsSnapshot {
  readonly operations: Readonly<Record<string, OperationCounts>>;
  readonly gauges: Readonly<Record<Gauge, number>>;
}

/** In microseconds. */
export const bucketLimit = (index: number): number => 2 ** (index / PER_DOUBLING);

export class Statistics {
  #watchers = 0;
  readonly #gauges = new Float64Array(GAUGES.length);
  /** For those who look; made for the first one. */
  #operations = new Float64Array(0);

  /** Whether operations are to be recorded. */
  get watched(): boolean {
    return this.#watchers > 0;
  }

  /** One more who looks; the first one finds all counts at zero. */
  watch(): void {
    if (this.#watchers === 0) this.#operations = new Float64Array(OPCODES * WIDTH);
    this.#watchers += 1;
  }

  unwatch(): void {
    this.#watchers -= 1;
  }

  setGauge(gauge: Gauge, value: number): void {
    this.#gauges[GAUGES.indexOf(gauge)] = value;
  }

  /** An answered request. `microseconds` as for OperationCounts. */
  record(op: number, microseconds: number, failed: boolean): void {
    const at = Math.min(op, OPCODES - 1) * WIDTH;
    const operations = this.#operations;
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.ceil(PER_DOUBLING * Math.log2(microseconds))));
    operations[at + COUNT]! += 1;
    if (failed) operations[at + ERRORS]! += 1;
    operations[at + TOTAL]! += microseconds;
    if (microseconds > operations[at + MAX]!) operations[at + MAX] = microseconds;
    operations[at + FIRST_BUCKET + bucket]! += 1;
  }

  snapshot(): StatisticsSnapshot {
    const operations: Record<string, OperationCounts> = {};
    for (let op = 0; op < OPCODES; op += 1) {
      const row = this.#operations.subarray(op * WIDTH, (op + 1) * WIDTH);
      const [count = 0, errors = 0, total = 0, max = 0, ...buckets] = row;
      if (count > 0) operations[opcodeName(op)] = { count, errors, total, max, buckets };
    }
    const gauges = Object.fromEntries(GAUGES.map((name, index) => [name, this.#gauges[index] ?? 0]));
    return { operations, gauges: gauges as Record<Gauge, number> };
  }
}
