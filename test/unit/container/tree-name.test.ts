import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createContainer } from '../../../src/container/create.js';
import { openTrees } from '../../../src/container/open-trees.js';
import { findTree } from '../../../src/container/tree-name.js';
import { addImage, codeOf, temporaryDirectory, temporaryStore } from '../store/fixture.js';

function boxed() {
  const store = temporaryStore();
  const base = addImage(store, ['one', 'two', 'three'], 'base');
  // The same content on another layer: one DiffID, two ChainIDs.
  const other = addImage(store, ['other', 'two'], 'other');
  return { store, base, other };
}

const hex = (id: string) => id.slice('sha256:'.length);

test('a name is of a container, then of an image', () => {
  const { store, base, other } = boxed();
  expect(findTree(store, 'base')).toEqual({ kind: 'image', image: base.id, layers: base.layers });
  expect(findTree(store, `base@${base.id}`)).toMatchObject({ kind: 'image', image: base.id });
  for (const id of [base.id, hex(base.id), hex(base.id).slice(0, 12)]) {
    expect(findTree(store, id)).toMatchObject({ image: base.id });
  }
  const container = createContainer(store, { image: 'other', name: 'base' });
  expect(findTree(store, 'base')).toMatchObject({ kind: 'container', record: { id: container.id, image: other.id } });
  expect(findTree(store, 'base:latest')).toMatchObject({ kind: 'image' });
  expect(findTree(store, container.id.slice(0, 12))).toMatchObject({ kind: 'container' });
});

test('a state of an image is named by a number, or by what names a layer', () => {
  const { store, base } = boxed();
  const state = (text: string) => {
    const tree = findTree(store, `base@${text}`);
    return tree.kind === 'image' ? tree.layers.length : undefined;
  };
  expect(['1', '2', '3'].map(state)).toEqual([1, 2, 3]);
  const ids = base.layers.map((id) => store.layers.get(id));
  expect(ids.map(({ chainId }) => state(chainId))).toEqual([1, 2, 3]);
  expect(ids.map(({ diffId }) => state(diffId))).toEqual([1, 2, 3]);
  expect(ids.map(({ diffId }) => state(hex(diffId).slice(0, 12)))).toEqual([1, 2, 3]);
  for (const text of ['0', '4', 'abc', hex(base.id)]) expect(codeOf(() => state(text))).toBe('not-found');
});

test('a layer is named alone, by its ChainID before its DiffID', () => {
  const { store, base, other } = boxed();
  const [, two, three] = base.layers.map((id) => store.layers.get(id));
  expect(findTree(store, three!.diffId)).toEqual({ kind: 'layer', layers: base.layers });
  expect(findTree(store, hex(two!.chainId).slice(0, 8))).toEqual({ kind: 'layer', layers: base.layers.slice(0, 2) });
  expect(findTree(store, base.layers[0]!)).toEqual({ kind: 'layer', layers: base.layers.slice(0, 1) });
  // In two places: only the ChainID tells which is meant.
  expect(codeOf(() => findTree(store, two!.diffId))).toBe('invalid');
  expect(findTree(store, other.layers[1]!)).toEqual({ kind: 'layer', layers: other.layers });
  expect(findTree(store, `other@${two!.diffId}`)).toMatchObject({ layers: other.layers });
  expect(codeOf(() => findTree(store, hex(three!.diffId).slice(0, 3)))).toBe('not-found');
});

test('what begins like a path is a directory; another text with a slash may be one', () => {
  const { store } = boxed();
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'base'));
  const before = process.cwd();
  process.chdir(directory);
  onTestFinished(() => process.chdir(before));
  for (const path of ['.', '..', './base', `../`, directory]) {
    expect(findTree(store, path)).toEqual({ kind: 'directory', path });
  }
  mkdirSync(join(directory, 'docker.io/library/base'), { recursive: true });
  expect(findTree(store, 'docker.io/library/base')).toMatchObject({ kind: 'image' });
  expect(findTree(store, 'docker.io/library')).toMatchObject({ kind: 'directory' });
  for (const text of ['./none', '/none', 'x/none', 'none', '', 'No Name', 'none@1']) {
    expect(codeOf(() => findTree(store, text))).toBe('not-found');
  }
});

test('a tree is opened with what it is compared with alone', async () => {
  const { store, base } = boxed();
  const container = createContainer(store, { image: 'base', name: 'box' });
  const names = ['box', 'box', 'base', 'base@1', '.'];
  using open = await openTrees(
    store,
    names.map((name) => findTree(store, name)),
  );
  const paths = store.layers.paths(base.layers);
  const upper = join(container.directory, 'upper');
  expect(open.trees.map(({ directories, base: on }) => [directories, on])).toEqual([
    [[upper, ...paths], paths],
    [[upper, ...paths], paths],
    [paths, paths.slice(1)],
    [paths.slice(2), store.layers.paths([])],
    [['.'], store.layers.paths([])],
  ]);
});
