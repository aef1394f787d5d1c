// The helpers that all the others lean on: would they notice?

import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AT_FDCWD, S_IFCHR, mknodat, setxattr } from '../../src/sys/index.js';
import { backendGate, mountStaged, stage } from './backends.js';
import { dir, file, link, opaque, symlink, whiteout, writeMergedSpecs } from './layer-spec.js';
import { runAs } from './native.js';
import { run } from './other-process.js';
import { FORGET_MOUNTS } from './own-mounts.js';
import { requires } from './requires.js';
import { HungError, mountsBelow, tempDir, withDeadline } from './tmp.js';
import type { TempDir } from './tmp.js';
import { expectSameTree, snapshot, treeDifferences } from './tree.js';

let temp: TempDir;
beforeEach(() => {
  temp = tempDir('helpers');
});
afterEach(() => temp.remove());

const replace = (at: string, make: (at: string) => unknown): void => {
  rmSync(at);
  make(at);
};

const rootGate = requires('root');

describe.skipIf(rootGate.skip)(rootGate.title('a comparison of trees'), () => {
  const spec = { 'd/f': file('content', { xattrs: { 'user.k': 'v' } }), l: symlink('d/f'), h: link('d/f') };

  const CHANGES: readonly (readonly [string, (at: string) => void, RegExp])[] = [
    ['a changed byte', (at) => writeFileSync(`${at}/d/f`, 'Content'), /^d\/f: .*content \w+ -> \w+$/m],
    ['a mode', (at) => chmodSync(`${at}/d/f`, 0o600), /^d\/f: mode 0644 -> 0600$/m],
    ['a time', (at) => utimesSync(`${at}/d`, 5, 5), /^d: mtime .* -> 5\.000000000$/m],
    ['a link target', (at) => replace(`${at}/l`, (l) => symlinkSync('d/g', l)), /^l: .*target d\/f -> d\/g$/m],
    ['an xattr', (at) => setxattr(`${at}/d/f`, 'user.k', Buffer.from('w')), /^d\/f: xattrs user\.k=76 -> user\.k=77$/m],
    ['a new name', (at) => writeFileSync(`${at}/new`, ''), /^new: should not be there/m],
    ['a missing name', (at) => rmSync(`${at}/l`), /^l: is missing/m],
    [
      'a type',
      (at) => replace(`${at}/l`, (l) => mknodat(AT_FDCWD, l, S_IFCHR | 0o777, 259)),
      /^l: type symlink -> char/m,
    ],
    [
      'a broken hard link',
      (at) => replace(`${at}/h`, (h) => writeFileSync(h, 'content')),
      /^h: .*links 2 same as d\/f -> undefined$/m,
    ],
    ['another hard link', (at) => linkSync(`${at}/h`, `${at}/i`), /^d\/f: links 2 -> 3$/m],
  ];

  test.each(CHANGES)('shows %s', (_name, change, line) => {
    writeMergedSpecs(temp.path, [spec]);
    const before = snapshot(temp.path);
    expectSameTree(before, snapshot(temp.path));
    change(temp.path);
    expect(treeDifferences(before, snapshot(temp.path)).join('\n')).toMatch(line);
    expect(() => expectSameTree(before, snapshot(temp.path))).toThrow(/the trees differ/);
  });
});

describe.skipIf(rootGate.skip)(rootGate.title('layers merged by hand'), () => {
  test('follow whiteouts, opaque directories and types', () => {
    writeMergedSpecs(temp.path, [
      { gone: whiteout(), cut: opaque(), 'cut/new': '', swap: 'file', d: dir({ mode: 0o700 }) },
      { gone: 'x', 'cut/old': '', 'swap/in': '', 'd/kept': '' },
    ]);
    expect([...snapshot(temp.path).keys()]).toEqual(['', 'cut', 'cut/new', 'd', 'd/kept', 'swap']);
  });
});

describe.skipIf(rootGate.skip)(rootGate.title('another identity'), () => {
  test('has its rights only, and ends', () => {
    chmodSync(temp.path, 0o755);
    expect(() => runAs({ uid: 61001, gid: 61001 }, () => mkdirSync(`${temp.path}/x`))).toThrow(/EACCES/);
    mkdirSync(`${temp.path}/y`);
    expect(statSync(`${temp.path}/y`).uid).toBe(0);
  });
});

const fuseGate = backendGate('veneer');

describe.skipIf(fuseGate.skip)(fuseGate.title('a mount that hangs'), () => {
  test('is cut off at the deadline', async () => {
    const base = path.join(temp.path, 'layers');
    mkdirSync(base);
    const { pid, root } = await mountStaged('veneer', stage(base, { lower: [{ f: 'x' }], upper: {} }, 'veneer'));
    process.kill(pid!, 'SIGSTOP');
    // A thread that is running stops when it takes the signal, and may answer before.
    const states = (): string[] =>
      readdirSync(`/proc/${String(pid)}/task`).map((task) =>
        readFileSync(`/proc/${String(pid)}/task/${task}/stat`, 'latin1').replace(/^.*\) (.).*$/s, '$1'),
      );
    while (states().some((state) => state !== 'T')) await sleep(1);
    try {
      expect(() => withDeadline('stat', 500, () => statSync(`${root}/f`))).toThrow(HungError);
      for (let tries = 0; tries < 100 && mountsBelow(temp.path).length > 0; tries += 1) await sleep(20);
      expect(mountsBelow(temp.path)).toEqual([]);
    } finally {
      process.kill(pid!, 'SIGKILL');
    }
  });
});

describe('another process', () => {
  test('that does not end is killed', async () => {
    await expect(run('sleep', ['30'], { timeout: 100 })).rejects.toThrow(/not done after 100 ms/);
  });

  test('leaves no temporary directory when it dies', async () => {
    // The janitor, as a test file that is killed leaves it: its input ends.
    const left = path.join(temp.path, 'left');
    mkdirSync(left);
    const script = path.join(import.meta.dirname, 'janitor-process.mjs');
    expect((await run(process.execPath, [script], { input: `${JSON.stringify({ watch: left })}\n` })).status).toBe(0);
    expect(existsSync(left)).toBe(false);
  });
});

const overlayGate = backendGate('kernel');

test.skipIf(overlayGate.skip)(
  overlayGate.title('a mount namespace of a test gives up the mounts of others'),
  async () => {
    const base = path.join(temp.path, 'layers');
    mkdirSync(base);
    const { root, unmount } = await mountStaged('kernel', stage(base, { lower: [{ file: 'x' }], upper: {} }, 'kernel'));
    const isMounted = `grep -q ' ${root} ' /proc/self/mountinfo`;
    const script = `${isMounted}; ${FORGET_MOUNTS} ${isMounted} || echo gone`;
    const { stdout } = await run('unshare', ['-m', 'sh', '-euc', script]);
    expect(stdout).toBe('gone\n');
    expect(readFileSync(path.join(root, 'file'), 'utf8')).toBe('x');
    await unmount();
  },
);
