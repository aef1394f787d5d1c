// Ratios and verdicts, once all workloads have run: some targets are ratios of other workloads.

import type { Verdict, WorkloadResult } from './result.js';
import type { Target } from './workload.js';

export const JUDGED = 'veneer';

/** ratios[a][b] is the median of a divided by that of b. One that its clock could not tell from zero has no ratios. */
export function ratiosOf(workload: Pick<WorkloadResult, 'results'>): WorkloadResult['ratios'] {
  const done = workload.results.flatMap((result) =>
    result.status === 'ok' && result.seconds.median > 0 ? [result] : [],
  );
  return Object.fromEntries(
    done.map((one) => [
      one.backend,
      Object.fromEntries(
        done
          .filter((other) => other !== one)
          .map((other) => [other.backend, one.seconds.median / other.seconds.median]),
      ),
    ]),
  );
}

function verdict(target: Target, workload: WorkloadResult, all: readonly WorkloadResult[]): Verdict | undefined {
  const ratioIn = (one: WorkloadResult | undefined): number | undefined => one?.ratios[JUDGED]?.[target.against];
  const ratio = ratioIn(workload);
  const limit = 'limit' in target ? target.limit : ratioIn(all.find(({ name }) => name === target.notWorseThan));
  if (ratio === undefined || limit === undefined) return undefined;
  const below = 'below' in target;
  return { against: target.against, ratio, limit, below, met: below ? ratio < limit : ratio <= limit };
}

/** Adds the verdicts; targets whose backends or workloads did not run are left out. */
export function judge(
  workloads: readonly WorkloadResult[],
  targetsOf: (name: string) => readonly Target[],
): WorkloadResult[] {
  return workloads.map((workload) => ({
    ...workload,
    targets: targetsOf(workload.name).flatMap((target) => verdict(target, workload, workloads) ?? []),
  }));
}
