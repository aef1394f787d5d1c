import { expect, test } from 'vitest';
import { newContainerId } from '../../../src/container/container-id.js';
import { randomName } from '../../../src/container/container-names.js';

test('a name is a word and a surname', () => {
  for (let count = 0; count < 100; count += 1) expect(randomName(() => false)).toMatch(/^[a-z]+_[a-z]+$/);
});

test('when names are taken, a number makes the difference', () => {
  expect(randomName((name) => !/[0-9]$/.test(name))).toMatch(/^[a-z]+_[a-z]+[0-9]+$/);
});

test('an ID is 64 hex digits, another one each time', () => {
  const ids = Array.from({ length: 100 }, newContainerId);
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^(?![0-9]{12})[0-9a-f]{64}$/);
});
