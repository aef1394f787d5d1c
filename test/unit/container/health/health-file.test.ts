import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { healthDirectory, healthOf, lastHealthOf } from '../../../../src/container/health/health-file.js';
import { tempDir } from '../../../helpers/tmp.js';

/** A number that no process has (PID_MAX_LIMIT, include/linux/threads.h). */
const NOBODY = 2 ** 22;

test('what was found last is known when nobody checks any more', () => {
  using temp = tempDir('health');
  mkdirSync(healthDirectory(temp.path));
  writeFileSync(path.join(healthDirectory(temp.path), 'state'), `0 ${String(NOBODY)} 1 healthy 0\n`);
  expect(healthOf(temp.path)).toEqual({ status: 'unknown', failingStreak: 0, log: [] });
  expect(lastHealthOf(temp.path)).toEqual({ status: 'healthy', failingStreak: 0, log: [] });
});
