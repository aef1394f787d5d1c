import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SpaceReserve } from '../../../src/store/space-reserve.js';
import { temporaryDirectory, temporaryStore } from './fixture.js';

test('space is set aside, given back once, and set aside again', () => {
  const path = join(temporaryDirectory(), 'reserve');
  const reserve = new SpaceReserve(path);
  expect(reserve.free()).toBe(false);
  reserve.fill();
  const { size, blocks } = statSync(path);
  expect(size).toBe(256 * 1024);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
  expect(reserve.free()).toBe(true);
  expect(reserve.free()).toBe(false);
  writeFileSync(path, 'x'.repeat(100_000));
  reserve.fill();
  expect(statSync(path).size).toBeGreaterThanOrEqual(256 * 1024);
});

test('a store sets it aside when it is opened', () => {
  const store = temporaryStore();
  expect(statSync(join(store.root, 'reserve')).size).toBe(256 * 1024);
});
