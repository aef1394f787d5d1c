import { mkdirSync, readdirSync, readlinkSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { LayerDir, RealDir } from '../../../src/stack/index.js';
import { Stat, openat, close, statx } from '../../../src/sys/index.js';
import { tempDir } from '../../helpers/tmp.js';

const DIRECTORIES = 3000;
const scratch = tempDir('real-dir');
let layer: LayerDir;
let root: RealDir;

beforeAll(() => {
  for (let index = 0; index < DIRECTORIES; index += 1)
    mkdirSync(`${scratch.path}/${String(index)}/below`, { recursive: true });
  layer = new LayerDir(scratch.path, 0);
  root = new RealDir(layer);
});
afterAll(() => {
  layer.close();
  scratch.remove();
});

/** How many fds of this process are below the scratch directory. */
function openFds(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${scratch.path}/`);
    } catch {
      // The fd of the listing itself.
      return false;
    }
  }).length;
}

describe('a directory of a layer', () => {
  test('knows its path, and opens below its parent', () => {
    const below = root.child('7').child('below');
    expect([root.path, root.child('7').path, below.path]).toEqual(['', '7', '7/below']);
    const stat = new Stat();
    expect([below.stat(stat), stat.isDirectory]).toEqual([0, true]);
    const { ino } = stat;
    expect(statx(below.fd(), '.', stat)).toBe(0);
    expect(stat.ino).toBe(ino);
    below.close();
    expect([below.stat(stat), stat.ino]).toEqual([0, ino]);
  });

  test('is never reached through a symlink', () => {
    const fd = openat(root.fd(), '.', 0);
    writeFileSync(`${scratch.path}/file`, '');
    close(fd);
    expect(root.child('file').fd()).toBe(-errno.ENOTDIR);
    expect(root.child('missing').fd()).toBe(-errno.ENOENT);
    expect(root.child('missing').child('below').fd()).toBe(-errno.ENOENT);
  });

  test('is closed when 2048 others are in use, and opens again', () => {
    const dirs = Array.from({ length: DIRECTORIES }, (_, index) => root.child(String(index)));
    const stat = new Stat();
    const inos = dirs.map((dir) => {
      expect(dir.fd()).toBeGreaterThanOrEqual(0);
      statx(dir.fd(), '.', stat);
      return stat.ino;
    });
    expect(openFds()).toBeLessThanOrEqual(2048 + 1);
    expect(openFds()).toBeGreaterThan(1000);
    dirs.forEach((dir, index) => {
      expect(statx(dir.fd(), '.', stat)).toBe(0);
      expect(stat.ino).toBe(inos[index]);
    });
    expect(openFds()).toBeLessThanOrEqual(2048 + 1);
    for (const dir of dirs) dir.close();
    expect(openFds()).toBeLessThan(10);
  });

  test('that was just used is not the one that is closed', () => {
    const dirs = Array.from({ length: DIRECTORIES }, (_, index) => root.child(String(index)));
    const kept = dirs[0]!;
    const fd = kept.fd();
    // Closed now, it would not open again.
    kept.removed();
    for (const dir of dirs) {
      dir.fd();
      expect(kept.fd()).toBe(fd);
    }
    for (const dir of dirs) dir.close();
  });

  test('follows a rename', () => {
    const dir = root.child('10');
    const below = dir.child('below');
    renameSync(`${scratch.path}/10`, `${scratch.path}/11/moved`);
    dir.moved(root.child('11'), 'moved');
    expect(below.path).toBe('11/moved/below');
    expect(below.fd()).toBeGreaterThanOrEqual(0);
  });

  test('that was removed is served while it is open, and its name is not opened again', () => {
    mkdirSync(`${scratch.path}/gone`);
    const dir = root.child('gone');
    const fd = dir.fd();
    rmdirSync(`${scratch.path}/gone`);
    mkdirSync(`${scratch.path}/gone`);
    dir.removed();
    const stat = new Stat();
    expect(dir.fd()).toBe(fd);
    expect([dir.stat(stat), stat.nlink]).toEqual([0, 0]);
    dir.close();
    expect([dir.fd(), dir.stat(stat)]).toEqual([-errno.ENOENT, -errno.ENOENT]);
  });
});
