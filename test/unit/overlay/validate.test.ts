import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { validateOverlay } from '../../../src/overlay/validate.js';
import type { OverlayDirectories } from '../../../src/overlay/validate.js';
import { requires } from '../../helpers/requires.js';

const gate = requires('root');

let base: string;
const at = (...names: string[]): string => path.join(base, ...names);
const mounts: string[] = [];

beforeEach(() => {
  base = mkdtempSync(path.join(os.tmpdir(), 'veneer-validate-'));
  for (const name of ['a', 'b', 'a/inner', 'upper', 'upper/inner', 'work', 'work/inner', 'mnt']) mkdirSync(at(name));
});

afterEach(() => {
  for (const mount of mounts.splice(0).reverse()) execFileSync('umount', [mount]);
  rmSync(base, { recursive: true });
});

function mountTmpfs(directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', directory]);
  mounts.push(directory);
}

function sound(change: Partial<OverlayDirectories> = {}): OverlayDirectories {
  const options = { lowerdir: [at('a'), at('b')], upperdir: at('upper'), workdir: at('work'), mountpoint: at('mnt') };
  return { ...options, ...change };
}

const refusal = (change: Partial<OverlayDirectories>): string => {
  try {
    validateOverlay(sound(change));
  } catch (error) {
    return (error as Error).message.replaceAll(`${base}/`, '');
  }
  return 'accepted';
};

describe.skipIf(gate.skip)(gate.title('validateOverlay accepts'), () => {
  test('a sound set of directories, and leaves nothing behind', () => {
    validateOverlay(sound());
    expect(readdirSync(at('work'))).toEqual(['inner']);
    expect(readdirSync(at('upper'))).toEqual(['inner']);
  });

  test.each<[string, () => Partial<OverlayDirectories>]>([
    ['no upper', () => ({ upperdir: undefined, workdir: undefined })],
    ['a work directory without an upper', () => ({ upperdir: undefined })],
    ['a mount point inside a lower', () => ({ mountpoint: at('a/inner') })],
    ['a mount point inside the upper', () => ({ mountpoint: at('upper/inner') })],
    ['one lower inside another', () => ({ lowerdir: [at('a'), at('a/inner')] })],
    [
      'a directory whose name only starts like the upper',
      () => (mkdirSync(at('upper2')), { lowerdir: [at('upper2')] }),
    ],
    ['a tmpfs mounted at the mount point', () => (mountTmpfs(at('mnt')), {})],
  ])('%s', (_what, change) => {
    expect(refusal(change())).toBe('accepted');
  });
});

describe.skipIf(gate.skip)(gate.title('validateOverlay refuses'), () => {
  test.each<[string, () => Partial<OverlayDirectories>, string]>([
    ['no lower', () => ({ lowerdir: [] }), 'overlay: no lowerdir is given'],
    ['a missing lower', () => ({ lowerdir: [at('a'), at('none')] }), "overlay: lowerdir 'none': no such directory"],
    ['a missing upper', () => ({ upperdir: at('none') }), "overlay: upperdir 'none': no such directory"],
    ['a missing work', () => ({ workdir: at('none') }), "overlay: workdir 'none': no such directory"],
    ['a missing mount point', () => ({ mountpoint: at('none') }), "overlay: mount point 'none': no such directory"],
    [
      'a mount point in a missing directory',
      () => ({ mountpoint: at('none/mnt') }),
      "overlay: mount point 'none/mnt': no such directory",
    ],
    [
      'a file for a lower',
      () => (writeFileSync(at('file'), ''), { lowerdir: [at('file')] }),
      "overlay: lowerdir 'file' is not a directory",
    ],
    [
      'a file for a mount point',
      () => (writeFileSync(at('file'), ''), { mountpoint: at('file') }),
      "overlay: mount point 'file' is not a directory",
    ],
    ['a lower twice', () => ({ lowerdir: [at('a'), at('b'), at('a')] }), "overlay: lowerdir 'a' is given twice"],
    [
      'a lower twice, through a symlink',
      () => (symlinkSync('a', at('link')), { lowerdir: [at('a'), at('link')] }),
      "overlay: lowerdir 'link' is given twice, first as 'a'",
    ],
    [
      'an upper that is a lower',
      () => ({ upperdir: at('a') }),
      "overlay: upperdir 'a' is the same directory as lowerdir 'a'",
    ],
    [
      'an upper inside a lower',
      () => ({ upperdir: at('a/inner') }),
      "overlay: upperdir 'a/inner' is inside lowerdir 'a'",
    ],
    [
      'an upper inside a lower, through a symlink',
      () => (symlinkSync('a/inner', at('link')), { upperdir: at('link') }),
      "overlay: upperdir 'link' is inside lowerdir 'a'",
    ],
    [
      'an upper inside a lower, through a bind mount',
      () => {
        execFileSync('mount', ['--bind', at('a/inner'), at('b')]);
        mounts.push(at('b'));
        return { lowerdir: [at('a')], upperdir: at('b') };
      },
      "overlay: upperdir 'b' is inside lowerdir 'a'",
    ],
    [
      'a lower inside the upper',
      () => ({ lowerdir: [at('upper/inner')] }),
      "overlay: lowerdir 'upper/inner' is inside upperdir 'upper'",
    ],
    [
      'a work inside the upper',
      () => ({ workdir: at('upper/inner') }),
      "overlay: workdir 'upper/inner' is inside upperdir 'upper'",
    ],
    [
      'an upper inside the work',
      () => ({ upperdir: at('work/inner') }),
      "overlay: upperdir 'work/inner' is inside workdir 'work'",
    ],
    ['a work inside a lower', () => ({ workdir: at('a/inner') }), "overlay: workdir 'a/inner' is inside lowerdir 'a'"],
    [
      'an upper that is the work',
      () => ({ workdir: at('upper') }),
      "overlay: workdir 'upper' is the same directory as upperdir 'upper'",
    ],
    ['an upper without a work', () => ({ workdir: undefined }), "overlay: upperdir 'upper' needs a workdir"],
    [
      'upper and work on different file systems',
      () => (mountTmpfs(at('work')), {}),
      "overlay: upperdir 'upper' and workdir 'work' are on different file systems",
    ],
    [
      'a mount point in use',
      () => {
        execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${at('a')}:${at('b')}`, at('mnt')]);
        mounts.push(at('mnt'));
        return {};
      },
      "overlay: mount point 'mnt' is in use: overlay is mounted there",
    ],
    [
      'a file system without extended attributes',
      () => {
        execFileSync('mount', ['-t', 'ramfs', 'ramfs', at('b')]);
        mounts.push(at('b'));
        for (const name of ['b/upper', 'b/work']) mkdirSync(at(name));
        return { lowerdir: [at('a')], upperdir: at('b/upper'), workdir: at('b/work') };
      },
      "overlay: workdir 'b/work': setxattr 'b/work': operation not supported (EOPNOTSUPP)",
    ],
    [
      'a read-only file system',
      () => {
        mountTmpfs(at('b'));
        for (const name of ['b/upper', 'b/work']) mkdirSync(at(name));
        execFileSync('mount', ['-o', 'remount,ro', at('b')]);
        return { lowerdir: [at('a')], upperdir: at('b/upper'), workdir: at('b/work') };
      },
      "overlay: workdir 'b/work': mkdir 'b/work': read-only file system (EROFS)",
    ],
  ])('%s', (_what, change, message) => {
    expect(refusal(change())).toBe(message);
  });
});
