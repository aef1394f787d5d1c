import { describe, expect, test } from 'vitest';
import { quantile, summarize } from '../../../scripts/benchmark/statistics.js';

describe('quantile', () => {
  test.each([
    ['the middle of an odd number', [9, 1, 5], 0.5, 5],
    ['between the two middles of an even number', [4, 1, 10, 2], 0.5, 3],
    ['a quarter of the way between neighbours', [0, 4], 0.25, 1],
    ['the smallest', [3, 2, 1], 0, 1],
    ['the largest', [3, 9, 1], 1, 9],
    ['the only one', [7], 0.75, 7],
  ])('is %s', (_what, samples, share, expected) => {
    expect(quantile(samples, share)).toBe(expected);
  });

  test('sorts by value, not by spelling, and leaves the samples as they are', () => {
    const samples = [10, 9, 100];
    expect(quantile(samples, 0.5)).toBe(10);
    expect(samples).toEqual([10, 9, 100]);
  });

  test('of no samples is no number', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('summarize', () => {
  test('has quartiles between neighbours, and the extremes', () => {
    expect(summarize([8, 1, 4, 2])).toEqual({ min: 1, q1: 1.75, median: 3, q3: 5, max: 8, mad: 1.5 });
  });

  test('has a median deviation that one slow round does not move', () => {
    expect(summarize([10, 11, 12, 13, 14]).mad).toBe(1);
    expect(summarize([10, 11, 12, 13, 9000])).toMatchObject({ median: 12, mad: 1 });
  });

  test('of one sample is that sample, without deviation', () => {
    expect(summarize([0.5])).toEqual({ min: 0.5, q1: 0.5, median: 0.5, q3: 0.5, max: 0.5, mad: 0 });
  });
});
