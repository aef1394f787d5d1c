import { expect, test } from 'vitest';
import { parseTaggedName } from '../../../src/store/index.js';
import { addContainer, addImage, codeOf, temporaryStore } from './fixture.js';

test('scratch is the empty image, made when it is first asked for', () => {
  const store = temporaryStore();
  expect(store.images.list({ all: true })).toEqual([]);
  const image = store.images.resolve('scratch');
  expect(image).toMatchObject({ layers: [], size: 0, references: [], digests: [] });
  expect(store.images.resolve('docker.io/library/scratch:latest')).toEqual(image);
  expect(store.images.list()).toEqual([]);
  expect(store.images.list({ all: true })).toEqual([image]);
  expect(temporaryStore().images.resolve('scratch').id).toBe(image.id);
  expect(store.check()).toEqual([]);
});

test('with a name of its own it is listed', () => {
  const store = temporaryStore();
  store.images.tag(store.images.resolve('scratch').id, 'empty');
  expect(store.images.list()).toHaveLength(1);
});

test('it stays while a container uses it', () => {
  const store = temporaryStore();
  const image = store.images.resolve('scratch');
  addContainer(store, image, 'box');
  expect(() => store.images.remove(image.id)).toThrow('container box uses it');
});

test.each(['scratch', 'scratch:other', 'docker.io/library/scratch'])('should-fail: to name something %s', (name) => {
  const store = temporaryStore();
  const image = addImage(store, ['one']);
  expect(() => store.images.tag(image.id, name)).toThrow("'scratch' is a reserved name");
  expect(codeOf(() => parseTaggedName(name))).toBe('invalid');
});

test('another repository may be called so', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'team/scratch');
  expect(store.images.resolve('team/scratch').id).toBe(image.id);
  expect(store.images.find('example.org/scratch')).toBeUndefined();
});
