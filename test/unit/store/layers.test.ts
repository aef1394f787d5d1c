import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chainIds } from '../../../src/image/index.js';
import { addImage, addLayers, codeOf, diffIdOf, temporaryStore } from './fixture.js';

test('a committed layer is in its place, with its facts', () => {
  const store = temporaryStore();
  const [bottom, top] = addLayers(store, ['one', 'two']);
  expect([bottom, top]).toEqual(chainIds([diffIdOf('one'), diffIdOf('two')]));
  if (bottom === undefined || top === undefined) throw new Error('two layers expected');
  expect(store.layers.get(top)).toMatchObject({ chainId: top, diffId: diffIdOf('two'), parent: bottom, size: 3 });
  expect(store.layers.path(top)).toBe(join(store.root, 'layers', top.slice(7), 'diff'));
  expect(readFileSync(join(store.layers.path(top), 'file'), 'utf8')).toBe('two');
  expect(store.layers.paths([bottom, top])).toEqual([store.layers.path(top), store.layers.path(bottom)]);
});

test('what has no layers lies on an empty directory', () => {
  const store = temporaryStore();
  const [empty = ''] = store.layers.paths([]);
  expect(readdirSync(empty)).toEqual([]);
});

test('the same layer again is dropped and the first one kept', () => {
  const store = temporaryStore();
  using lease = store.lease();
  const [id] = addLayers(store, ['one'], lease);
  if (id === undefined) throw new Error('a layer expected');
  const again = store.layers.stage();
  store.layers.commit(again, { diffId: diffIdOf('one'), parent: undefined, size: 3 }, lease);
  expect(existsSync(again.staged.path)).toBe(false);
  expect(readFileSync(join(store.layers.path(id), 'file'), 'utf8')).toBe('one');
  expect(store.layers.list()).toHaveLength(1);
});

test('a layer that is recorded and has lost its directory gets the new one', () => {
  const store = temporaryStore();
  using lease = store.lease();
  const [id] = addLayers(store, ['one'], lease);
  if (id === undefined) throw new Error('a layer expected');
  const second = temporaryStore(store.root);
  // As if an administrator had moved it away.
  for (const staged of second.layers.trash([{ chainId: id, size: 3 }])) second.containers.discard(staged);
  expect(store.check()).toMatchObject([{ kind: 'layer-missing', object: id }]);
  addLayers(store, ['one'], lease);
  expect(readFileSync(join(store.layers.path(id), 'file'), 'utf8')).toBe('one');
  expect(store.check()).toEqual([]);
});

test('a discarded layer leaves nothing', () => {
  const store = temporaryStore();
  store.layers.discard(store.layers.stage());
  expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
  expect(store.check()).toEqual([]);
});

test('an unknown layer', () => {
  const store = temporaryStore();
  const [id] = chainIds([diffIdOf('none')]);
  if (id === undefined) throw new Error('an id expected');
  expect(codeOf(() => store.layers.get(id))).toBe('not-found');
});

test('a lease keeps layers from prune until it ends', () => {
  const store = temporaryStore();
  const other = temporaryStore(store.root);
  const lease = store.lease();
  addLayers(store, ['one', 'two'], lease);
  other.prune();
  expect(store.layers.list()).toHaveLength(2);
  lease.release();
  expect(other.prune().layers).toHaveLength(2);
  expect(store.layers.list()).toEqual([]);
  expect(readdirSync(join(store.root, 'layers'))).toEqual([]);
});

test('reusing a layer leases it', () => {
  const store = temporaryStore();
  const first = store.lease();
  const [id] = addLayers(store, ['one'], first);
  if (id === undefined) throw new Error('a layer expected');
  using second = store.lease();
  expect(store.layers.reuse(id, second)?.chainId).toBe(id);
  first.release();
  expect(store.prune().layers).toEqual([]);
});

test('who wants to unpack a layer that somebody unpacks waits, and goes on when that one gives up', async () => {
  const store = temporaryStore();
  const other = temporaryStore(store.root);
  const [id] = chainIds([diffIdOf('one')]);
  if (id === undefined) throw new Error('an id expected');
  const first = await store.layers.unpacking(id);
  let turn = 'first';
  const waiting = other.layers.unpacking(id).then((held) => {
    expect(turn).toBe('second');
    return held;
  });
  expect(store.check()).toEqual([]);
  turn = 'second';
  first.release();
  const second = await waiting;
  expect(other.prune().staging).toEqual([]);
  second.release();
  expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
});

test('waiting for a layer ends with its signal', async () => {
  const store = temporaryStore();
  const [id] = chainIds([diffIdOf('one')]);
  if (id === undefined) throw new Error('an id expected');
  using _held = await store.layers.unpacking(id);
  await expect(store.layers.unpacking(id, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});

test('what an operation has put in goes when nothing needs it, also where the top of the stack never came', () => {
  const store = temporaryStore();
  addImage(store, ['one']);
  const lease = store.lease();
  const ids = addLayers(store, ['one', 'two', 'three'], lease);
  const stack = chainIds(['one', 'two', 'three', 'four'].map(diffIdOf));
  store.drop({ layers: stack, blobs: [] });
  expect(store.layers.list()).toHaveLength(3);
  lease.release();
  store.drop({ layers: stack, blobs: [] });
  expect(store.layers.list().map(({ chainId }) => chainId)).toEqual(ids.slice(0, 1));
  expect(store.check()).toEqual([]);
});

test('a layer that cannot be recorded is left nowhere', () => {
  const store = temporaryStore();
  using lease = store.lease();
  const staged = store.layers.stage();
  // No such layer: as with a full file system, it is the row that fails.
  const [parent] = chainIds([diffIdOf('none')]);
  expect(() => store.layers.commit(staged, { diffId: diffIdOf('one'), parent, size: 3 }, lease)).toThrow();
  expect(readdirSync(join(store.root, 'layers'))).toEqual([]);
  expect(readdirSync(join(store.root, 'staging'))).toEqual([lease.name]);
  expect(store.check()).toEqual([]);
});
