import { describe, expect, test } from 'vitest';
import { mapArguments, subordinateRanges } from '../../../src/rootless/subordinate-ids.js';

const TEXT = `root:100000:65536
# ada:1:1
ada:165536:65536

1000:300000:1000
adam:500000:1000
ada:900000:0
ada:broken
ada:400000:10
`;

describe('subordinateRanges', () => {
  test.each([
    ['by name and by number', { name: 'ada', uid: 1000 }, [165_536, 300_000, 400_000]],
    ['by number alone', { name: undefined, uid: 1000 }, [300_000]],
    ['none', { name: 'eve', uid: 1001 }, []],
  ])('finds a user %s', (_what, user, firsts) => {
    expect(subordinateRanges(TEXT, user).map(({ first }) => first)).toEqual(firsts);
  });

  test('takes no more than the kernel has lines for', () => {
    const text = Array.from({ length: 400 }, (_, index) => `ada:${String(100_000 + index * 10)}:10\n`).join('');
    expect(subordinateRanges(text, { name: 'ada', uid: 1000 })).toHaveLength(339);
  });
});

test('mapArguments puts the user first and the ranges behind each other', () => {
  const ranges = subordinateRanges(TEXT, { name: 'ada', uid: 1000 });
  expect(mapArguments(1000, ranges).join(' ')).toBe('0 1000 1 1 165536 65536 65537 300000 1000 66537 400000 10');
});
