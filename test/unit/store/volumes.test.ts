import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createContainer } from '../../../src/container/create.js';
import type { NewVolume, Store } from '../../../src/store/index.js';
import { addImage, codeOf, temporaryStore } from './fixture.js';

const named = (name: string): NewVolume => ({ name, labels: {}, isAnonymous: false });
const anonymous = (name: string): NewVolume => ({ name, labels: {}, isAnonymous: true });

/** A container with volumes, made as `create` does. */
function containerWith(store: Store, name: string, volumes: readonly NewVolume[]): string {
  const image = store.images.find('debian') ?? addImage(store, ['one'], 'debian');
  const staged = store.containers.stage();
  const id = name.padEnd(64, '0');
  store.containers.create({ id, name, image: image.id, imageReference: 'debian', labels: {} }, staged, { volumes });
  return id;
}

test('a volume is a directory by name, made once', () => {
  const store = temporaryStore();
  const made = store.volumes.create({ name: 'data', labels: { a: 'b' }, isAnonymous: false });
  writeFileSync(join(store.volumes.path('data'), 'file'), 'kept');
  expect(store.volumes.create(named('data'))).toEqual(made);
  expect(store.volumes.list()).toEqual([made]);
  expect(readdirSync(store.volumes.path('data'))).toEqual(['file']);
  expect(codeOf(() => store.volumes.create(named('a/b')))).toBe('invalid');
  expect(store.check()).toEqual([]);
  store.volumes.remove('data');
  expect(existsSync(store.volumes.path('data'))).toBe(false);
  expect(codeOf(() => store.volumes.get('data'))).toBe('not-found');
});

test('it stays while a container has it', async () => {
  const store = temporaryStore();
  const id = containerWith(store, 'aa', [named('data')]);
  expect(store.volumes.users('data')).toEqual([id]);
  expect(codeOf(() => store.volumes.remove('data'))).toBe('in-use');
  await store.containers.remove(id, { ownVolumes: true });
  expect(store.volumes.list()).toHaveLength(1);
  store.volumes.remove('data');
});

test('one without a name goes with the last container, where that is asked for', async () => {
  const store = temporaryStore();
  const first = containerWith(store, 'aa', [anonymous('cafe'), anonymous('beef')]);
  const second = containerWith(store, 'bb', [anonymous('cafe')]);
  await store.containers.remove(first, { ownVolumes: true });
  expect(store.volumes.list().map(({ name }) => name)).toEqual(['cafe']);
  await store.containers.remove(second);
  expect(store.volumes.list().map(({ name }) => name)).toEqual(['cafe']);
  expect(store.check()).toEqual([]);
});

test('should-fail: of a container that cannot be made', () => {
  const store = temporaryStore();
  addImage(store, ['one'], 'debian');
  createContainer(store, { image: 'debian', name: 'aa' });
  expect(codeOf(() => containerWith(store, 'aa', [anonymous('cafe')]))).toBe('already-exists');
  expect(store.volumes.list()).toEqual([]);
});

test('it is filled with a directory, between what somebody puts in', () => {
  const store = temporaryStore();
  store.volumes.create(named('data'));
  const staged = store.volumes.stage();
  const content = join(staged.path, 'data');
  mkdirSync(join(content, 'sub'), { recursive: true });
  for (const name of ['sub/one', 'two', 'three']) writeFileSync(join(content, name), 'filled');
  const volume = store.volumes.path('data');
  writeFileSync(join(volume, 'two'), 'mine');
  store.volumes.fill('data', content);
  store.volumes.discard(staged);
  expect(store.volumes.isFilling('data')).toBe(false);
  const read = (name: string): string => readFileSync(join(volume, name), 'utf8');
  expect(['sub/one', 'two', 'three'].map(read)).toEqual(['filled', 'mine', 'filled']);
  expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
  expect(store.check()).toEqual([]);
});

test('check names what is wrong, and prune removes what is left over', () => {
  const store = temporaryStore();
  store.volumes.create(named('lost'));
  rmSync(join(store.root, 'volumes/lost'), { recursive: true });
  mkdirSync(join(store.root, 'volumes/extra'));
  expect(store.check().map(({ kind, object }) => [kind, object])).toEqual([
    ['volume-missing', 'lost'],
    ['volume-extra', 'extra'],
  ]);
  expect(store.prune().volumes).toEqual(['extra']);
  expect(store.check()).toHaveLength(1);
  store.volumes.remove('lost');
  expect(store.check()).toEqual([]);
});
