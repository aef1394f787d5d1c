import os from 'node:os';
import { describe, expect, test } from 'vitest';
import {
  SysError,
  VeneerError,
  errno,
  errnoMessage,
  errnoName,
  hasCode,
  isFull,
  messageOf,
  namingFullDisk,
} from '../../../src/core/index.js';

describe('errno', () => {
  // Node has no names for these.
  const UNKNOWN_TO_NODE = ['EBADFD'];

  test('has the numbers this system has', () => {
    const known = Object.entries(errno).filter(([name]) => !UNKNOWN_TO_NODE.includes(name));
    const system = os.constants.errno as Readonly<Record<string, number>>;
    expect(Object.fromEntries(known)).toEqual(Object.fromEntries(known.map(([name]) => [name, system[name]])));
  });

  test('is named and described, also where the table ends', () => {
    expect([errnoName(2), errnoMessage(2)]).toEqual(['ENOENT', 'no such file or directory']);
    expect([errnoName(38), errnoMessage(38)]).toEqual(['ENOSYS', 'ENOSYS']);
    expect([errnoName(4095), errnoMessage(4095)]).toEqual(['errno 4095', 'errno 4095']);
  });
});

describe('SysError', () => {
  test("has the shape of Node's own", () => {
    const error = new SysError(errno.ENOENT, 'open', '/a');
    expect(error).toMatchObject({ errno: 2, code: 'ENOENT', syscall: 'open', path: '/a', name: 'SysError' });
    expect(error.message).toBe("open '/a': no such file or directory (ENOENT)");
    expect(new SysError(errno.EIO, 'read').message).toBe('read: input/output error (EIO)');
  });
});

describe('VeneerError', () => {
  test('keeps kind, hint and cause', () => {
    const cause = new SysError(errno.EACCES, 'open');
    const error = new VeneerError('permission', 'cannot read', { hint: 'be root', cause });
    expect(error).toMatchObject({ code: 'permission', hint: 'be root', cause });
    expect(Object.hasOwn(new VeneerError('invalid', 'x'), 'cause')).toBe(false);
  });
});

test('hasCode knows our errors and those of Node, and nothing else', () => {
  expect(hasCode(new SysError(errno.ENOENT, 'x'), 'ENOENT')).toBe(true);
  expect(hasCode(Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT')).toBe(true);
  expect(hasCode(new VeneerError('invalid', 'x'), 'ENOENT')).toBe(false);
  expect(hasCode({ code: 'ENOENT' }, 'ENOENT')).toBe(false);
  expect(hasCode(undefined, 'ENOENT')).toBe(false);
});

test('messageOf takes anything that was thrown', () => {
  expect([new Error('a'), 'b', undefined, 3].map(messageOf)).toEqual(['a', 'b', 'undefined', '3']);
});

test('an error of a full file system says which', () => {
  const full = new SysError(28, 'write');
  const where = "no space is left on the file system of '/place'";
  expect(messageOf(namingFullDisk(full, '/place'))).toBe(where);
  const wrapped = new VeneerError('unavailable', `tar entry 'a': ${full.message}`, { cause: full });
  const named = namingFullDisk(wrapped, '/place');
  expect(messageOf(named)).toBe(`tar entry 'a': ${where}`);
  expect(namingFullDisk(named, '/other')).toBe(named);
  const other = new SysError(5, 'write');
  expect(namingFullDisk(other, '/place')).toBe(other);
  expect(isFull(other)).toBe(false);
});
