// Hard links that span layers in commits: whichever of its names a file was changed by, an image shows what the container showed.

import { execFileSync } from 'node:child_process';
import { appendFileSync, linkSync, mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectSameTree, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { fixture, needs, shell } from './container-fixture.js';
import type { Fixture } from './container-fixture.js';

/** Files of three names each, in directories that are visited early and late. */
const LINKED = `
mkdir -p linked/a linked/m linked/z/deep
for i in 1 2 3 4; do echo $i > linked/a/$i; ln linked/a/$i linked/m/$i; ln linked/a/$i linked/z/deep/$i; done
`;

const NAMES = ['a', 'm', 'z/deep'].flatMap((dir) => [1, 2, 3, 4].map((file) => `linked/${dir}/${String(file)}`));

/** Numerical Recipes' generator: the same changes each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function change(root: string, random: (below: number) => number): void {
  const at = (): string => path.join(root, NAMES[random(NAMES.length)] ?? '');
  const steps = [
    () => appendFileSync(at(), `${String(random(100))}\n`),
    () => appendFileSync(at(), 'x'),
    () => unlinkSync(at()),
    () => renameSync(at(), `${at()}-moved`),
    () => linkSync(at(), path.join(root, `linked/m/new-${String(random(1000))}`)),
    () => renameSync(path.join(root, 'linked/z'), path.join(root, 'linked/y')),
    () => rmSync(path.join(root, 'linked/a'), { recursive: true }),
    () => execFileSync('chmod', [String(600 + random(2) * 40), at()], { stdio: 'ignore' }),
  ];
  // What changes whole directories is less likely.
  const step = steps[random(4) === 0 ? random(steps.length) : random(5)];
  try {
    step?.();
  } catch {
    // ENOENT, EEXIST: the name is gone, or taken.
  }
}

/** Without counts of links, which only one layer can share, and the times of directories that are changed for it. */
const contents = (tree: Tree): Tree => new Map([...tree].map(([name, { links: _links, ...entry }]) => [name, entry]));

async function shownBy(box: Fixture, image: string): Promise<Tree> {
  const at = box.path(`m-${image.slice(7, 19)}`);
  mkdirSync(at, { recursive: true });
  await box.api.mountImage(box.store, image, at);
  try {
    return contents(snapshot(at));
  } finally {
    await box.api.unmount(box.store, at);
  }
}

describe.skipIf(needs.skip)(needs.title('commits of hard links that span layers'), () => {
  test.each([1, 2, 3])('show what the container showed (%i)', { timeout: 60_000 }, async (seed) => {
    using box = await fixture();
    const { api, store } = box;
    shell(box.path('tree'), LINKED);
    execFileSync('tar', ['--xattrs', '-C', box.path('tree'), '-cf', box.path('linked.tar'), '.']);
    await api.importRootfs(store, { path: box.path('linked.tar') }, { reference: 'linked' });
    api.createContainer(store, { image: 'linked', name: 'box' });
    const random = numbers(seed);
    for (let round = 0; round < 3; round += 1) {
      const { mountpoint } = await api.mountContainer(store, 'box');
      for (let step = 0; step < 4; step += 1) change(mountpoint, random);
      const seen = contents(snapshot(mountpoint));
      const live = await api.commitContainer(store, 'box', random(2) === 0 ? { squash: true } : {});
      expectSameTree(seen, await shownBy(box, live.id));
      await api.unmount(store, 'box');
      if (random(2) === 0) continue;
      const image = await api.commitContainer(store, 'box', random(2) === 0 ? { exclude: ['none'] } : {});
      expectSameTree(seen, await shownBy(box, image.id));
    }
    expect(store.check()).toEqual([]);
  });
});
