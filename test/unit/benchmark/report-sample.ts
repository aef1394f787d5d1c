// A report to draw from: two workloads, of which each backend did the first, with round figures.

import { JUDGED, judge, ratiosOf } from '../../../scripts/benchmark/judge.js';
import type { BackendResult, Report, WorkloadResult } from '../../../scripts/benchmark/result.js';
import type { Target } from '../../../scripts/benchmark/workload.js';

export { JUDGED };

/** One that took as long in each round; or, with a text in place of seconds, failed for this reason. */
export function result(backend: string, median: number | string): BackendResult {
  if (typeof median === 'string') return { backend, status: 'failed', reason: median };
  const seconds = { min: median, q1: median, median, q3: median, max: median, mad: median / 20 };
  return { backend, status: 'ok', samples: [median], seconds };
}

/** Medians by backend, as `result` takes them. */
export function workload(name: string, medians: Readonly<Record<string, number | string>>): WorkloadResult {
  const results = Object.entries(medians).map(([backend, median]) => result(backend, median));
  return { name, title: `${name} of a tree`, group: 'metadata', results, ratios: ratiosOf({ results }), targets: [] };
}

export interface Sample {
  readonly backends?: readonly string[];
  readonly workloads?: readonly WorkloadResult[];
  readonly targets?: Readonly<Record<string, readonly Target[]>>;
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly processor?: string;
  readonly leftOut?: Report['leftOut'];
}

export const BACKENDS = ['host', 'kernel', 'veneer', 'fuse-overlayfs'];

export const WORKLOADS: readonly WorkloadResult[] = [
  workload('untar', { host: 2, kernel: 4, veneer: 6, 'fuse-overlayfs': 16 }),
  workload('rm-rf', { host: 0.2, kernel: 0.5, veneer: 0.25, 'fuse-overlayfs': 'exit code 1' }),
];

export function sampleReport(sample: Sample = {}): Report {
  return {
    format: 1,
    date: '2026-11-21T10:20:30.000Z',
    machine: {
      processor: sample.processor ?? 'Example CPU',
      cpus: 2,
      memoryMiB: 4096,
      virtualization: 'kvm',
      kernel: '6.18.44 #1 SMP',
      filesystem: 'ext4 /dev/vda1 rw,relatime',
      overlayDefaults: {},
      loadAverage: 0.1,
      commit: 'abc1234',
      versions: { node: 'v20.0.0' },
    },
    settings: {
      rounds: sample.rounds ?? 5,
      quick: sample.quick ?? false,
      backends: sample.backends ?? BACKENDS,
      tree: 'generated',
    },
    leftOut: sample.leftOut ?? { backends: [], workloads: [] },
    workloads: judge(sample.workloads ?? WORKLOADS, (name) => sample.targets?.[name] ?? []),
  };
}
