import { mkdirSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  AT_FDCWD,
  MS_RDONLY,
  O_CREAT,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  S_IFCHR,
  close,
  encodeDev,
  fstatfs,
  mkdirat,
  mknodat,
  mount,
  mountEntries,
  openReadOnlyTree,
  openat,
  read,
  umount2,
} from '../../../src/sys/index.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-mount');
const gate = requires('root');

describe('mount and umount2', () => {
  test.skipIf(gate.skip)(gate.title('mount with flags and options, and un-mount'), () => {
    const target = tempDir('sys-mount-target');
    onTestFinished(() => {
      target.remove();
    });
    const mountpoint = `${target.path}/m`;
    mkdirSync(mountpoint);
    const call = { source: 'source', target: mountpoint, type: 'tmpfs', flags: MS_RDONLY, data: 'size=64k' };
    expect(mount(call)).toBe(0);
    expect(mountEntries().find((entry) => entry.mountpoint === mountpoint)).toMatchObject({
      type: 'tmpfs',
      source: 'source',
      root: '/',
      options: expect.stringMatching(/^ro,.*size=64k/) as string,
    });
    const fd = openat(dir.fd, `${mountpoint}/x`, O_WRONLY | O_CREAT, 0o600);
    expect(fd).toBe(-errno.EROFS);
    const held = openat(dir.fd, mountpoint, 0);
    expect(umount2(mountpoint)).toBe(-errno.EBUSY);
    close(held);
    expect(umount2(mountpoint)).toBe(0);
    expect(umount2(mountpoint)).toBe(-errno.EINVAL);
  });

  test.skipIf(gate.skip).each([
    ['a missing target', { target: '/nonexistent' }, errno.ENOENT],
    ['an unknown file system', { type: 'nonesuch' }, errno.ENODEV],
    ['an unknown option', { data: 'nonesuch=1' }, errno.EINVAL],
  ])('refuses %s', (_what, wrong, expected) => {
    const call = { source: 's', target: dir.path, type: 'tmpfs', flags: 0, data: '' };
    expect(mount({ ...call, ...wrong })).toBe(-expected);
  });
});

describe('fstatfs', () => {
  test('tells what node:fs tells, of an O_PATH file too', () => {
    const fd = openat(dir.fd, '.', O_PATH);
    const node = statfsSync(dir.path);
    expect(fstatfs(fd)).toMatchObject({
      type: node.type,
      bsize: node.bsize,
      blocks: node.blocks,
      files: node.files,
      namelen: 255,
      frsize: node.bsize,
    });
    close(fd);
    expect(fstatfs(1_000_000)).toBe(-errno.EBADF);
  });
});

describe('openReadOnlyTree', () => {
  test.skipIf(gate.skip)(gate.title('opens a directory in which nothing can be written, not even a time'), () => {
    mkdirSync(`${dir.path}/tree/below`, { recursive: true });
    writeFileSync(`${dir.path}/tree/file`, 'content');
    const before = statSync(`${dir.path}/tree/file`, { bigint: true }).atimeNs;
    const tree = openReadOnlyTree(`${dir.path}/tree`);
    expect(tree).toBeGreaterThan(0);
    expect(openat(tree, 'file', O_WRONLY)).toBe(-errno.EROFS);
    expect(mkdirat(tree, 'below/new', 0o700)).toBe(-errno.EROFS);
    // /dev/null would be one that does no harm.
    expect(mknodat(AT_FDCWD, `${dir.path}/tree/null`, S_IFCHR | 0o666, encodeDev(1, 3))).toBe(0);
    expect(openat(tree, 'null', O_RDONLY)).toBe(-errno.EACCES);
    const file = openat(tree, 'file', O_RDONLY);
    expect(read(file, Buffer.alloc(10))).toBe(7);
    close(file);
    expect(statSync(`${dir.path}/tree/file`, { bigint: true }).atimeNs).toBe(before);
    // It is in no namespace, and goes with its fd.
    expect(mountEntries().some((entry) => entry.mountpoint.startsWith(dir.path))).toBe(false);
    close(tree);
    rmSync(`${dir.path}/tree`, { recursive: true });
  });

  test('says what is missing', () => {
    expect(openReadOnlyTree(`${dir.path}/missing`)).toBe(gate.skip ? -errno.EPERM : -errno.ENOENT);
  });
});
