import { closeSync, openSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../../src/core/log.js';
import { tempDir } from '../../helpers/tmp.js';

test('a log is lines of JSON in an open file, there as soon as they are written', () => {
  const dir = tempDir('log');
  const file = `${dir.path}/server.log`;
  const fd = openSync(file, 'a');
  onTestFinished(() => {
    closeSync(fd);
    dir.remove();
  });
  openLog(fd).info({ a: 1 }, 'first');
  openLog(fd).error('second');
  openLog(fd, 'silent').error('third');
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    expect.objectContaining({ level: 30, pid: process.pid, a: 1, msg: 'first' }),
    expect.objectContaining({ level: 50, msg: 'second' }),
  ]);
});
