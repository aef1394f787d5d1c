import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  DT_DIR,
  DT_REG,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  S_IFIFO,
  S_IFLNK,
  Stat,
  close,
  listDirectory,
  mkdirat,
  mknodat,
  openat,
  statx,
  visitDirectory,
} from '../../../src/sys/index.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-dir');

function newDirectory(name: string): number {
  mkdirSync(`${dir.path}/${name}`);
  return openat(dir.fd, name, O_RDONLY | O_DIRECTORY);
}

function touch(fd: number, name: string): void {
  const file = openat(fd, name, O_WRONLY | O_CREAT, 0o600);
  if (file < 0) throw new Error(`cannot make ${JSON.stringify(name)}: ${String(file)}`);
  close(file);
}

describe('visitDirectory', () => {
  test('visits each of 10,000 entries once, from the start each time', () => {
    const fd = newDirectory('many');
    // Long names: several buffers full.
    const name = (index: number): string => `${String(index)}-${'n'.repeat(60)}`;
    for (let index = 0; index < 10_000; index += 1) expect(mknodat(fd, name(index), S_IFIFO, 0)).toBe(0);
    const expected = new Set(Array.from({ length: 10_000 }, (_, index) => name(index)));
    for (let round = 0; round < 2; round += 1) {
      const seen: string[] = [];
      expect(visitDirectory(fd, (entry) => void seen.push(entry))).toBe(0);
      expect(seen.length).toBe(10_000);
      expect(new Set(seen)).toEqual(expected);
    }
    close(fd);
  });

  test('gives names as bytes, whatever they are', () => {
    const fd = newDirectory('bytes');
    const names = ['\xff\xfe', '\xc3', 'caf\xc3\xa9', '\x01\n', ' ', '.hidden', '...', '\x80'.repeat(255)];
    for (const name of names) touch(fd, name);
    const entries = listDirectory(fd);
    expect(entries).not.toBeTypeOf('number');
    expect(new Set((entries as { name: string }[]).map(({ name }) => name))).toEqual(new Set(names));
    close(fd);
  });

  test('tells types and inode numbers as stat does', () => {
    const fd = newDirectory('types');
    touch(fd, 'file');
    mkdirat(fd, 'dir', 0o700);
    symlinkSync('file', `${dir.path}/types/symlink`);
    const stat = new Stat();
    const types = new Map<string, number>();
    visitDirectory(fd, (name, type, inoLow, inoHigh) => {
      types.set(name, type);
      statx(fd, name, stat);
      expect([inoLow, inoHigh]).toEqual([stat.inoLow, stat.inoHigh]);
    });
    expect(types).toEqual(
      new Map([
        ['file', DT_REG],
        ['dir', DT_DIR],
        ['symlink', S_IFLNK >> 12],
      ]),
    );
    close(fd);
  });

  test('ends when the visitor says so', () => {
    const fd = openat(dir.fd, 'many', O_RDONLY | O_DIRECTORY);
    let count = 0;
    expect(visitDirectory(fd, () => ++count < 5)).toBe(0);
    expect(count).toBe(5);
    close(fd);
  });

  test('finds nothing in an empty directory', () => {
    const fd = newDirectory('empty');
    expect(listDirectory(fd)).toEqual([]);
    close(fd);
  });

  test('says what is no directory', () => {
    expect(listDirectory(dir.file('file'))).toBe(-errno.ENOTDIR);
    expect(visitDirectory(1_000_000, () => undefined)).toBe(-errno.EBADF);
  });
});
