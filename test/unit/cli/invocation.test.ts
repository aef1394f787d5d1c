import { describe, expect, test } from 'vitest';
import { looksLikeMount } from '../../../src/cli/invocation.js';

describe('looksLikeMount', () => {
  test.each([
    [
      ['overlay', '-o', 'lowerdir=/a', '/mnt'],
      ['-o', 'lowerdir=/a', '/mnt'],
    ],
    [['overlay'], []],
    [
      ['-o', 'lowerdir=/a', '/mnt'],
      ['-o', 'lowerdir=/a', '/mnt'],
    ],
    [
      ['-olowerdir=/a', '/mnt'],
      ['-olowerdir=/a', '/mnt'],
    ],
    [
      ['src', '/mnt', '-o', 'rw,lowerdir=/a'],
      ['src', '/mnt', '-o', 'rw,lowerdir=/a'],
    ],
  ])('takes %j for a mount', (args, rest) => {
    expect(looksLikeMount('/usr/bin/veneer', args)).toEqual({ args: rest, helper: false });
  });

  test('takes every call by the name of the mount helper for one', () => {
    expect(looksLikeMount('/sbin/mount.fuse.veneer', ['x', '/mnt'])).toEqual({ args: ['x', '/mnt'], helper: true });
  });

  test.each([
    [[]],
    [['images']],
    [['imags']],
    [['image', 'ls']],
    [['--help']],
    [['commit', '-o', 'lowerdir=/a', 'x']],
    [['src', '/mnt', '-o', 'xlowerdir=/a']],
    [['src', '/mnt', '-o']],
  ])('leaves %j to the command table', (args) => {
    expect(looksLikeMount('/usr/bin/veneer', args)).toBeUndefined();
  });
});
