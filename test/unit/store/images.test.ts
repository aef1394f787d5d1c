import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestHex } from '../../../src/core/index.js';
import type { Digest } from '../../../src/core/index.js';
import { mount, umount2 } from '../../../src/sys/index.js';
import { addImage, codeOf, diffIdOf, temporaryStore } from './fixture.js';

test('an image has its layers, size, names and configuration', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one', 'three'], 'debian');
  expect(image.references).toEqual(['docker.io/library/debian:latest']);
  expect(image.size).toBe(8);
  expect(image.layers).toHaveLength(2);
  expect(image.created).toEqual(new Date('2026-01-01T00:00:00Z'));
  expect(store.images.config(image.id).rootfs.diff_ids).toEqual([diffIdOf('one'), diffIdOf('three')]);
  expect(store.check()).toEqual([]);
});

test('an image is found as Docker finds it', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'debian:12');
  const hex = digestHex(image.id);
  const found = [
    image.id,
    hex,
    hex.slice(0, 12),
    `sha256:${hex.slice(0, 8)}`,
    'debian:12',
    'docker.io/library/debian:12',
  ];
  for (const text of [...found, `debian@${image.id}`]) expect(store.images.resolve(text).id).toBe(image.id);
  for (const text of ['debian', 'debian:11', 'library/none', `none@${image.id}`, '0'.repeat(64), 'ffffffffff00']) {
    expect(codeOf(() => store.images.resolve(text))).toBe('not-found');
  }
  for (const text of ['Debian', 'a:b:c', 'debian@sha256:12', '', '-x']) {
    expect(codeOf(() => store.images.resolve(text))).toBe('invalid');
  }
});

test('a name goes before the start of an ID', () => {
  const store = temporaryStore();
  const one = addImage(store, ['one'], 'x:1');
  const two = addImage(store, ['two'], `${digestHex(one.id).slice(0, 6)}:latest`);
  expect(store.images.resolve(digestHex(one.id).slice(0, 6)).id).toBe(two.id);
  expect(store.images.resolve(digestHex(one.id).slice(0, 7)).id).toBe(one.id);
});

test('the start of several IDs is ambiguous', () => {
  const store = temporaryStore();
  const seen = new Set<string>();
  for (let count = 0; ; count += 1) {
    const first = digestHex(addImage(store, [`layer ${String(count)}`]).id).slice(0, 1);
    if (seen.has(first)) {
      expect(codeOf(() => store.images.resolve(first))).toBe('invalid');
      return;
    }
    seen.add(first);
  }
});

test('a tag moves, and leaves the other image without a name', () => {
  const store = temporaryStore();
  const one = addImage(store, ['one'], 'debian');
  const two = addImage(store, ['two'], 'debian', '2026-01-02T00:00:00Z');
  expect(store.images.list().map((image) => [image.id, image.references.length])).toEqual([
    [two.id, 1],
    [one.id, 0],
  ]);
  expect(store.images.tag(one.id, 'other')).toBe('docker.io/library/other:latest');
  expect(codeOf(() => store.images.tag(one.id, `other@${one.id}`))).toBe('invalid');
  expect(codeOf(() => store.images.tag('sha256:00' as Digest, 'other'))).toBe('not-found');
});

test('layers another image needs stay', () => {
  const store = temporaryStore();
  const base = addImage(store, ['one'], 'base');
  const child = addImage(store, ['one', 'two'], 'child');
  expect(store.images.remove('base').deleted).toEqual([base.id]);
  expect(store.images.remove('child').deleted).toEqual([child.id, ...[...child.layers].reverse()]);
  expect(store.check()).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)(
  'a mounted image stays; the record of a mount that is gone does not matter',
  () => {
    const store = temporaryStore();
    const image = addImage(store, ['one'], 'debian');
    const mountpoint = join(store.root, 'm p');
    mkdirSync(mountpoint);
    expect(mount({ source: 'tmpfs', target: mountpoint, type: 'tmpfs', flags: 0, data: '' })).toBe(0);
    onTestFinished(() => {
      umount2(mountpoint);
    });
    const lease = store.lease();
    store.mounts.add(mountpoint, image.id, lease);
    lease.release();
    expect(() => store.images.remove('debian')).toThrow(`it is mounted at ${mountpoint}`);
    umount2(mountpoint);
    expect(store.images.remove('debian').deleted).toHaveLength(2);
  },
);

test('an image that is being mounted stays, unless the process that mounts it is gone', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'debian');
  const lease = store.lease();
  store.mounts.add('/nowhere', image.id, lease);
  expect(codeOf(() => store.images.remove('debian'))).toBe('in-use');
  lease.release();
  expect(store.images.remove('debian').deleted).toHaveLength(2);
});

test('an image needs its layers', () => {
  const store = temporaryStore();
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers' as const, diff_ids: [diffIdOf('none')] },
  };
  expect(codeOf(() => store.images.create(config))).toBe('not-found');
  expect(store.content.list()).toEqual([]);
});

test('the history has the sizes of layers, newest first', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one', 'three']);
  expect(store.images.history(image.id)).toMatchObject([
    { createdBy: 'echo three', size: 5, layer: image.layers[1] },
    { createdBy: 'echo one', size: 3, layer: image.layers[0] },
  ]);
});

test('a configuration that was tampered with is not used', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'debian');
  store.content.remove(image.id);
  expect(codeOf(() => store.images.config(image.id))).toBe('not-found');
  expect(existsSync(store.content.path(image.id))).toBe(false);
  expect(store.check()).toMatchObject([{ kind: 'blob-missing', object: image.id }]);
});
