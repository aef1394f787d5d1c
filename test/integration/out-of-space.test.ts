// A full disk below the upper directory: each operation says so or works, nothing is lost or left half done, and all
// goes on when there is space again.

import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { hasCode } from '../../src/core/index.js';
import { RENAME_EXCHANGE, mount, must } from '../../src/sys/index.js';
import { Player } from '../conformance/fuzz-player.js';
import type { Operation } from '../conformance/fuzz-operations.js';
import { backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { Mounted, Staged } from '../helpers/backends.js';
import { leftInWork, shownBy, treeSince } from '../helpers/death.js';
import { dir, file, link, symlink, whiteout } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { LoopImage } from '../helpers/loop-image.js';
import { requires, runProgram } from '../helpers/requires.js';
import type { Requirement } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';
import { expectSameTree, treeDifferences } from '../helpers/tree.js';

const gate = backendGate('veneer');
const kernelGate = backendGate('kernel');
const started = Math.floor(Date.now() / 1000);
const MIB = 1 << 20;

const BIG = Buffer.alloc(3 * MIB, 'big file ');
const XATTRS = { 'user.long': Buffer.alloc(3000, 'x') };

const LOWER: LayerSpec = {
  big: file(BIG),
  small: file('small', { xattrs: XATTRS }),
  gone: 'gone',
  'd/e/deep': 'deep',
  'full/f': 'f',
  empty: dir(),
  s: symlink('small'),
  h1: file('linked'),
  h2: link('h1'),
  'r/a': 'a',
  x1: 'x1',
  x2: 'x2',
};
const UPPER: LayerSpec = { own: file(Buffer.alloc(200_000, 'o')), own2: 'own', 'dir/f': 'f', gone: whiteout() };

/** What cannot work without space or inodes somewhere; each changes something of its own. */
const OPERATIONS: readonly Operation[] = [
  { op: 'append', path: 'big', text: 'more', offset: 0 },
  { op: 'chmod', path: 'small', mode: 0o600 },
  { op: 'truncate', path: 'd/e/deep', size: 2 },
  { op: 'utimens', path: 's', sec: 77 },
  { op: 'create', path: 'new' },
  { op: 'create', path: 'gone' },
  { op: 'mkdir', path: 'newdir' },
  { op: 'mkdir', path: 'd/newdir' },
  { op: 'symlink', path: 'newlink', target: 'target'.repeat(40) },
  { op: 'mkfifo', path: 'newfifo' },
  { op: 'unlink', path: 'full/f' },
  { op: 'rmdir', path: 'empty' },
  { op: 'rename', path: 'x1', to: 'd/x1', flags: 0 },
  { op: 'rename', path: 'r', to: 'dir/r', flags: 0 },
  { op: 'rename', path: 'x2', to: 'own2', flags: RENAME_EXCHANGE },
  { op: 'link', path: 'own', to: 'd/e/own' },
  { op: 'chmod', path: 'h1', mode: 0o600 },
  { op: 'unlink', path: 'h2' },
  { op: 'setxattr', path: 'dir', key: 'user.a', text: 'x'.repeat(100) },
];

type Fill = 'space' | 'inodes';

interface Disk {
  readonly title: string;
  readonly needs: readonly Requirement[];
  readonly fills: readonly Fill[];
  readonly make: (at: string) => string;
}

const DISKS: readonly Disk[] = [
  {
    title: 'tmpfs',
    needs: ['root'],
    fills: ['space', 'inodes'],
    make: (at) => {
      const data = 'size=16m,nr_inodes=400,mode=0755';
      must(mount({ source: 'tmpfs', target: at, type: 'tmpfs', flags: 0, data }), 'mount', at);
      return at;
    },
  },
  {
    title: 'ext4',
    needs: ['root', 'ext4'],
    fills: ['space', 'inodes'],
    make: (at) =>
      new LoopImage(at, 'ext4', { size: 24 * MIB, mkfs: ['-m', '0', '-N', '400', '-b', '4096'] }).mountpoint,
  },
];

let temp: TempDir;
afterEach(() => temp.remove());

/** Upper and work on the small disk, the lower layer beside it. */
function stageOn(disk: Disk): { at: string; staged: Staged } {
  temp = tempDir('space');
  const base = path.join(temp.path, 'layers');
  const place = path.join(temp.path, 'small');
  for (const made of [base, place]) mkdirSync(made, { mode: 0o755 });
  const at = disk.make(place);
  const staged = stage(base, { lower: [LOWER] }, 'kernel');
  const onDisk = path.join(at, 'layers');
  mkdirSync(onDisk, { mode: 0o755 });
  const { upper, work } = stage(onDisk, { lower: [], upper: UPPER }, 'kernel');
  return { at, staged: { ...staged, upper: upper!, work, readOnly: false } };
}

const isFull = (error: unknown): boolean => hasCode(error, 'ENOSPC');

/** Takes all space but `spare` bytes, or all inodes; returns how to give them back. */
function fill(at: string, what: Fill, spare = 0): () => void {
  const filler = path.join(at, 'filler');
  mkdirSync(filler);
  try {
    if (what === 'inodes') for (let n = 0; ; n += 1) closeSync(openSync(path.join(filler, String(n)), 'w'));
    const fd = openSync(path.join(filler, 'bytes'), 'w');
    const chunks = [64 * 1024, 4096].map((size) => Buffer.alloc(size));
    for (const chunk of chunks) {
      try {
        while (statfsSync(at).bavail * statfsSync(at).bsize > spare) if (writeSync(fd, chunk) < chunk.length) break;
      } catch (error) {
        if (!isFull(error)) throw error;
      }
    }
    closeSync(fd);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  return () => {
    rmSync(filler, { recursive: true });
  };
}

/** Written out first: blocks that ext4 has only reserved for what is in memory count in rough. */
const free = (at: string): string => {
  runProgram('sync', ['-f', at]);
  const { bfree, ffree } = statfsSync(at) as { bfree: number; ffree: number };
  return `${String(bfree)} blocks, ${String(ffree)} inodes`;
};

const tree = (root: string): ReturnType<typeof treeSince> => treeSince(root, started);

function refuse(mounted: Mounted, player: Player, operation: Operation): boolean {
  const before = tree(mounted.root);
  const answer = player.play(operation);
  if (answer === 'ok') return false;
  expect(answer, JSON.stringify(operation)).toBe('ENOSPC');
  expect(treeDifferences(before, tree(mounted.root)), JSON.stringify(operation)).toEqual([]);
  return true;
}

for (const disk of DISKS) {
  const needs = requires(...disk.needs);
  describe.skipIf(gate.skip || needs.skip)(needs.title(`a full ${disk.title}`), () => {
    test.each(disk.fills)('out of %s: refuses cleanly, and goes on when there is some again', async (what) => {
      const { at, staged } = stageOn(disk);
      const mounted = await mountStaged('veneer', staged);
      const player = new Player(mounted.root);
      const give = fill(at, what);
      const refused = OPERATIONS.filter((operation) => refuse(mounted, player, operation));
      // What copies up, makes something or needs a whiteout has no chance.
      expect(refused.length).toBeGreaterThan(4);
      expect(player.play({ op: 'unlink', path: 'dir/f' })).toBe('ok');
      expect(readFileSync(`${mounted.root}/big`).equals(BIG)).toBe(true);
      // Refused again and again, until what was only reserved is written out and lets none through any more: what a
      // refused one took has been given back.
      let left = '';
      for (let round = 0; round < 10 && free(at) !== left; round += 1) {
        left = free(at);
        for (const operation of refused) player.play(operation);
      }
      expect(free(at)).toBe(left);
      give();
      for (const operation of refused)
        expect(player.play(operation), JSON.stringify(operation)).toMatch(/^(ok|EEXIST|ENOENT)$/);
      const now = tree(mounted.root);
      await mounted.unmount();
      expect(leftInWork(staged)).toEqual([]);
      expectSameTree(now, await shownBy('veneer', staged, started));
      if (!kernelGate.skip) expectSameTree(now, await shownBy('kernel', staged, started));
      expect(loggedErrors(staged)).toEqual([]);
    });

    test('a copy-up that space ends half-way leaves the old file, and the space', async () => {
      const { at, staged } = stageOn(disk);
      const mounted = await mountStaged('veneer', staged);
      const player = new Player(mounted.root);
      const give = fill(at, 'space', MIB);
      const left = free(at);
      for (let n = 0; n < 3; n += 1) expect(refuse(mounted, player, OPERATIONS[0]!)).toBe(true);
      expect(free(at)).toBe(left);
      expect(readFileSync(`${mounted.root}/big`).equals(BIG)).toBe(true);
      give();
      expect(player.play(OPERATIONS[0]!)).toBe('ok');
      expect(readFileSync(`${mounted.root}/big`, 'latin1').endsWith('more')).toBe(true);
      await mounted.unmount();
      expect(loggedErrors(staged)).toEqual([]);
    });

    test('a write that space ends keeps what was written', async () => {
      const { at, staged } = stageOn(disk);
      const mounted = await mountStaged('veneer', staged);
      const fd = openSync(`${mounted.root}/log`, 'a');
      writeSync(fd, 'first\n');
      const give = fill(at, 'space');
      expect(() => {
        for (let n = 0; n < 10; n += 1) writeSync(fd, Buffer.alloc(8192, 'z'));
      }).toThrow(/ENOSPC/);
      give();
      writeSync(fd, 'last\n');
      closeSync(fd);
      expect(readFileSync(`${mounted.root}/log`, 'latin1')).toMatch(/^first\nz*last\n$/);
      await mounted.unmount();
    });

    test('mounting says what is missing, or works', async () => {
      const { at, staged } = stageOn(disk);
      const give = fill(at, 'inodes');
      const mounted = await mountStaged('veneer', staged).catch((error: unknown) => error as Error);
      if (mounted instanceof Error) expect(mounted.message).toMatch(/no space left/i);
      else await mounted.unmount();
      give();
      await (await mountStaged('veneer', staged)).unmount();
    });
  });
}
