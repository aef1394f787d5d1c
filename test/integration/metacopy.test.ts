// Metadata-only copies: a change of attributes leaves the content below, and nobody can tell but by the upper directory.

import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { getxattr, must, setxattr, umount2 } from '../../src/sys/index.js';
import { KERNEL_METACOPY, backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { Mounted, Staged } from '../helpers/backends.js';
import { mountKernelOverlay } from '../helpers/kernel-overlay.js';
import { dir, file, link } from '../helpers/layer-spec.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';
import { expectSameTree, snapshot } from '../helpers/tree.js';

const BIG = Buffer.alloc(300_000, 'big file ');
const LAYERS = {
  lower: [
    {
      big: file(BIG, { xattrs: { 'user.kept': 'yes' } }),
      'd/small': 'small',
      h1: file(BIG),
      h2: link('h1'),
      empty: file(''),
      'd/e': dir(),
    },
  ],
  upper: {},
};

const gate = backendGate('veneer');
const kernelGate = backendGate('kernel');
let temp: TempDir;
let staged: Staged;
let mounted: Mounted;

async function start(options: { metacopy: boolean } = { metacopy: true }): Promise<string> {
  temp = tempDir('metacopy');
  const base = path.join(temp.path, 'layers');
  mkdirSync(base, { mode: 0o755 });
  staged = stage(base, LAYERS, 'kernel');
  mounted = await mountStaged('veneer', staged, options);
  return mounted.root;
}

async function again(options: { metacopy: boolean }): Promise<void> {
  await mounted.unmount();
  mounted = await mountStaged('veneer', staged, options);
}

/** Whether an upper file has none of its content. */
const isHollow = (name: string): boolean => {
  const at = path.join(staged.upper!, name);
  return typeof getxattr(at, 'trusted.overlay.metacopy') !== 'number' && statSync(at).blocks <= 16;
};

function withKernel<T>(look: () => T): T {
  const data = `lowerdir=${staged.lowers.join(':')},upperdir=${staged.upper!},workdir=${staged.work},${KERNEL_METACOPY}`;
  mountKernelOverlay(staged.mountpoint, data);
  try {
    return look();
  } finally {
    must(umount2(staged.mountpoint), 'umount');
  }
}

describe.skipIf(gate.skip)(gate.title('metadata-only copies'), () => {
  afterEach(async () => {
    await mounted.unmount();
    expect(loggedErrors(staged)).toEqual([]);
    temp.remove();
  });

  test.each<readonly [string, (at: string) => void]>([
    [
      'chmod',
      (at) => {
        chmodSync(at, 0o600);
      },
    ],
    [
      'chown',
      (at) => {
        chownSync(at, 12, 34);
      },
    ],
    [
      'utimens',
      (at) => {
        utimesSync(at, 1, 2);
      },
    ],
    ['setxattr', (at) => must(setxattr(at, 'user.new', Buffer.from('new')), 'setxattr')],
  ])('%s leaves the content below', async (_, change) => {
    const root = await start();
    const before = lstatSync(`${root}/big`);
    change(`${root}/big`);
    expect(isHollow('big')).toBe(true);
    const { size, blocks, ino } = lstatSync(`${root}/big`);
    expect({ size, blocks, ino }).toEqual({ size: before.size, blocks: before.blocks, ino: before.ino });
    expect(readFileSync(`${root}/big`).equals(BIG)).toBe(true);
    // Somebody who never asks for it sees it, too.
    await again({ metacopy: false });
    expect(lstatSync(`${root}/big`)).toMatchObject({ size, blocks, ino });
    expect(readFileSync(`${root}/big`).equals(BIG)).toBe(true);
  });

  test('without the option everything is copied', async () => {
    const root = await start({ metacopy: false });
    chmodSync(`${root}/big`, 0o600);
    expect(isHollow('big')).toBe(false);
    expect(readFileSync(path.join(staged.upper!, 'big')).equals(BIG)).toBe(true);
  });

  test('what is hard-linked or empty is copied whole', async () => {
    const root = await start();
    for (const name of ['h1', 'empty']) chmodSync(`${root}/${name}`, 0o600);
    expect([isHollow('h1'), isHollow('empty')]).toEqual([false, false]);
    expect(readFileSync(`${root}/h2`).equals(BIG)).toBe(true);
  });

  test.each<readonly [string, (root: string) => void, string, Buffer]>([
    [
      'append',
      (root) => {
        appendFileSync(`${root}/big`, '+');
      },
      'big',
      Buffer.concat([BIG, Buffer.from('+')]),
    ],
    [
      'O_TRUNC',
      (root) => {
        writeFileSync(`${root}/big`, 'new');
      },
      'big',
      Buffer.from('new'),
    ],
    [
      'truncate',
      (root) => {
        truncateSync(`${root}/big`, 1000);
      },
      'big',
      BIG.subarray(0, 1000),
    ],
    [
      'rename',
      (root) => {
        renameSync(`${root}/big`, `${root}/d/e/moved`);
      },
      'd/e/moved',
      BIG,
    ],
    [
      'link',
      (root) => {
        linkSync(`${root}/big`, `${root}/d/linked`);
      },
      'd/linked',
      BIG,
    ],
  ])('%s of one brings its content', async (_, act, name, expected) => {
    const root = await start();
    chmodSync(`${root}/big`, 0o640);
    act(root);
    expect(isHollow(name)).toBe(false);
    expect(readFileSync(`${root}/${name}`).equals(expected)).toBe(true);
    expect(readFileSync(path.join(staged.upper!, name)).equals(expected)).toBe(true);
    expect(statSync(`${root}/${name}`).mode & 0o777).toBe(0o640);
  });

  test('a reader from before stays, whoever changes attributes or data', async () => {
    const root = await start();
    const reader = openSync(`${root}/big`, 'r');
    chmodSync(`${root}/big`, 0o600);
    fsyncSync(reader);
    expect(readFileSync(reader).equals(BIG)).toBe(true);
    appendFileSync(`${root}/big`, '+');
    closeSync(reader);
    expect(readFileSync(`${root}/big`).length).toBe(BIG.length + 1);
  });

  test('of a directory that is renamed, it is found in its new place', async () => {
    const root = await start();
    chmodSync(`${root}/d/small`, 0o600);
    renameSync(`${root}/d`, `${root}/moved`);
    expect(readFileSync(`${root}/moved/small`, 'latin1')).toBe('small');
    await again({ metacopy: true });
    expect(isHollow('moved/small')).toBe(true);
    expect(readFileSync(`${root}/moved/small`, 'latin1')).toBe('small');
  });

  test.skipIf(kernelGate.skip)("the kernel's, of a file with several links, is read under each name", async () => {
    const root = await start();
    await mounted.unmount();
    withKernel(() => {
      chmodSync(`${root}/h1`, 0o640);
    });
    expect(isHollow('h1')).toBe(true);
    for (const first of ['h1', 'h2']) {
      mounted = await mountStaged('veneer', staged);
      for (const name of [first, 'h1', 'h2']) {
        expect(readFileSync(`${root}/${name}`).equals(BIG), name).toBe(true);
        expect(lstatSync(`${root}/${name}`)).toMatchObject({ mode: 0o100640, nlink: 2 });
      }
      await mounted.unmount();
    }
    mounted = await mountStaged('veneer', staged);
    appendFileSync(`${root}/h2`, '+');
    for (const name of ['h1', 'h2']) expect(readFileSync(`${root}/${name}`).length).toBe(BIG.length + 1);
  });

  test.skipIf(kernelGate.skip)('kernel overlayfs with metacopy=on shows the same', async () => {
    const root = await start();
    chmodSync(`${root}/big`, 0o600);
    chownSync(`${root}/d/small`, 7, 8);
    chmodSync(`${root}/h2`, 0o604);
    renameSync(`${root}/d`, `${root}/moved`);
    const ours = snapshot(root);
    await mounted.unmount();
    expectSameTree(
      ours,
      withKernel(() => snapshot(staged.mountpoint)),
    );
    mounted = await mountStaged('veneer', staged, { metacopy: true });
  });
});
