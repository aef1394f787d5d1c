import { describe, expect, test } from 'vitest';
import { Statistics } from '../../../src/fuse/index.js';
import { ratesBetween } from '../../../src/overlay/statistics-rates.js';
import type { ServerStatistics } from '../../../src/overlay/statistics-door.js';

const LOOKUP = 1;
const GETATTR = 3;

describe('ratesBetween', () => {
  const statistics = new Statistics();
  const taken = (at: number, used: number): ServerStatistics => ({
    ...statistics.snapshot(),
    at,
    memory: { proportional: 40e6, resident: 80e6 },
    processor: { user: used, system: used },
  });
  statistics.watch();
  statistics.setGauge('namesKnown', 5);
  statistics.record(LOOKUP, 5000, true);
  statistics.record(GETATTR, 10, false);
  const before = taken(1000, 0);
  for (let index = 0; index < 99; index += 1) statistics.record(LOOKUP, 10, false);
  statistics.record(LOOKUP, 1000, true);
  statistics.setGauge('namesKnown', 8);
  statistics.setGauge('namesFound', 1);
  statistics.setGauge('nodes', 3);
  const rates = ratesBetween(before, taken(3000, 500_000));

  test('counts what came between', () => {
    expect(rates).toMatchObject({
      seconds: 2,
      perSecond: 50,
      names: { known: 3, searched: 1 },
      nodes: 3,
      memory: { proportional: 40e6, resident: 80e6 },
      processor: 0.5,
    });
    expect(rates.operations.map(({ operation }) => operation)).toEqual(['LOOKUP']);
    expect(rates.operations[0]).toMatchObject({ perSecond: 50, errors: 1, mean: (99 * 10 + 1000) / 100, max: 5000 });
  });

  test('has percentiles at most a fifth above the truth', () => {
    const { p50, p90, p99 } = rates.operations[0]!;
    for (const value of [p50, p90, p99]) {
      expect(value).toBeGreaterThanOrEqual(10);
      expect(value).toBeLessThan(12);
    }
  });

  test('of nothing is nothing', () => {
    const same = taken(1000, 0);
    expect(ratesBetween(same, { ...same, at: 2000 })).toMatchObject({ perSecond: 0, operations: [], processor: 0 });
  });
});
