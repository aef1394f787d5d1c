import { describe, expect, test } from 'vitest';
import { ago, humanDuration, timestamp } from '../../../src/cli/time.js';

const DAY = 86400;

// The values of docker/go-units duration_test.go.
describe('humanDuration', () => {
  test.each([
    [0.45, 'Less than a second'],
    [1, '1 second'],
    [45, '45 seconds'],
    [60, 'About a minute'],
    [119, 'About a minute'],
    [180, '3 minutes'],
    [3600, 'About an hour'],
    [3600 + 29 * 60, 'About an hour'],
    [3600 + 31 * 60, '2 hours'],
    [35 * 3600, '35 hours'],
    [48 * 3600, '2 days'],
    [13 * DAY, '13 days'],
    [14 * DAY, '2 weeks'],
    [15 * 7 * DAY, '3 months'],
    [23 * 30 * DAY, '23 months'],
    [24 * 30 * DAY, '24 months'],
    [2 * 365 * DAY, '2 years'],
    [999 * 365 * DAY, '999 years'],
  ])('%d s', (seconds, words) => {
    expect(humanDuration(seconds)).toBe(words);
  });
});

describe('ago', () => {
  test('counts from now', () => {
    expect(ago(new Date(0), new Date(5000))).toBe('5 seconds ago');
  });

  test('says N/A where there is no time', () => {
    expect(ago(undefined)).toBe('N/A');
    expect(ago(new Date(Number.NaN))).toBe('N/A');
    expect(timestamp(undefined)).toBe('N/A');
  });
});

describe('timestamp', () => {
  test('has the zone', () => {
    expect(timestamp(new Date(Date.UTC(2024, 1, 3, 4, 5, 6)))).toMatch(
      /^2024-02-0\d \d\d:\d\d:06 [+-]\d{4} [A-Z]+[+-]?\d*$/,
    );
  });
});
