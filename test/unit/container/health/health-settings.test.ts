import { describe, expect, test } from 'vitest';
import { healthSettings } from '../../../../src/container/health/health-settings.js';

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
