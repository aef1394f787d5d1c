import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addContainer, addImage, diffIdOf, temporaryDirectory, temporaryStore } from './fixture.js';
import { treeSize } from '../../../src/store/tree-size.js';

test('an empty store takes nothing', async () => {
  const usage = await temporaryStore().usage();
  const nothing = { totalCount: 0, active: 0, size: 0, reclaimable: 0 };
  expect(usage).toEqual({
    images: { ...nothing, items: [] },
    containers: { ...nothing, items: [] },
    volumes: { ...nothing, items: [] },
    layers: nothing,
    blobs: nothing,
  });
});

test('a volume counts as in use while a container has it', async () => {
  const store = temporaryStore();
  for (const [name, labels] of [
    ['free', { a: 'b' }],
    ['used', {}],
  ] as const) {
    store.volumes.create({ name, labels, isAnonymous: name === 'used' });
    writeFileSync(join(store.volumes.path(name), 'file'), name.repeat(10));
  }
  const image = addImage(store, ['1'], 'base');
  const container = { id: 'a'.repeat(64), name: 'box', image: image.id, imageReference: 'base', labels: {} };
  store.containers.create(container, store.containers.stage(), { volumes: [store.volumes.get('used')] });
  const { volumes } = await store.usage();
  expect(volumes).toMatchObject({ totalCount: 2, active: 1, size: 80, reclaimable: 40 });
  expect(volumes.items.map(({ volume, size, links }) => [volume.name, size, links])).toEqual([
    ['free', 40, 0],
    ['used', 40, 1],
  ]);
  expect(store.volumes.prune({ all: true, labels: [{ key: 'a', isNegated: true }] }).removed).toEqual([]);
  expect(store.volumes.prune().removed).toEqual([]);
  expect(store.volumes.prune({ all: true, labels: [{ key: 'a', value: 'b' }] })).toEqual({
    removed: ['free'],
    space: 40,
  });
});

test('what images share counts once, and what containers need is not reclaimable', async () => {
  const store = temporaryStore();
  const base = addImage(store, ['12345'], 'base');
  const child = addImage(store, ['12345', '678'], 'child');
  const other = addImage(store, ['1'], 'other');
  const box = addContainer(store, base, 'box');
  mkdirSync(store.containers.upper(box));
  writeFileSync(join(store.containers.upper(box), 'change'), '1234567');
  const blobSizes = store.content.list().map((digest) => store.content.size(digest));
  const blobs = blobSizes.reduce((total, size) => total + size, 0);
  const usage = await store.usage();
  expect(usage.images).toMatchObject({ totalCount: 3, active: 1, size: 9, reclaimable: 4 });
  expect(new Map(usage.images.items.map(({ image, ...rest }) => [image.id, rest]))).toEqual(
    new Map([
      [base.id, { sharedSize: 5, uniqueSize: 0, containers: 1 }],
      [child.id, { sharedSize: 5, uniqueSize: 3, containers: 0 }],
      [other.id, { sharedSize: 0, uniqueSize: 1, containers: 0 }],
    ]),
  );
  expect(usage.containers).toMatchObject({ totalCount: 1, active: 0, size: 7, reclaimable: 7 });
  expect(usage.containers.items).toMatchObject([{ container: { id: box }, size: 7, isMounted: false }]);
  expect(usage.layers).toEqual({ totalCount: 3, active: 1, size: 9, reclaimable: 4 });
  expect(usage.blobs).toEqual({
    totalCount: 3,
    active: 1,
    size: blobs,
    reclaimable: blobs - store.content.size(base.id),
  });
});

test('a committed layer belongs to its container until an image has it', async () => {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'base');
  const box = addContainer(store, image, 'box');
  mkdirSync(store.containers.upper(box));
  const move = { diffId: diffIdOf('move'), parent: image.layers[0], size: 100, history: {} };
  store.containers.moveUpper(box, move);
  expect((await store.usage()).containers).toMatchObject({ size: 100 });
  expect((await store.usage()).layers).toMatchObject({ totalCount: 2, active: 2, size: 103, reclaimable: 0 });
  const rootfs = { type: 'layers' as const, diff_ids: [diffIdOf('one'), diffIdOf('move')] };
  store.images.create({ architecture: 'amd64', os: 'linux', rootfs });
  const { containers, images } = await store.usage();
  expect([containers.size, images.size, images.reclaimable]).toEqual([0, 103, 0]);
});

test('a tree counts the content of its files, each once', () => {
  const tree = temporaryDirectory();
  mkdirSync(join(tree, 'a'));
  writeFileSync(join(tree, 'a/file'), '12345');
  linkSync(join(tree, 'a/file'), join(tree, 'link'));
  symlinkSync('a/file', join(tree, 'symlink'));
  writeFileSync(join(tree, 'hole'), '');
  truncateSync(join(tree, 'hole'), 1_000_000);
  expect(treeSize(tree)).toBe(5);
  expect(treeSize(join(tree, 'none'))).toBe(0);
});
