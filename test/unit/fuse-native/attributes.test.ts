import { describe, expect, test } from 'vitest';
import { Attr } from '../../../src/fuse/index.js';
import { ShortInos, nativeStat, nativeStatus } from '../../../src/fuse-native/attributes.js';

describe('times', () => {
  test.each([
    [[1_700_000_000, 123_999_999], 1_700_000_000_123],
    [[0, 0], 0],
    [[-1, 999_000_000], 0],
    [[4_294_967_296, 1_000_000], 4_294_967_296_001],
  ])('%j are %d ms', ([sec, nsec], milliseconds) => {
    const attr = new Attr();
    [attr.mtimeSec, attr.mtimeNsec] = [sec!, nsec!];
    expect(nativeStat(attr, 1).mtime).toBe(milliseconds);
  });
});

describe('inode numbers', () => {
  test('that fit are themselves', () => {
    expect(new ShortInos().of({ inoLow: 7, inoHigh: 0 })).toBe(7);
  });

  test('that do not are others, each its own, and the same again', () => {
    const inos = new ShortInos();
    const given = [
      { inoLow: 7, inoHigh: 1 },
      { inoLow: 7, inoHigh: 2 },
      { inoLow: 7, inoHigh: 1 },
    ].map((attr) => inos.of(attr));
    expect(given).toEqual([0xffffffff, 0xfffffffe, 0xffffffff]);
  });
});

describe('the status of a file system', () => {
  const small = {
    type: 1,
    bsize: 4096,
    frsize: 4096,
    blocks: 100,
    bfree: 50,
    bavail: 40,
    files: 9,
    ffree: 5,
    namelen: 255,
  };

  test('that fits is told as it is', () => {
    const { bsize, frsize, blocks, bfree, bavail, files, ffree } = small;
    expect(nativeStatus(small)).toEqual({
      bsize,
      frsize,
      blocks,
      bfree,
      bavail,
      files,
      ffree,
      favail: 5,
      namemax: 255,
    });
  });

  test('beyond 2^32 blocks is told in larger units', () => {
    const status = nativeStatus({
      ...small,
      blocks: 2 ** 34,
      bfree: 2 ** 33,
      bavail: 2 ** 32,
      files: 2 ** 40,
      ffree: 2 ** 39,
    });
    expect(status.frsize * status.blocks).toBe(4096 * 2 ** 34);
    expect(status.frsize * status.bavail).toBe(4096 * 2 ** 32);
    for (const field of Object.values(status)) expect(field).toBeLessThan(2 ** 32);
  });
});
