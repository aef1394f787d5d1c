import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../../src/core/log.js';
import { tempDir } from '../../helpers/tmp.js';

test('a log is lines of JSON in a file, made with its directory, and appended to', () => {
  const dir = tempDir('log');
  onTestFinished(() => {
    dir.remove();
  });
  const file = `${dir.path}/made/server.log`;
  openLog(file).info({ a: 1 }, 'first');
  openLog(file).error('second');
  openLog(file, 'silent').error('third');
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    expect.objectContaining({ level: 30, pid: process.pid, a: 1, msg: 'first' }),
    expect.objectContaining({ level: 50, msg: 'second' }),
  ]);
});
