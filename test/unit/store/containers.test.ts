import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { chainIds } from '../../../src/image/index.js';
import { addContainer, addImage, codeOf, diffIdOf, temporaryStore } from './fixture.js';

test('a container is found by ID, name, and the start of its ID', () => {
  const store = temporaryStore();
  const id = addContainer(store, addImage(store, ['one']), 'box');
  for (const text of [id, 'box', id.slice(0, 12), id.slice(0, 2)]) expect(store.containers.resolve(text).id).toBe(id);
  for (const text of ['bo', 'none', '', '../box'])
    expect(codeOf(() => store.containers.resolve(text))).toBe('not-found');
  expect(readFileSync(join(store.containers.directory(id), 'marker'), 'utf8')).toBe('box');
});

test('the start of several IDs is ambiguous', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one']);
  for (let count = 0; count < 17; count += 1) addContainer(store, image, `box${String(count)}`);
  const firsts = store.containers.list().map((container) => container.id.slice(0, 1));
  const twice = firsts.find((first, index) => firsts.indexOf(first) !== index) ?? '';
  expect(codeOf(() => store.containers.resolve(twice))).toBe('invalid');
});

test.each(['x', '', '-box', 'a/b', '..', 'böx', 'a b'])("should-fail: the name '%s'", (name) => {
  const store = temporaryStore();
  const image = addImage(store, ['one']);
  expect(codeOf(() => addContainer(store, image, name))).toBe('invalid');
});

test('a name is taken once', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one']);
  addContainer(store, image, 'box');
  const staged = store.containers.stage();
  const again = { id: 'f'.repeat(64), name: 'box', image: image.id, imageReference: 'x', labels: {} };
  expect(codeOf(() => store.containers.create(again, staged))).toBe('already-exists');
  store.containers.discard(staged);
  expect(store.check()).toEqual([]);
});

function withUpper(name = 'box') {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'debian');
  const id = addContainer(store, image, name);
  const upper = join(store.containers.directory(id), 'upper');
  mkdirSync(upper);
  writeFileSync(join(upper, 'new'), 'x');
  const move = { diffId: diffIdOf('upper'), parent: image.layers[0], size: 1, history: { comment: 'c' } };
  const [, layer] = chainIds([diffIdOf('one'), diffIdOf('upper')]);
  if (layer === undefined) throw new Error('a layer expected');
  return { store, image, id, upper, move, layer };
}

test('an upper directory becomes a layer without being copied', async () => {
  const { store, image, id, upper, move, layer } = withUpper();
  store.containers.moveUpper(id, move);
  expect(existsSync(upper)).toBe(false);
  expect(readFileSync(join(store.layers.path(layer), 'new'), 'utf8')).toBe('x');
  expect(store.containers.get(id).committed).toEqual([{ chainId: layer, history: { comment: 'c' } }]);
  expect(store.check()).toEqual([]);
  expect(codeOf(() => store.images.remove(image.id))).toBe('in-use');
  await store.containers.remove(id);
  expect(store.layers.find(layer)).toBeUndefined();
  expect(store.check()).toEqual([]);
});

test('the skeleton of its tar goes with an upper directory', () => {
  const { store, id, move, layer } = withUpper();
  writeFileSync(store.containers.skeleton(id), 'headers');
  store.containers.moveUpper(id, { ...move, tarSize: 1024 });
  expect(readFileSync(store.layers.parts(layer).skeleton ?? '', 'utf8')).toBe('headers');
  expect(existsSync(store.containers.skeleton(id))).toBe(false);
  expect(store.layers.get(layer).tarSize).toBe(1024);
  expect(store.check()).toEqual([]);
});

test('a skeleton that a dead process left in a container is not taken for that of the next commit', async () => {
  const { store, id, move, layer } = withUpper();
  writeFileSync(store.containers.skeleton(id), 'of another state');
  (await store.containers.lock(store.containers.get(id))).release();
  store.containers.moveUpper(id, move);
  expect(store.layers.parts(layer).skeleton).toBeUndefined();
});

test('what is in the place of a layer without being recorded makes room', () => {
  const { store, id, move, layer } = withUpper();
  mkdirSync(store.layers.path(layer), { recursive: true });
  writeFileSync(join(store.layers.path(layer), 'leftover'), 'x');
  store.containers.moveUpper(id, move);
  expect(readdirSync(store.layers.path(layer))).toEqual(['new']);
});

test('removing a container leaves its image and other containers', async () => {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'debian');
  const one = addContainer(store, image, 'one');
  const two = addContainer(store, image, 'two');
  const held = await store.containers.lock(store.containers.get(one));
  await store.containers.remove(one);
  held.release();
  expect(store.containers.list().map((container) => container.id)).toEqual([two]);
  expect(store.images.get(image.id).layers).toHaveLength(1);
  expect(store.check()).toEqual([]);
});

test('who waits for the lock of a removed container is told', async () => {
  const { store, id } = withUpper();
  const record = store.containers.get(id);
  const held = await store.containers.lock(record);
  const waiting = store.containers.lock(record);
  await store.containers.remove(id);
  held.release();
  await expect(waiting).rejects.toMatchObject({ code: 'not-found' });
});

test('a container without its directory is named, and can be removed', async () => {
  const { store, id } = withUpper();
  rmSync(store.containers.directory(id), { recursive: true });
  expect(store.check()).toMatchObject([{ kind: 'container-missing', object: id }]);
  await store.containers.remove(id);
  expect(store.check()).toEqual([]);
});

test.each(['prune', 'repair'] as const)('%s leaves what a living process is freezing to it', async (verb) => {
  const store = temporaryStore();
  const id = addContainer(store, addImage(store, ['one']), 'box');
  const lock = await store.containers.lock(store.containers.get(id));
  const frozen = store.frozen.begin(id);
  expect(store.check()).toEqual([]);
  store[verb]();
  renameSync(join(store.containers.directory(id), 'marker'), frozen);
  expect(store.frozen.finish(id)).toBe(basename(dirname(frozen)));
  // One that has died has no lock any more.
  store.frozen.begin(id);
  lock.release();
  expect(store.check()).toMatchObject([{ kind: 'container-unfinished' }]);
  store[verb]();
  expect(store.check()).toEqual([]);
  expect(store.frozen.finish(id)).toBeUndefined();
});
