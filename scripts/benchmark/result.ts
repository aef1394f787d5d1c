// What a run of the benchmark has found: the JSON that it writes is this, unchanged.

import type { Machine } from './machine.js';
import type { Summary } from './statistics.js';

export interface LeftOut {
  readonly name: string;
  readonly reason: string;
}

export type BackendResult = { readonly backend: string } & (
  | {
      readonly status: 'ok';
      /** Of one repetition, in the order of the rounds. */
      readonly samples: readonly number[];
      readonly seconds: Summary;
      /** Median of the processor time of the file system's server, over all repetitions of a round. */
      readonly serverSeconds?: number;
    }
  | { readonly status: 'failed'; readonly reason: string }
);

export interface Verdict {
  readonly against: string;
  /** Median of veneer divided by median of `against`. */
  readonly ratio: number;
  readonly limit: number;
  /** Whether the ratio has to be below the limit, not at most the limit. */
  readonly below: boolean;
  readonly met: boolean;
}

export interface WorkloadResult {
  readonly name: string;
  readonly title: string;
  readonly group: string;
  readonly results: readonly BackendResult[];
  /** Of medians: ratios[a][b] is a / b. Absent where one of them failed or took no measurable time. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly targets: readonly Verdict[];
}

export interface Report {
  readonly format: 1;
  readonly date: string;
  readonly machine: Machine;
  readonly settings: {
    readonly rounds: number;
    readonly quick: boolean;
    readonly backends: readonly string[];
    readonly tree: string;
  };
  readonly leftOut: { readonly backends: readonly LeftOut[]; readonly workloads: readonly LeftOut[] };
  readonly workloads: readonly WorkloadResult[];
}

export const medianOf = (workload: WorkloadResult, backend: string): number | undefined => {
  const result = workload.results.find((one) => one.backend === backend);
  return result?.status === 'ok' ? result.seconds.median : undefined;
};

export const failuresOf = (report: Report): readonly string[] =>
  report.workloads.flatMap(({ name, results }) =>
    results.flatMap((result) => (result.status === 'failed' ? [`${name} on ${result.backend}: ${result.reason}`] : [])),
  );
