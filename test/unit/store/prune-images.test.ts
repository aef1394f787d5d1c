import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import { parseReference } from '../../../src/image/index.js';
import { parseTaggedName } from '../../../src/store/index.js';
import type { PruneImagesOptions, Store } from '../../../src/store/index.js';
import { addContainer, addImage, addLayers, diffIdOf, temporaryStore } from './fixture.js';

function labelled(store: Store, content: string, labels: Record<string, string>, name?: string) {
  using lease = store.lease();
  addLayers(store, [content], lease);
  const rootfs = { type: 'layers' as const, diff_ids: [diffIdOf(content)] };
  const config = {
    created: '2026-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    rootfs,
    config: { Labels: labels },
  };
  return store.images.create(config, name === undefined ? [] : [parseTaggedName(name)]);
}

/** Images: tagged, dangling (old and new), dangling in use, with a name by digest only, dangling without a date, scratch. */
function prepared() {
  const store = temporaryStore();
  addImage(store, ['shared', 'tagged'], 'tagged');
  addImage(store, ['shared', 'old'], undefined, '2020-01-01T00:00:00Z');
  addImage(store, ['new']);
  addContainer(store, addImage(store, ['used']), 'box');
  const digested = addImage(store, ['digested']);
  const digestNames = [parseReference(`digested@${digestOf('m')}`)];
  store.images.add(store.images.configBytes(digested.id), { digestNames });
  const rootfs = { type: 'layers' as const, diff_ids: [] };
  store.images.create({ architecture: 'amd64', os: 'linux', rootfs, author: 'nobody' });
  labelled(store, 'a', { team: 'a', tier: '1' });
  labelled(store, 'b', { team: 'b' });
  store.images.resolve('scratch');
  return store;
}

const NAMES = ['tagged', 'old', 'new', 'used', 'digested', 'a', 'b'];

/** The images that are left, by the content of their top layer. */
function left(store: Store): string[] {
  const names = new Map(NAMES.map((name) => [diffIdOf(name) as string, name]));
  const images = store.images.list().map(({ id }) => store.images.config(id).rootfs.diff_ids.at(-1) ?? '');
  return images.map((diffId) => names.get(diffId) ?? 'none').sort();
}

const cases: readonly { name: string; options: PruneImagesOptions; left: readonly string[] }[] = [
  { name: 'dangling ones', options: {}, left: ['tagged', 'used'] },
  { name: 'all that are not used', options: { all: true }, left: ['used'] },
  {
    name: 'those before a time',
    options: { until: new Date('2021-01-01') },
    left: ['a', 'b', 'digested', 'new', 'none', 'tagged', 'used'],
  },
  {
    name: 'those with a label',
    options: { labels: [{ key: 'team' }] },
    left: ['digested', 'new', 'none', 'old', 'tagged', 'used'],
  },
  {
    name: 'those with a label of a value and another one',
    options: { labels: [{ key: 'team', value: 'a' }, { key: 'tier' }] },
    left: ['b', 'digested', 'new', 'none', 'old', 'tagged', 'used'],
  },
  {
    name: 'those without a label',
    options: { labels: [{ key: 'team', value: 'a', isNegated: true }] },
    left: ['a', 'tagged', 'used'],
  },
];

test.each(cases)('removes $name', (one) => {
  const store = prepared();
  const before = left(store);
  const rehearsed = store.images.prune({ ...one.options, dryRun: true });
  expect(left(store)).toEqual(before);
  expect(store.check()).toEqual([]);
  expect(store.images.prune(one.options)).toEqual(rehearsed);
  expect(left(store)).toEqual(one.left);
  expect(store.check()).toEqual([]);
  expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
  expect(store.images.list({ all: true })).toHaveLength(one.left.length + 1);
});

test('says what goes and how much that is', () => {
  const store = temporaryStore();
  addImage(store, ['shared'], 'kept');
  const image = addImage(store, ['shared', '1234567']);
  const digestNames = [parseReference(`x@${digestOf('m')}`)];
  store.images.add(store.images.configBytes(image.id), { digestNames });
  const space = 7 + store.content.size(image.id);
  expect(store.images.prune()).toEqual({
    untagged: [`docker.io/library/x@${digestOf('m')}`],
    deleted: [image.id, image.layers[1]],
    space,
  });
});
