import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ReadAhead } from '../../../src/stack/read-ahead.js';
import type { RealDir } from '../../../src/stack/index.js';

const touched = vi.hoisted(() => [] as (readonly string[])[]);
vi.mock(import('../../../src/sys/index.js'), async (original) => ({
  ...(await original()),
  touchAside: (paths) => {
    touched.push(paths);
  },
}));

const parts = (count: number): RealDir[] =>
  Array.from({ length: count }, (_, n) => ({ fd: () => (n === 20 ? -2 : 100 + n) }) as unknown as RealDir);

/** Searches all parts, each of which takes so many milliseconds. */
function search(count: number, { from = 0, each = 0 }): string[] {
  touched.length = 0;
  let now = 5;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const readAhead = new ReadAhead(parts(count), 'name', from);
  for (let index = from; index < count; index += 1) {
    readAhead.before(index);
    now += each;
  }
  clock.mockRestore();
  return touched.flat();
}

beforeEach(() => {
  touched.length = 0;
});

describe('reading ahead', () => {
  const path = (part: number): string => `/proc/self/fd/${String(100 + part)}/name/.wh..wh..opq`;

  test('asks for all parts but the first ones, once, when those come from the disk', () => {
    const expected = Array.from({ length: 60 }, (_, n) => n + 4).filter((n) => n !== 20);
    expect(search(64, { each: 0.1 }).sort()).toEqual(expected.map(path).sort());
    expect(touched.length).toBe(4);
  });

  test('begins where the search does', () => {
    expect(search(32, { from: 16, each: 0.1 })).toContain(path(21));
    expect(search(32, { from: 16, each: 0.1 })).not.toContain(path(19));
  });

  test('asks for nothing when they are in memory, nor for a few parts', () => {
    expect(search(64, { each: 0.01 })).toEqual([]);
    expect(search(11, { each: 1 })).toEqual([]);
    expect(search(64, { from: 53, each: 1 })).toEqual([]);
  });
});
