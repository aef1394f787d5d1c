import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  AT_FDCWD,
  FSXATTR_SIZE,
  FS_NOATIME_FL,
  FS_SYNC_FL,
  O_PATH,
  close,
  getFlags,
  getFsxattr,
  openat,
  setFlags,
  setFsxattr,
} from '../../../src/sys/index.js';
import * as flags from '../../../src/sys/file-flags.js';
import { evaluate, noCompiler } from './c-program.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-file-flags');
const NO_ATIME_XFLAG = 0x40;

describe('flags of a file', () => {
  test('are set and told', () => {
    for (const fd of [dir.file('f'), dir.fd]) {
      const before = getFlags(fd);
      expect(before).toBeGreaterThanOrEqual(0);
      expect(setFlags(fd, before | FS_NOATIME_FL | FS_SYNC_FL)).toBe(0);
      expect(getFlags(fd)).toBe(before | FS_NOATIME_FL | FS_SYNC_FL);
      expect(setFlags(fd, before)).toBe(0);
      expect(getFlags(fd)).toBe(before);
    }
  });

  test('have another form', () => {
    const fd = dir.file('x');
    const attributes = Buffer.alloc(FSXATTR_SIZE);
    expect(getFsxattr(fd, attributes)).toBe(0);
    attributes.writeUInt32LE(attributes.readUInt32LE() | NO_ATIME_XFLAG);
    expect(setFsxattr(fd, attributes)).toBe(0);
    expect(getFlags(fd) & FS_NOATIME_FL).toBe(FS_NOATIME_FL);
  });

  test('are ENOTTY where there are none, and EBADF of an O_PATH file', () => {
    const none = openat(AT_FDCWD, '/proc/self/status', 0);
    expect(getFlags(none)).toBe(-errno.ENOTTY);
    expect(setFlags(none, 0)).toBe(-errno.ENOTTY);
    const path = openat(AT_FDCWD, dir.path, O_PATH);
    expect(getFlags(path)).toBe(-errno.EBADF);
    for (const fd of [none, path]) close(fd);
  });
});

test.skipIf(noCompiler !== undefined)(`numbers are those of linux/fs.h (${noCompiler ?? 'gcc'})`, () => {
  const ours = Object.entries(flags).filter(([, value]) => typeof value === 'number');
  const names = ours.map(([name]) => (name === 'FSXATTR_SIZE' ? 'sizeof(struct fsxattr)' : name));
  const c = evaluate(['sys/ioctl.h', 'linux/fs.h'], names);
  expect([...c.values()].map(Number)).toEqual(ours.map(([, value]) => value));
});
