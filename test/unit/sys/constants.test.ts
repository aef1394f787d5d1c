import { expect, test } from 'vitest';
import * as constants from '../../../src/sys/constants.js';
import { evaluate, noCompiler } from './c-program.js';

const INCLUDES = [
  'fcntl.h',
  'dirent.h',
  'poll.h',
  'unistd.h',
  'sys/stat.h',
  'sys/file.h',
  'sys/mount.h',
  'sys/resource.h',
  'sys/xattr.h',
  'linux/magic.h',
  'linux/openat2.h',
];

test.skipIf(noCompiler !== undefined)(`constants are those of the C headers (${noCompiler ?? 'gcc'})`, () => {
  const c = evaluate(INCLUDES, Object.keys(constants));
  const ours = new Map(Object.entries(constants).map(([name, value]) => [name, BigInt(value)]));
  expect(ours.size).toBeGreaterThan(70);
  expect(ours).toEqual(c);
});

test.skipIf(noCompiler !== undefined)(`offsets of the structures read here (${noCompiler ?? 'gcc'})`, () => {
  const expected: Readonly<Record<string, number>> = {
    'sizeof(struct statx)': 256,
    'offsetof(struct statx, stx_mask)': 0,
    'offsetof(struct statx, stx_blksize)': 4,
    'offsetof(struct statx, stx_nlink)': 16,
    'offsetof(struct statx, stx_uid)': 20,
    'offsetof(struct statx, stx_gid)': 24,
    'offsetof(struct statx, stx_mode)': 28,
    'offsetof(struct statx, stx_ino)': 32,
    'offsetof(struct statx, stx_size)': 40,
    'offsetof(struct statx, stx_blocks)': 48,
    'offsetof(struct statx, stx_atime)': 64,
    'offsetof(struct statx, stx_btime)': 80,
    'offsetof(struct statx, stx_ctime)': 96,
    'offsetof(struct statx, stx_mtime)': 112,
    'offsetof(struct statx, stx_rdev_major)': 128,
    'offsetof(struct statx, stx_dev_major)': 136,
    'offsetof(struct dirent64, d_type)': 18,
    'offsetof(struct dirent64, d_name)': 19,
    'sizeof(struct open_how)': 24,
    'sizeof(struct pollfd)': 8,
    'offsetof(struct pollfd, revents)': 6,
    'sizeof(struct rlimit64)': 16,
    'offsetof(struct file_handle, f_handle)': 8,
    MAX_HANDLE_SZ: 128,
  };
  const c = evaluate(INCLUDES, Object.keys(expected));
  expect(Object.fromEntries([...c].map(([name, value]) => [name, Number(value)]))).toEqual(expected);
});
