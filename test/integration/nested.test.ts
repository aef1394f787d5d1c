// Mounts of mounts: veneer as a layer of kernel overlayfs and of veneer, over kernel overlayfs, and mount points that lie
// above or below a layer.

import { appendFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { backendGate, mountStaged, overlayDoor } from '../helpers/backends.js';
import type { Staged } from '../helpers/backends.js';
import { link, whiteout } from '../helpers/layer-spec.js';
import { run } from '../helpers/other-process.js';
import { Scenario } from '../helpers/scenario.js';
import { withDeadline } from '../helpers/tmp.js';
import { expectSameTree } from '../helpers/tree.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;
const DEADLINE = 20_000;

let scenario: Scenario;
afterEach(() => scenario.remove());

const layers = {
  lower: [
    { 'd/top': 'top', gone: whiteout(), 'e/x': 'x' },
    { 'd/bottom': 'bottom', gone: 'x', f: 'file' },
  ],
  upper: { 'u/new': 'new' },
};

/** A second mount with one lower layer. */
function over(lower: string, label: string): Staged {
  const base = path.join(scenario.temp.path, label);
  for (const name of ['', 'upper', 'work', 'mnt']) mkdirSync(path.join(base, name), { mode: 0o755 });
  return {
    base,
    lowers: [lower],
    upper: path.join(base, 'upper'),
    work: path.join(base, 'work'),
    mountpoint: path.join(base, 'mnt'),
    readOnly: false,
  };
}

function change(root: string): void {
  appendFileSync(`${root}/f`, '+');
  appendFileSync(`${root}/u/new`, '+');
  writeFileSync(`${root}/d/made`, 'made');
  rmSync(`${root}/d/top`);
  renameSync(`${root}/d/bottom`, `${root}/e/moved`);
  rmSync(`${root}/e/x`);
  mkdirSync(`${root}/e/dir`);
}

function expectChanged(root: string): void {
  expect(readFileSync(`${root}/f`, 'utf8')).toBe('file+');
  expect(readFileSync(`${root}/u/new`, 'utf8')).toBe('new+');
  expect(readdirSync(`${root}/d`)).toEqual(['made']);
  expect(readdirSync(`${root}/e`).sort()).toEqual(['dir', 'moved']);
  expect(readFileSync(`${root}/e/moved`, 'utf8')).toBe('bottom');
  expect(readdirSync(root).sort()).toEqual(['d', 'e', 'f', 'u']);
}

describe.skipIf(skip)('a mount', () => {
  test.each([
    ['veneer', 'kernel'],
    ['veneer', 'veneer'],
    ['kernel', 'veneer'],
  ] as const)('of %s is the lower layer of %s', async (inner, outer) => {
    scenario = new Scenario('nested', layers);
    await scenario.on(inner, async (below) => {
      const before = scenario.tree(below);
      const staged = over(below, 'outer');
      for (const round of [0, 1]) {
        const mounted = await mountStaged(outer, staged);
        try {
          if (round === 0) expectSameTree(before, scenario.tree(mounted.root));
          withDeadline('nested', DEADLINE, () => {
            if (round === 0) change(mounted.root);
            expectChanged(mounted.root);
          });
        } finally {
          await mounted.unmount();
        }
      }
      expectSameTree(before, scenario.tree(below));
    });
    scenario.expectLowersUnchanged();
  });

  test('of veneer, where hard links cannot be found by file handles: a write through one name leaves the others', async () => {
    scenario = new Scenario('nested-links', { lower: [{ a: 'x', b: link('a'), 'd/c': link('a') }], upper: {} });
    await scenario.on('veneer', async (below) => {
      const staged = over(below, 'outer');
      for (const round of [0, 1]) {
        const mounted = await mountStaged('veneer', staged);
        try {
          const { root } = mounted;
          withDeadline('nested', DEADLINE, () => {
            const read = (): string[] => ['a', 'b', 'd/c'].map((name) => readFileSync(`${root}/${name}`, 'utf8'));
            if (round === 0) {
              expect(read()).toEqual(['x', 'x', 'x']);
              appendFileSync(`${root}/b`, '+');
            }
            expect(read()).toEqual(['x', 'x+', 'x']);
          });
        } finally {
          await mounted.unmount();
        }
      }
    });
    scenario.expectLowersUnchanged();
  });

  test('of veneer is below the upper directory of another, or refused with a reason', async () => {
    scenario = new Scenario('nested-upper', { ...layers, upper: {} });
    await scenario.on('veneer', async (below) => {
      const staged = { ...over(scenario.staged.lowers[0]!, 'outer'), upper: `${below}/up`, work: `${below}/work` };
      mkdirSync(staged.upper);
      mkdirSync(staged.work);
      const mounted = await mountStaged('veneer', staged);
      try {
        withDeadline('nested', DEADLINE, () => {
          appendFileSync(`${mounted.root}/d/top`, '+');
          rmSync(`${mounted.root}/e/x`);
          rmSync(`${mounted.root}/e`, { recursive: true });
          writeFileSync(`${mounted.root}/new`, 'new');
          expect(readdirSync(mounted.root).sort()).toEqual(['d', 'new']);
          expect(readFileSync(`${mounted.root}/d/top`, 'utf8')).toBe('top+');
        });
      } finally {
        await mounted.unmount();
      }
    });
    scenario.expectLowersUnchanged();
  });

  const places: readonly (readonly [string, (staged: Staged) => string])[] = [
    ['the upper layer itself', (staged) => staged.upper!],
    ['a lower layer itself', (staged) => staged.lowers[0]!],
    ['a directory of a lower layer', (staged) => `${staged.lowers[0]!}/d`],
    ['the directory above all layers', (staged) => staged.base],
  ];

  test.each(places)('on %s answers, or is refused, and does not hang', async (_name, place) => {
    scenario = new Scenario('over-layer', layers);
    const { lowers, upper, work, base } = scenario.staged;
    const mountpoint = place(scenario.staged);
    const door = await overlayDoor();
    const options = { lowerdir: lowers, upperdir: upper!, workdir: work, mountpoint, logFile: `${base}.log` };
    const started = await door.startOverlay(options).catch((error: unknown) => error);
    if (started instanceof Error) {
      expect(started.message).toMatch(/mount/);
      return;
    }
    try {
      const seen = await run('sh', ['-c', 'ls -lR . > /dev/null && echo new > d/made && cat f u/new d/made'], {
        cwd: mountpoint,
        timeout: DEADLINE,
      });
      expect(seen).toMatchObject({ status: 0, stdout: 'filenewnew\n' });
    } finally {
      await door.unmountOverlay(mountpoint);
    }
  });
});
