// Death of the server at each step of an operation: before every change it makes on disk, the upper and the work
// directory are copied away. Whatever a kill leaves is one of these copies; each must show the file system as it was
// before the operation or as it is after it, to us and to kernel overlayfs, and nothing in between.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { KERNEL_OPTIONS, backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { Staged } from '../helpers/backends.js';
import { expectOneOf, leftInWork, strayNumbers, treeSince, withoutDirectoryTimes } from '../helpers/death.js';
import { buildWithLibc } from '../helpers/build-with-libc.js';
import { mountKernelOverlay } from '../helpers/kernel-overlay.js';
import { photograph } from '../helpers/photographed.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';
import { expectSameTree, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { must, removexattr, umount2 } from '../../src/sys/index.js';
import { DEATH_CASES, LAYERS, METACOPY_CASES, makeMetacopy } from './death-cases.js';
import type { DeathCase } from './death-cases.js';

const started = Math.floor(Date.now() / 1000);

/** What is on disk and counts: what is being made in `work` does not. */
function onDisk(staged: Staged): string {
  const trees = [snapshot(staged.upper!), snapshot(path.join(staged.work, 'index'))];
  return JSON.stringify(trees.map((tree) => [...withoutDirectoryTimes(tree)]));
}

/** The photographs that differ in what counts, with the numbers of the changes before which they were taken. */
function distinct(photos: readonly Staged[]): { step: number; staged: Staged }[] {
  const seen = photos.map(onDisk);
  return photos
    .map((staged, step) => ({ step, staged }))
    .filter(({ step }) => step === 0 || step === photos.length - 1 || seen[step] !== seen[step - 1]);
}

const blank = (keys: readonly string[]): object => Object.fromEntries(keys.map((key) => [key, '']));

function without(tree: Tree, between: DeathCase['between']): Tree {
  return new Map(
    [...tree].map(([name, entry]) => [name, name === between?.path ? { ...entry, ...blank(between.keys) } : entry]),
  );
}

interface Sight {
  readonly tree: Tree;
  readonly stray: readonly string[];
  readonly index: readonly string[];
}

async function look(kind: 'kernel' | 'veneer', staged: Staged): Promise<Sight> {
  const mounted = await mountStaged(kind, staged);
  try {
    if (kind === 'veneer') expect(leftInWork(staged)).toEqual([]);
    const tree = treeSince(mounted.root, started);
    const index = readdirSync(path.join(staged.work, 'index'));
    return { tree, index, stray: strayNumbers(mounted.root) };
  } finally {
    await mounted.unmount();
  }
}

/** Looks at what each kill would leave, from the first change to the last. */
async function expectOldOrNew(
  photos: readonly Staged[],
  { between }: DeathCase,
  mountedBy: 'both' | 'veneer only',
): Promise<void> {
  const stages = distinct(photos);
  // One step leads from old to new: there is nothing in between.
  if (stages.length === 2) return;
  const lookAt = async (staged: Staged): Promise<Sight> => {
    const sight = await look('veneer', staged);
    return { ...sight, tree: without(sight.tree, between) };
  };
  const before = await lookAt(stages[0]!.staged);
  const after = await lookAt(stages.at(-1)!.staged);
  let isNew = false;
  for (const { step, staged } of stages.slice(1, -1)) {
    try {
      const found = await lookAt(staged);
      expectOneOf(isNew ? [after.tree] : [before.tree, after.tree], found.tree);
      isNew = JSON.stringify([...found.tree]) === JSON.stringify([...after.tree]);
      expect(found.stray).toEqual([]);
      // An entry of the index without a name in the tree would stay for ever.
      expect([before.index, after.index]).toContainEqual(found.index);
      if (mountedBy === 'veneer only') continue;
      const kernel = await look('kernel', staged);
      expectSameTree(found.tree, without(kernel.tree, between));
      expect(kernel.stray).toEqual([]);
    } catch (error) {
      const changes = String(photos.length - 1);
      throw new Error(`killed after ${String(step)} of ${changes} changes: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

const gates = [backendGate('kernel'), backendGate('veneer')];

describe.skipIf(gates.some((gate) => gate.skip))('death at each step', () => {
  const buildDir = tempDir('photographs');
  const door = buildWithLibc(buildDir.path, 'photographing-libc.mjs');
  let temp: TempDir;
  const newStage = (): Staged => {
    temp = tempDir('death-step');
    const base = path.join(temp.path, 'layers');
    mkdirSync(base, { mode: 0o755 });
    return stage(base, LAYERS, 'kernel');
  };
  afterEach(() => temp.remove());
  afterAll(() => buildDir.remove());

  const walk = async (staged: Staged, one: DeathCase, mountedBy: 'both' | 'veneer only' = 'both'): Promise<void> => {
    const { prepare = () => undefined, act } = one;
    const photos = await photograph(await door, staged, { prepare, act });
    expect(photos.length).toBeGreaterThan(1);
    await expectOldOrNew(photos, one, mountedBy);
    expect(loggedErrors(staged)).toEqual([]);
  };

  test.each(DEATH_CASES.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    await walk(newStage(), one);
  });

  test.each(METACOPY_CASES.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const staged = newStage();
    const data = `lowerdir=${staged.lowers.join(':')},upperdir=${staged.upper!},workdir=${staged.work},${KERNEL_OPTIONS}`;
    const options = data.replace('metacopy=off', 'metacopy=on');
    mountKernelOverlay(staged.mountpoint, options);
    makeMetacopy(staged.mountpoint);
    must(umount2(staged.mountpoint), 'umount');
    // The kernel knows its directories by their file handles again, which a copy does not have.
    for (const name of ['work', 'index']) rmSync(path.join(staged.work, name), { recursive: true });
    must(removexattr(staged.upper!, 'trusted.overlay.origin'), 'removexattr');
    // The kernel's own option would have to be metacopy=on, too: only that what we make of it is sound counts here.
    await walk(staged, one, 'veneer only');
  });
});
