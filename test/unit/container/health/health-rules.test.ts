import { describe, expect, test } from 'vitest';
import { STARTING, healthSettings, judge, pause } from '../../../../src/container/health/health-rules.js';
import type { HealthRecord } from '../../../../src/container/health/health-file.js';

describe('what a configuration asks for', () => {
  const DEFAULTS = { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 5000, retries: 3 };

  test.each([
    [{ Test: ['CMD', 'wget', '-q', 'x'] }, { command: ['wget', '-q', 'x'], ...DEFAULTS }],
    [{ Test: ['CMD-SHELL', 'true || false'] }, { command: ['/bin/sh', '-c', 'true || false'], ...DEFAULTS }],
    [
      { Test: ['CMD', 'x'], Interval: 1.5e9, Timeout: 2e8, StartPeriod: 6e10, StartInterval: 1e9, Retries: 7 },
      { command: ['x'], interval: 1500, timeout: 200, startPeriod: 60_000, startInterval: 1000, retries: 7 },
    ],
    [
      { Test: ['CMD', 'x'], Interval: 0, Retries: 0 },
      { command: ['x'], ...DEFAULTS },
    ],
    [{ Test: ['NONE'] }, undefined],
    [{ Test: [] }, undefined],
    [{ Test: ['CMD'] }, undefined],
    [{ Interval: 1e9 }, undefined],
    [undefined, undefined],
  ])('%j', (check, expected) => {
    expect(healthSettings(check)).toEqual(expected);
  });

  test('the shell of the image', () => {
    expect(healthSettings({ Test: ['CMD-SHELL', 'x'] }, ['bash', '-lc'])?.command).toEqual(['bash', '-lc', 'x']);
  });
});

describe('what checks come to', () => {
  const settings = healthSettings({ Test: ['CMD', 'x'], StartPeriod: 1e10, Retries: 2 });
  if (settings === undefined) throw new Error('no settings');
  const probe = (code: number): HealthRecord['Log'][number] => ({ Start: '', End: '', ExitCode: code, Output: '' });
  const after = (codes: readonly number[], age: number): HealthRecord => {
    let health = STARTING;
    for (const code of codes) health = judge(health, probe(code), { settings, age });
    return health;
  };

  test.each([
    [[0], 0, 'healthy', 0],
    [[1], 20_000, 'starting', 1],
    [[1, 1], 20_000, 'unhealthy', 2],
    [[1, 1, 1], 20_000, 'unhealthy', 3],
    [[1, 0, 1], 20_000, 'healthy', 1],
    [[1, 1, 0], 20_000, 'healthy', 0],
    [[-1, 2], 20_000, 'unhealthy', 2],
    // In the start period failures do not count, until it was well once.
    [[1, 1, 1], 5000, 'starting', 0],
    [[1, 0, 1, 1], 5000, 'unhealthy', 2],
  ] as const)('%j at %d ms: %s', (codes, age, status, streak) => {
    expect(after(codes, age)).toMatchObject({ Status: status, FailingStreak: streak });
  });

  test('the last five are kept', () => {
    expect(after([1, 2, 3, 4, 5, 6], 0).Log.map(({ ExitCode }) => ExitCode)).toEqual([2, 3, 4, 5, 6]);
  });

  test('in the start period they come more often, until it is well', () => {
    expect(pause(STARTING, { settings, age: 0 })).toBe(5000);
    expect(pause(STARTING, { settings, age: 10_000 })).toBe(30_000);
    expect(pause(after([0], 0), { settings, age: 0 })).toBe(30_000);
  });
});
