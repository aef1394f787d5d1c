import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mount, mountEntries, parseMountInfo, umount2 } from '../../../src/sys/index.js';

test('fields are found behind any number of optional ones', () => {
  const text = [
    '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue',
    '37 36 0:45 / /a\\040b\\134\\012\\303\\251 rw - fuse.veneer veneer rw,user_id=0',
    'no mount',
    '',
  ].join('\n');
  expect(parseMountInfo(text)).toEqual([
    {
      device: '98:0',
      mountpoint: '/mnt2',
      root: '/mnt1',
      type: 'ext3',
      source: '/dev/root',
      isShared: true,
      isSlave: true,
      options: 'rw,errors=continue',
    },
    {
      device: '0:45',
      mountpoint: '/a b\\\n\xc3\xa9',
      root: '/',
      type: 'fuse.veneer',
      source: 'veneer',
      isShared: false,
      isSlave: false,
      options: 'rw,user_id=0',
    },
  ]);
});

test.skipIf(process.getuid?.() !== 0)('a mount with a blank in its name is listed', () => {
  const root = mkdtempSync(join(tmpdir(), 'veneer-mountinfo-'));
  const mountpoint = join(root, 'a b');
  mkdirSync(mountpoint);
  expect(mount({ source: 'source', target: mountpoint, type: 'tmpfs', flags: 0, data: '' })).toBe(0);
  onTestFinished(() => {
    umount2(mountpoint);
    rmSync(root, { recursive: true });
  });
  expect(mountEntries().at(-1)).toMatchObject({ mountpoint, type: 'tmpfs', source: 'source' });
});
