import { describe, expect, test } from 'vitest';
import { Statistics, bucketLimit } from '../../../src/fuse/statistics.js';
import { opcode } from '../../../src/fuse/wire/abi.js';
import { golden } from './golden.js';
import { Harness, turn } from './harness.js';

describe('Statistics', () => {
  test('count operations and show gauges', () => {
    const statistics = new Statistics();
    statistics.watch();
    statistics.record(opcode.LOOKUP, 3, false);
    statistics.record(opcode.LOOKUP, 500, true);
    statistics.setGauge('nodes', 7);
    const { operations, gauges } = statistics.snapshot();
    expect(Object.keys(operations)).toEqual(['LOOKUP']);
    expect(operations['LOOKUP']).toMatchObject({ count: 2, errors: 1, total: 503, max: 500 });
    expect(gauges).toEqual({ nodes: 7, namesKnown: 0, namesFound: 0 });
  });

  test.each([
    [0.2, 0],
    [1, 0],
    [1.01, 1],
    [2, 4],
    [100, 27],
    [1e9, 96],
  ])('%d microseconds are counted in the first bucket that holds them', (microseconds, bucket) => {
    const statistics = new Statistics();
    statistics.watch();
    statistics.record(1, microseconds, false);
    expect(statistics.snapshot().operations['LOOKUP']!.buckets.indexOf(1)).toBe(bucket);
    if (microseconds < 1e7) expect(bucketLimit(bucket)).toBeGreaterThanOrEqual(microseconds);
    if (bucket > 0) expect(bucketLimit(bucket - 1)).toBeLessThan(microseconds);
  });

  test('begin at zero for the first who watches, and go on for the next', () => {
    const statistics = new Statistics();
    statistics.record(opcode.MKDIR, 1, false);
    statistics.watch();
    expect(statistics.snapshot().operations).toEqual({});
    statistics.record(opcode.MKDIR, 1, false);
    statistics.watch();
    statistics.unwatch();
    expect(statistics.watched).toBe(true);
    expect(statistics.snapshot().operations['MKDIR']!.count).toBe(1);
    statistics.unwatch();
    expect(statistics.watched).toBe(false);
  });

  test('keep opcodes of the future together', () => {
    const statistics = new Statistics();
    statistics.watch();
    statistics.record(4096, 1, false);
    statistics.record(63, 1, false);
    expect(statistics.snapshot().operations).toMatchObject({ 'opcode 63': { count: 2 } });
  });
});

describe('the dispatcher', () => {
  test('records nothing while nobody watches', () => {
    const harness = new Harness();
    harness.send(golden('lookup').request);
    expect(harness.statistics.snapshot().operations).toEqual({});
  });

  test('records answers, errors, and what has no answer', () => {
    const harness = new Harness();
    harness.statistics.watch();
    harness.send(golden('lookup').request);
    harness.filesystem.answer = () => -2;
    harness.send(golden('lookup').request);
    harness.send(golden('forget').request);
    const { operations } = harness.statistics.snapshot();
    expect(operations).toMatchObject({ LOOKUP: { count: 2, errors: 1 }, FORGET: { count: 1, errors: 0 } });
    expect(operations['LOOKUP']!.total).toBeGreaterThan(0);
  });

  test('records a promised answer when it has been sent', async () => {
    const harness = new Harness();
    harness.statistics.watch();
    let settle = (_: number): void => undefined;
    harness.filesystem.answer = () => new Promise<number>((resolve) => (settle = resolve));
    harness.send(golden('lookup').request);
    expect(harness.statistics.snapshot().operations).toEqual({});
    settle(0);
    await turn();
    expect(harness.statistics.snapshot().operations).toMatchObject({ LOOKUP: { count: 1, errors: 0 } });
  });
});
