// Several processes at once on one store.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Store } from '../../src/store/index.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';

const CHILD = path.join(import.meta.dirname, 'store-child.mjs');

/** Runs processes at the same time; resolves to what each wrote to its standard error. */
async function together(root: string, scenarios: readonly string[]): Promise<string[]> {
  return Promise.all(
    scenarios.map(async (scenario) => {
      const child = spawn(process.execPath, [CHILD, root, scenario], { stdio: ['ignore', 'ignore', 'pipe'] });
      let complaints = '';
      child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
      await once(child, 'close');
      return complaints;
    }),
  );
}

/** Nothing is wrong, nothing is left over, and every layer has its content. */
function expectClean(root: string): Store {
  const store = Store.open(root);
  expect(store.check()).toEqual([]);
  expect(readdirSync(path.join(root, 'staging'))).toEqual([]);
  for (const image of store.images.list()) {
    for (const layer of store.layers.paths(image.layers)) expect(existsSync(path.join(layer, 'file'))).toBe(true);
  }
  return store;
}

const built = requires('build');

describe.skipIf(built.skip)(built.title('processes at once'), () => {
  test('make a store and put the same thing into it', async () => {
    using temp = tempDir('processes');
    const root = path.join(temp.path, 'root');
    expect(await together(root, ['import', 'import', 'import', 'import'])).toEqual(['', '', '', '']);
    using store = expectClean(root);
    expect(store.images.list()).toHaveLength(1);
    expect(store.layers.list()).toHaveLength(2);
  });

  test('import, remove and prune images that share a layer', async () => {
    using temp = tempDir('processes');
    const root = path.join(temp.path, 'root');
    expect(await together(root, ['churn', 'churn', 'churn', 'churn'])).toEqual(['', '', '', '']);
    using store = expectClean(root);
    expect(store.images.list()).toHaveLength(4);
    expect(store.layers.list()).toHaveLength(5);
  }, 120_000);

  test('unpack a layer once; the second goes on where the first dies', async () => {
    using temp = tempDir('processes');
    const root = path.join(temp.path, 'root');
    writeFileSync(path.join(temp.path, 'die'), '');
    expect(await together(root, ['unpack', 'unpack', 'unpack', 'unpack'])).toEqual(['', '', '', '']);
    const unpacked = readFileSync(path.join(temp.path, 'unpacked'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    expect(unpacked).toEqual(['base', 'base', 'two', 'three']);
    using store = Store.open(root);
    expect(store.images.list().map((image) => image.references.length)).toEqual([3]);
    expect(store.prune().staging.length).toBeGreaterThan(0);
    expectClean(root).close();
  });

  test('commit and remove one container: the second is done or told, and nothing is left in between', async () => {
    using temp = tempDir('processes');
    for (let round = 0; round < 4; round += 1) {
      const root = path.join(temp.path, String(round));
      await together(root, ['prepare']);
      const [, commit, remove] = await together(root, ['create-container', 'commit', 'rm']);
      expect(remove).toBe('');
      expect(commit).toMatch(/^$|no such container/);
      using store = expectClean(root);
      expect(store.containers.list()).toHaveLength(1);
      expect(store.layers.list()).toHaveLength(1);
    }
  });
});
