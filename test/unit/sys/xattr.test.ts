import { symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  AT_FDCWD,
  O_PATH,
  O_RDONLY,
  XATTR_CREATE,
  XATTR_REPLACE,
  close,
  entryPath,
  fdPath,
  getxattr,
  getxattrInto,
  listxattr,
  listxattrat,
  openat,
  removexattr,
  setxattr,
} from '../../../src/sys/index.js';
import type { XattrTarget } from '../../../src/sys/index.js';
import { requires } from '../../helpers/requires.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-xattr');
const fd = dir.file('file');
symlinkSync('file', `${dir.path}/symlink`);
const pathFd = openat(dir.fd, 'file', O_PATH);
const value = Buffer.from([0, 1, 255, 0]);

describe.each<[string, XattrTarget]>([
  ['an open file', fd],
  ['a path', `${dir.path}/file`],
  ['an entry of an open directory', entryPath(dir.fd, 'file')],
  ['an O_PATH file', { follow: fdPath(pathFd) }],
  ['a path to follow', { follow: `${dir.path}/symlink` }],
])('attributes of %s', (_what, target) => {
  test('are set, read, listed and removed', () => {
    expect(listxattr(target)).toEqual([]);
    expect(setxattr(target, 'user.b\xff', value)).toBe(0);
    expect(setxattr(target, 'user.a', Buffer.alloc(0))).toBe(0);
    expect(getxattr(target, 'user.b\xff')).toEqual(value);
    expect(getxattr(target, 'user.a')).toEqual(Buffer.alloc(0));
    expect(new Set(listxattr(target) as string[])).toEqual(new Set(['user.a', 'user.b\xff']));
    expect(removexattr(target, 'user.a')).toBe(0);
    expect(removexattr(target, 'user.b\xff')).toBe(0);
    expect(listxattr(target)).toEqual([]);
  });

  test('are missed, kept and replaced as told', () => {
    expect(getxattr(target, 'user.none')).toBe(-errno.ENODATA);
    expect(removexattr(target, 'user.none')).toBe(-errno.ENODATA);
    expect(setxattr(target, 'user.x', value, XATTR_REPLACE)).toBe(-errno.ENODATA);
    expect(setxattr(target, 'user.x', value, XATTR_CREATE)).toBe(0);
    expect(setxattr(target, 'user.x', value, XATTR_CREATE)).toBe(-errno.EEXIST);
    removexattr(target, 'user.x');
  });

  test('tell their length, or that a buffer is too small', () => {
    setxattr(target, 'user.x', Buffer.alloc(100, 1));
    expect(getxattrInto(target, 'user.x', Buffer.alloc(0))).toBe(100);
    expect(getxattrInto(target, 'user.x', Buffer.alloc(99))).toBe(-errno.ERANGE);
    const into = Buffer.alloc(101);
    expect(getxattrInto(target, 'user.x', into)).toBe(100);
    expect([...into.subarray(98)]).toEqual([1, 1, 0]);
    removexattr(target, 'user.x');
  });
});

test('a value read is a copy', () => {
  setxattr(fd, 'user.one', Buffer.from('one'));
  setxattr(fd, 'user.two', Buffer.from('two'));
  const one = getxattr(fd, 'user.one');
  getxattr(fd, 'user.two');
  expect(String(one)).toBe('one');
});

test.each<[string, () => unknown, number]>([
  ['an unknown namespace', () => setxattr(fd, 'other.x', value), errno.EOPNOTSUPP],
  ['a name that is too long', () => setxattr(fd, `user.${'n'.repeat(251)}`, value), errno.ERANGE],
  ['an empty name', () => getxattr(fd, ''), errno.ERANGE],
  ['a value above 64 KiB', () => setxattr(fd, 'user.big', Buffer.alloc(65537)), errno.E2BIG],
  ['a missing file', () => getxattr(`${dir.path}/missing`, 'user.x'), errno.ENOENT],
  ['a missing file, listed', () => listxattr(`${dir.path}/missing`), errno.ENOENT],
  ['a missing file, changed', () => setxattr(`${dir.path}/missing`, 'user.x', value), errno.ENOENT],
  ['a closed file', () => listxattr(1_000_000), errno.EBADF],
  ['an O_PATH file by number', () => getxattr(pathFd, 'user.x'), errno.EBADF],
  ['user attributes of a symlink itself', () => setxattr(`${dir.path}/symlink`, 'user.x', value), errno.EPERM],
])('%s is refused', (_what, call, expected) => {
  expect(call()).toBe(-expected);
});

test('a file system without attributes has none', () => {
  const proc = openat(AT_FDCWD, '/proc/self/status', O_RDONLY);
  expect(listxattr(proc)).toEqual([]);
  close(proc);
});

const gate = requires('trusted-xattr');
test.skipIf(gate.skip)(gate.title('trusted attributes of a symlink itself'), () => {
  expect(setxattr(`${dir.path}/symlink`, 'trusted.x', value)).toBe(0);
  expect(getxattr(fd, 'trusted.x')).toBe(-errno.ENODATA);
  expect(listxattr(`${dir.path}/symlink`)).toEqual(['trusted.x']);
});

test('the names of what is in a directory are those of its path, and a symlink is not followed', () => {
  setxattr(fd, 'user.at', value);
  expect(listxattrat(dir.fd, 'file')).toEqual(listxattr(entryPath(dir.fd, 'file')));
  expect(listxattrat(dir.fd, 'file')).toContain('user.at');
  expect(listxattrat(dir.fd, 'symlink')).toEqual(listxattr(entryPath(dir.fd, 'symlink')));
  expect(listxattrat(dir.fd, 'symlink')).not.toContain('user.at');
  expect(listxattrat(dir.fd, 'missing')).toBe(-errno.ENOENT);
  removexattr(fd, 'user.at');
});
