// kill -9 at every step of what changes a store: what is left works, and holds leftovers at most.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fillVolume, finishFilling } from '../../src/container/fill-volume.js';
import { diffContainer } from '../../src/container/index.js';
import { Store, isLeftover } from '../../src/store/index.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import { expectSameTree, snapshot, withoutTimes } from '../helpers/tree.js';

const CHILD = path.join(import.meta.dirname, 'store-child.mjs');

function run(root: string, scenario: string, killAt = 0) {
  const args = [CHILD, root, scenario, String(killAt)];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (signal === null && status !== 0) throw new Error(`${scenario} failed: ${stderr}`);
  return { killed: signal === 'SIGKILL', calls: Number(stdout) };
}

/** The store as it must be, whatever happened: nothing that is recorded is missing or incomplete. */
function expectSound(root: string): Store {
  const store = Store.open(root);
  expect(store.check().filter((finding) => !isLeftover(finding))).toEqual([]);
  for (const layer of store.layers.list()) {
    if (store.containers.list().some((record) => record.committed.some((one) => one.chainId === layer.chainId)))
      continue;
    expect(existsSync(path.join(store.layers.path(layer.chainId), 'file'))).toBe(true);
  }
  return store;
}

/** Where the change made in container `box` is: in its upper directory, or in a layer it lies on. */
function changeOf(store: Store): string | undefined {
  const record = store.containers.find('box');
  if (record === undefined) return undefined;
  const places = [
    path.join(store.containers.directory(record.id), 'upper'),
    ...record.committed.map((layer) => store.layers.path(layer.chainId)),
  ].map((place) => path.join(place, 'change'));
  return places.filter((place) => existsSync(place)).map((place) => readFileSync(place, 'utf8'))[0];
}

const built = requires('build');

const scenarios = [
  { scenario: 'open', before: [] },
  { scenario: 'import', before: [] },
  { scenario: 'create-container', before: [] },
  { scenario: 'commit-container', before: [] },
  // Once more after one that was interrupted.
  { scenario: 'commit-container', before: [['commit-container', 12]] },
  { scenario: 'rm', before: [['commit']] },
  { scenario: 'rmi', before: [['rm']] },
  // Something to prune: an import and a commit that were interrupted.
  {
    scenario: 'prune',
    before: [
      ['import', 20],
      ['commit', 8],
    ],
  },
] as const;

describe.skipIf(built.skip)(built.title('killed at any step'), () => {
  test.each(scenarios)(
    'of $scenario, a process leaves a store that works',
    async ({ scenario, before }) => {
      using temp = tempDir('kill');
      const prepared = path.join(temp.path, 'prepared');
      mkdirSync(prepared);
      if (scenario !== 'open') run(prepared, 'prepare');
      for (const [step, killAt] of before) run(prepared, step, killAt);
      const total = run(copyOf(prepared, path.join(temp.path, 'whole')), scenario).calls;
      expect(total).toBeGreaterThan(5);
      for (let killAt = 1; killAt <= total; killAt += 1) {
        const root = copyOf(prepared, path.join(temp.path, String(killAt)));
        expect(run(root, scenario, killAt).killed).toBe(true);
        const store = expectSound(root);
        for (const record of store.containers.list()) (await store.containers.lock(record)).release();
        if (!scenario.startsWith('rm') && scenario !== 'open') {
          expect(changeOf(store)).toBe('box');
          expect((await collect(diffContainer(store, 'box'))).map(({ path: name }) => name)).toEqual(['change']);
        }
        store.prune();
        expect(store.check()).toEqual([]);
        expect(readdirSync(path.join(root, 'staging'))).toEqual([]);
        store.close();
      }
    },
    300_000,
  );
});

describe.skipIf(built.skip)(built.title('killed while it fills a volume'), () => {
  test('a process leaves whole files, and the next one does the rest', async () => {
    using temp = tempDir('kill');
    const image = path.join(temp.path, 'image/srv');
    for (const name of ['a', 'b/c', 'd']) {
      mkdirSync(path.dirname(path.join(image, name)), { recursive: true });
      writeFileSync(path.join(image, name), name);
    }
    chmodSync(image, 0o711);
    const prepared = path.join(temp.path, 'prepared');
    mkdirSync(prepared);
    const fresh = Store.open(prepared);
    fresh.volumes.create({ name: 'data', labels: {}, isAnonymous: false });
    fresh.close();
    const whole = snapshot(image);
    const total = run(copyOf(prepared, path.join(temp.path, 'whole')), 'fill-volume').calls;
    expect(total).toBeGreaterThan(5);
    for (let killAt = 1; killAt <= total; killAt += 1) {
      const root = copyOf(prepared, path.join(temp.path, String(killAt)));
      expect(run(root, 'fill-volume', killAt).killed).toBe(true);
      const volume = path.join(root, 'volumes/data/_data');
      for (const [name, { type, content }] of snapshot(volume)) {
        const source = whole.get(name);
        expect({ name, type, content }).toEqual({ name, type: source?.type, content: source?.content });
      }
      const store = expectSound(root);
      await finishFilling(store, 'data');
      await fillVolume(store, { volume: 'data', rootfs: path.join(temp.path, 'image'), path: '/srv' });
      expectSameTree(withoutTimes(whole, ['file', 'dir']), withoutTimes(snapshot(volume), ['file', 'dir']));
      store.prune();
      expect(store.check()).toEqual([]);
      expect(readdirSync(path.join(root, 'staging'))).toEqual([]);
      store.close();
    }
  }, 300_000);
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function copyOf(from: string, to: string): string {
  cpSync(from, to, { recursive: true });
  return to;
}
