import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readyCgroups } from '../../../src/runtime/ready-cgroups.js';

const own = (): string => readFileSync('/proc/self/cgroup', 'latin1');

test('a process stays where it is', async () => {
  const before = own();
  await readyCgroups();
  expect(own()).toBe(before);
});
