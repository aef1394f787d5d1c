import { describe, expect, test } from 'vitest';
import { below, randomFrom, text } from '../../../scripts/benchmark/random.js';

const first = (seed: number, count: number): number[] => {
  const random = randomFrom(seed);
  return Array.from({ length: count }, random);
};

describe('randomFrom', () => {
  // By mulberry32 in arbitrary-precision integers.
  test.each([
    [0, [1144304738, 1416247, 958946056, 627933444]],
    [1, [2693262067, 11749833, 2265367787, 4213581821]],
    [12345, [4207900869, 1317490944, 2079646450, 3513001552]],
  ])('is mulberry32, with seed %d', (seed, words) => {
    expect(first(seed, 4).map((value) => value * 2 ** 32)).toEqual(words);
  });

  test('goes on alike from the same seed, whoever else draws', () => {
    const [one, other] = [randomFrom(7), randomFrom(7)];
    const drawn = [one(), one(), one()];
    randomFrom(7)();
    expect([other(), other(), other()]).toEqual(drawn);
  });

  test('stays in [0, 1) and fills its tenths evenly', () => {
    const values = first(3, 10_000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const tenths = Array.from(
      { length: 10 },
      (_, at) => values.filter((value) => Math.floor(value * 10) === at).length,
    );
    expect(Math.min(...tenths)).toBeGreaterThan(900);
    expect(Math.max(...tenths)).toBeLessThan(1100);
  });
});

describe('below', () => {
  test('is an integer from 0 to less than the limit', () => {
    expect([0, 0.24, 0.25, 0.99999].map((value) => below(() => value, 4))).toEqual([0, 0, 1, 3]);
  });
});

describe('text', () => {
  test.each([0, 1, 2, 100, 4096])('has %d bytes, the last of them a line end', (bytes) => {
    const made = text(randomFrom(5), bytes);
    expect(Buffer.byteLength(made)).toBe(bytes);
    expect(made.endsWith('\n')).toBe(bytes > 0);
  });

  test('is words in lines, the same for the same seed and others for another', () => {
    const made = text(randomFrom(5), 2000);
    expect(made).toMatch(/^([a-z]+\d+[ \n])+[a-z]*\d*\n$/);
    expect(made.split('\n').length).toBeGreaterThan(10);
    expect(text(randomFrom(5), 2000)).toBe(made);
    expect(text(randomFrom(6), 2000)).not.toBe(made);
  });
});
