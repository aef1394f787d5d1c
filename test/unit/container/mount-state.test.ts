import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canonicalMountpoint, clearStale, mountState } from '../../../src/container/mount-state.js';
import { mountFuse } from '../../../src/fuse/mount.js';
import { MNT_DETACH, close, mount, umount2 } from '../../../src/sys/index.js';
import { temporaryDirectory } from '../store/fixture.js';

const asRoot = test.skipIf(process.getuid?.() !== 0);

function mountpoint(name = 'm'): string {
  const path = join(temporaryDirectory(), name);
  mkdirSync(path);
  onTestFinished(() => {
    umount2(path, MNT_DETACH);
  });
  return path;
}

/** A FUSE mount whose server is gone. */
async function mountDead(path: string): Promise<void> {
  close(await mountFuse({ mountpoint: path, source: 'x', subtype: 'veneer', flags: 0, allowOther: true }));
}

test('nothing is mounted', () => {
  expect(mountState(mountpoint())).toEqual({ kind: 'none' });
});

asRoot('another file system', () => {
  const path = mountpoint();
  expect(mount({ source: 'x', target: path, type: 'tmpfs', flags: 0, data: '' })).toBe(0);
  expect(mountState(path)).toEqual({ kind: 'live', type: 'tmpfs' });
});

asRoot('mounts whose servers have died are found and taken away', async () => {
  const path = mountpoint();
  expect(mount({ source: 'x', target: path, type: 'tmpfs', flags: 0, data: '' })).toBe(0);
  await mountDead(path);
  expect(mountState(path)).toEqual({ kind: 'stale' });
  expect(canonicalMountpoint(path)).toBe(path);
  expect(clearStale(path)).toEqual({ kind: 'live', type: 'tmpfs' });
});

test('a mount point is named as the kernel names it', () => {
  const path = mountpoint('real');
  symlinkSync('real', `${path}-link`);
  expect(canonicalMountpoint(`${path}-link/../real-link`)).toBe(path);
  expect(canonicalMountpoint(`${path}/missing`)).toBe(join(path, 'missing'));
  expect(() => canonicalMountpoint(`${path}/missing/below`)).toThrow('ENOENT');
});
