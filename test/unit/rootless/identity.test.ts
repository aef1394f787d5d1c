import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { coversAll, parseIdMap } from '../../../src/rootless/identity.js';

describe('a map of ids', () => {
  test.each([
    ['of the machine', '         0          0 4294967295\n', true],
    ['of a user with subordinate ids', '         0       1001          1\n         1     100000      65536\n', false],
    ['of a container whose root is another', '0 100000 65536\n', false],
    ['of a user who is himself', '1000 1000 1\n', false],
    ['that nobody has written yet', '', false],
  ])('%s', (_what, text, all) => {
    expect(coversAll(parseIdMap(text))).toBe(all);
  });

  test('is read as the kernel writes it', () => {
    const [first] = parseIdMap(readFileSync('/proc/self/uid_map', 'latin1'));
    expect(first).toMatchObject({ inside: 0 });
  });
});
