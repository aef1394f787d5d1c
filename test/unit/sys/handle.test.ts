import { symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  AT_FDCWD,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  Stat,
  close,
  fileSystemUuid,
  fstatx,
  nameToHandleAt,
  openByHandleAt,
  openat,
  renameat2,
  statx,
  unlinkat,
} from '../../../src/sys/index.js';
import type { FileHandle } from '../../../src/sys/index.js';
import { requires } from '../../helpers/requires.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-handle');

function handleOf(name: string): FileHandle {
  const handle = nameToHandleAt(dir.fd, name);
  if (typeof handle === 'number') throw new Error(`no handle of ${name}: ${String(handle)}`);
  return handle;
}

describe('a file handle', () => {
  test('is one file, by name or open', () => {
    const fd = dir.file('a');
    dir.file('b');
    expect(nameToHandleAt(fd, '')).toEqual(handleOf('a'));
    expect(handleOf('a').bytes.equals(handleOf('b').bytes)).toBe(false);
    expect(handleOf('a').bytes.length).toBeGreaterThan(0);
  });

  test('is of a symlink itself', () => {
    symlinkSync('a', `${dir.path}/symlink`);
    const fd = openat(dir.fd, 'symlink', O_PATH | O_NOFOLLOW);
    expect(handleOf('symlink')).toEqual(nameToHandleAt(fd, ''));
    close(fd);
  });

  const gate = requires('root');
  test.skipIf(gate.skip)(gate.title('opens the file under whatever name it has, until it is gone'), () => {
    const fd = dir.file('first');
    const stat = new Stat();
    fstatx(fd, stat);
    const { ino } = stat;
    const handle = handleOf('first');
    renameat2({ dirfd: dir.fd, name: 'first' }, { dirfd: dir.fd, name: 'renamed' });
    const opened = openByHandleAt(dir.fd, handle, O_PATH);
    expect(opened).toBeGreaterThan(0);
    fstatx(opened, stat);
    expect(stat.ino).toBe(ino);
    close(opened);
    // The inode goes with its last name and its last open file.
    const second = openat(dir.fd, 'second', 0o102, 0o600);
    const gone = handleOf('second');
    unlinkat(dir.fd, 'second');
    close(second);
    expect(openByHandleAt(dir.fd, gone, O_PATH)).toBe(-errno.ESTALE);
    expect(openByHandleAt(dir.fd, { type: 0xfe, bytes: gone.bytes }, O_PATH)).toBe(-errno.ESTALE);
    expect(openByHandleAt(1_000_000, gone, O_PATH)).toBe(-errno.EBADF);
  });

  test('cannot be had of everything', () => {
    expect(nameToHandleAt(dir.fd, 'missing')).toBe(-errno.ENOENT);
    expect(nameToHandleAt(AT_FDCWD, '/proc/self/status')).toBe(-errno.EOPNOTSUPP);
    expect(statx(dir.fd, 'missing', new Stat())).toBe(-errno.ENOENT);
  });
});

describe('fileSystemUuid', () => {
  test('is the same for all files of a file system', () => {
    const uuid = fileSystemUuid(dir.fd);
    if (typeof uuid === 'number') expect(uuid).toBe(-errno.ENOTTY);
    else expect([uuid.length, fileSystemUuid(dir.file('a'))]).toEqual([16, uuid]);
  });

  test('is an error where the file system does not tell', () => {
    const proc = openat(AT_FDCWD, '/proc', O_RDONLY);
    expect(fileSystemUuid(proc)).toBe(-errno.ENOTTY);
    close(proc);
  });
});
