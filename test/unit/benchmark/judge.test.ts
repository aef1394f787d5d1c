import { describe, expect, test } from 'vitest';
import { judge, ratiosOf } from '../../../scripts/benchmark/judge.js';
import type { Verdict } from '../../../scripts/benchmark/result.js';
import type { Target } from '../../../scripts/benchmark/workload.js';
import { result, workload } from './report-sample.js';

describe('ratiosOf', () => {
  test('divides medians both ways, and none by itself', () => {
    expect(ratiosOf({ results: [result('veneer', 6), result('kernel', 4)] })).toEqual({
      veneer: { kernel: 1.5 },
      kernel: { veneer: 4 / 6 },
    });
  });

  test.each([
    ['failed', 'exit code 1'],
    ['took no time that its clock could tell', 0],
  ])('leaves out who %s', (_what, median) => {
    const results = [result('veneer', 6), result('kernel', median), result('host', 3)];
    expect(ratiosOf({ results })).toEqual({ veneer: { host: 2 }, host: { veneer: 0.5 } });
  });
});

/** The verdict on a workload that took veneer this many seconds, and kernel overlayfs 2. */
function verdictOf(median: number | string, target: Target): Verdict | undefined {
  const [judged] = judge([workload('w', { kernel: 2, veneer: median })], () => [target]);
  return judged!.targets[0];
}

describe('judge', () => {
  test.each([
    ['at most 2, below it', 3, { against: 'kernel', limit: 2 }, true],
    ['at most 2, at it', 4, { against: 'kernel', limit: 2 }, true],
    ['at most 2, above it', 4.002, { against: 'kernel', limit: 2 }, false],
    ['below 1, below it', 1.998, { against: 'kernel', limit: 1, below: true }, true],
    ['below 1, at it', 2, { against: 'kernel', limit: 1, below: true }, false],
  ] satisfies [string, number, Target, boolean][])(
    'holds a ratio against a limit: %s',
    (_what, median, target, met) => {
      expect(verdictOf(median, target)).toEqual({
        against: 'kernel',
        ratio: median / 2,
        limit: target.limit,
        below: 'below' in target,
        met,
      });
    },
  );

  test.each([
    ['its own time', 'exit code 1', { against: 'kernel', limit: 2 }],
    ['the time of whom it is held against', 3, { against: 'fuse-overlayfs', limit: 2 }],
    ['the workload that is the limit', 3, { against: 'kernel', notWorseThan: 'absent' }],
  ] satisfies [string, number | string, Target][])('gives no verdict without %s', (_what, median, target) => {
    expect(verdictOf(median, target)).toBeUndefined();
  });

  test("takes another workload's ratio as the limit, wherever that workload stands", () => {
    const workloads = [
      workload('four', { kernel: 2, veneer: 5 }),
      workload('one', { kernel: 1, veneer: 2 }),
      workload('also-four', { kernel: 2, veneer: 4 }),
    ];
    const target: Target = { against: 'kernel', notWorseThan: 'one' };
    const judged = judge(workloads, (name) => (name === 'one' ? [] : [target]));
    expect(judged.map(({ name, targets }) => [name, targets.map(({ limit, met }) => [limit, met])])).toEqual([
      ['four', [[2, false]]],
      ['one', []],
      ['also-four', [[2, true]]],
    ]);
  });

  test('gives no verdict if the workload that is the limit failed', () => {
    const workloads = [workload('four', { kernel: 2, veneer: 5 }), workload('one', { kernel: 1, veneer: 'killed' })];
    const [four] = judge(workloads, () => [{ against: 'kernel', notWorseThan: 'one' }]);
    expect(four!.targets).toEqual([]);
  });

  test('gives each target of a workload a verdict of its own, and leaves the rest as it is', () => {
    const one = workload('w', { kernel: 2, veneer: 3, 'fuse-overlayfs': 4 });
    const targets: Target[] = [
      { against: 'kernel', limit: 1.15 },
      { against: 'fuse-overlayfs', limit: 1 },
    ];
    const [judged] = judge([one], () => targets);
    expect(judged!.targets.map(({ against, met }) => [against, met])).toEqual([
      ['kernel', false],
      ['fuse-overlayfs', true],
    ]);
    expect({ ...judged, targets: [] }).toEqual(one);
  });
});
