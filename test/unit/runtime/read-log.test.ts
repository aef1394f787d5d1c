import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLog } from '../../../src/runtime/read-log.js';
import type { ReadLogOptions } from '../../../src/runtime/read-log.js';
import { tempDir } from '../../helpers/tmp.js';

const at = (second: number): string => `2024-05-01T12:00:${String(second).padStart(2, '0')}.123456789+02:00`;

/** As conmon writes them: `stream tag content`, a second apart. */
const logOf = (...lines: string[]): string => lines.map((line, second) => `${at(second)} ${line}\n`).join('');

async function read(file: string, options?: ReadLogOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const records of readLog(file, options)) {
    found.push(
      ...records.map(({ stream, partial, content }) => `${stream} ${partial ? 'P' : 'F'} ${content.toString()}`),
    );
  }
  return found;
}

describe('readLog', () => {
  test('reads streams, parts of lines, empty lines and spaces', async () => {
    using temp = tempDir('log');
    const file = path.join(temp.path, 'log');
    const lines = ['stdout F one', 'stderr F two words ', 'stdout P begun', 'stdout F ', 'stderr F '];
    writeFileSync(file, logOf(...lines));
    expect(await read(file)).toEqual(lines);
  });

  test('gives times in UTC', async () => {
    using temp = tempDir('log');
    const file = path.join(temp.path, 'log');
    writeFileSync(file, logOf('stdout F one'));
    for await (const records of readLog(file)) expect(records[0]?.time).toBe('2024-05-01T10:00:00.123456789Z');
  });

  test('leaves out what is no record', async () => {
    using temp = tempDir('log');
    const file = path.join(temp.path, 'log');
    writeFileSync(file, `\0\0\0 x y z\n\nstdout F\n${logOf('stdout F one')}2024-05-01T12:00:`);
    expect(await read(file)).toEqual(['stdout F one']);
  });

  test('is empty where there is no file', async () => {
    using temp = tempDir('log');
    expect(await read(path.join(temp.path, 'log'))).toEqual([]);
    expect(await read(path.join(temp.path, 'log'), { tail: 1 })).toEqual([]);
  });

  const LINES = ['stdout F 1', 'stdout P 2', 'stdout P 2', 'stdout F 2', 'stderr F 3', 'stdout P 4'];

  test.each([
    [0, []],
    [1, LINES.slice(5)],
    [2, LINES.slice(4)],
    [3, LINES.slice(1)],
    [4, LINES],
    [9, LINES],
  ])('finds the last %i lines', async (tail, lines) => {
    using temp = tempDir('log');
    const file = path.join(temp.path, 'log');
    writeFileSync(file, logOf(...LINES));
    expect(await read(file, { tail })).toEqual(lines);
  });

  test('finds the last lines of a log of many pieces', async () => {
    using temp = tempDir('log');
    const file = path.join(temp.path, 'log');
    const lines = Array.from({ length: 10_000 }, (_, number) => `stdout F ${String(number).repeat((number % 50) + 1)}`);
    lines[5000] = `stdout F ${'x'.repeat(300_000)}`;
    writeFileSync(file, lines.map((line) => `${at(0)} ${line}\n`).join(''));
    for (const tail of [1, 2, 700, 4999, 5000, 5001, 9999, 10_000, 10_001]) {
      expect(await read(file, { tail })).toEqual(lines.slice(-tail));
    }
  });

  test('chooses by time', async () => {
    using temp = tempDir('log');
    const file = path.join(temp.path, 'log');
    writeFileSync(file, logOf('stdout F 0', 'stdout F 1', 'stdout F 2', 'stdout F 3'));
    const since = new Date('2024-05-01T10:00:01Z');
    const until = new Date('2024-05-01T10:00:02.500Z');
    expect(await read(file, { since })).toEqual(['stdout F 1', 'stdout F 2', 'stdout F 3']);
    expect(await read(file, { since, until })).toEqual(['stdout F 1', 'stdout F 2']);
  });

  test('follows a log as it grows, is begun anew, and ends', async () => {
    using temp = tempDir('log');
    const file = path.join(temp.path, 'log');
    let ends: () => void = () => undefined;
    const end = new Promise<void>((resolve) => (ends = resolve));
    const seen: string[] = [];
    const done = (async () => {
      for await (const records of readLog(file, { follow: end })) {
        seen.push(...records.map(({ content }) => content.toString()));
      }
    })();
    writeFileSync(file, logOf('stdout F 1'));
    await expect.poll(() => seen).toEqual(['1']);
    // A record may come in two pieces.
    appendFileSync(file, logOf('stdout F 2').slice(0, 20));
    appendFileSync(file, logOf('stdout F 2').slice(20));
    await expect.poll(() => seen).toEqual(['1', '2']);
    appendFileSync(file, logOf('stdout F 3'));
    writeFileSync(`${file}.tmp`, logOf('stdout F 4'));
    renameSync(`${file}.tmp`, file);
    await expect.poll(() => seen).toEqual(['1', '2', '3', '4']);
    appendFileSync(file, logOf('stdout F 5'));
    ends();
    await done;
    expect(seen).toEqual(['1', '2', '3', '4', '5']);
  });
});
