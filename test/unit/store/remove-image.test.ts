// The rules of `docker rmi`: a store with one image, what it is called, who uses it, and what is asked for.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import { parseReference } from '../../../src/image/index.js';
import type { Store } from '../../../src/store/index.js';
import { addContainer, addImage, temporaryStore } from './fixture.js';

const A = `a@${digestOf('manifest')}`;
const B = `b@${digestOf('manifest')}`;

interface Case {
  readonly name: string;
  /** Names with tags, and by digest. */
  readonly names: readonly string[];
  readonly used?: true;
  readonly force?: true;
  /** What is asked for: by default the image's ID. */
  readonly remove?: string;
  /** The names that go, in short form, or what the refusal says. */
  readonly untagged: readonly string[] | RegExp;
  /** Whether the image stays. */
  readonly stays?: true;
}

const several = /it has several names/;
const inUse = /cannot remove image .*: container box uses it/;

const cases: readonly Case[] = [
  { name: 'a name of several', names: ['a', 'b'], remove: 'b', untagged: ['b'], stays: true },
  { name: 'the last name', names: ['a'], remove: 'a', untagged: ['a'] },
  { name: 'a tag of several in a repository', names: ['a:1', 'a:2', A], remove: 'a:1', untagged: ['a:1'], stays: true },
  { name: 'the last tag with a name by digest', names: ['a', A], remove: 'a', untagged: ['a', A] },
  { name: 'the last tag of a repository', names: ['a', A, 'b', B], remove: 'a', untagged: ['a', A], stays: true },
  { name: 'a name by digest', names: ['a', A], remove: A, untagged: [A], stays: true },
  { name: 'the last name by digest', names: [A], remove: A, untagged: [A] },
  { name: 'a name with tag and digest', names: ['a', A], remove: `a:x${A.slice(1)}`, untagged: [A], stays: true },
  { name: 'an ID without a name', names: [], untagged: [] },
  { name: 'an ID with one name', names: ['a'], untagged: ['a'] },
  { name: 'an ID with a tag and a digest in one repository', names: ['a', A], untagged: ['a', A] },
  { name: 'an ID with several names', names: ['a', 'b'], untagged: several },
  { name: 'an ID with several tags in one repository', names: ['a:1', 'a:2'], untagged: several },
  { name: 'an ID with digests in several repositories', names: [A, B], untagged: several },
  { name: 'an ID with several names, by force', names: ['a', 'b', B], force: true, untagged: ['a', 'b', B] },
  {
    name: 'a name of several of an image in use',
    names: ['a', 'b'],
    used: true,
    remove: 'a',
    untagged: ['a'],
    stays: true,
  },
  { name: 'the last name of an image in use', names: ['a'], used: true, remove: 'a', untagged: inUse },
  { name: 'the last tag of one in use', names: ['a', A], used: true, remove: 'a', untagged: inUse },
  {
    name: 'the last name of an image in use, by force',
    names: ['a'],
    used: true,
    force: true,
    remove: 'a',
    untagged: ['a'],
    stays: true,
  },
  { name: 'an ID in use', names: ['a'], used: true, untagged: inUse },
  { name: 'an ID in use, by force', names: ['a', 'b'], used: true, force: true, untagged: inUse },
  { name: 'an ID in use without a name', names: [], used: true, untagged: inUse },
];

function prepared({ names, used }: Case) {
  const store = temporaryStore();
  const { id } = addImage(store, ['one', 'two']);
  for (const name of names) {
    if (name.includes('@')) store.images.add(store.images.configBytes(id), { digestNames: [parseReference(name)] });
    else store.images.tag(id, name);
  }
  if (used === true) addContainer(store, store.images.get(id), 'box');
  return { store, image: store.images.get(id) };
}

const canonical = (name: string): string => {
  const [repository = '', rest = ':latest'] = [/^\w+/.exec(name)?.[0], /[:@].*/.exec(name)?.[0]];
  return `docker.io/library/${repository}${rest}`;
};

function expectEmpty(store: Store): void {
  for (const place of ['blobs/sha256', 'layers', 'staging']) expect(readdirSync(join(store.root, place))).toEqual([]);
}

test.each(cases)('removing $name', (one) => {
  const { store, image } = prepared(one);
  const remove = () => store.images.remove(one.remove ?? image.id, { force: one.force === true });
  if (one.untagged instanceof RegExp) {
    expect(remove).toThrow(one.untagged);
    expect(store.images.list()).toEqual([image]);
  } else {
    const untagged = one.untagged.map(canonical);
    const deleted = one.stays === true ? [] : [image.id, ...[...image.layers].reverse()];
    expect(remove()).toEqual({ untagged, deleted });
    const left = store.images.list().flatMap(({ references, digests }) => [...references, ...digests]);
    expect(left).toEqual([...image.references, ...image.digests].filter((name) => !untagged.includes(name)));
    if (one.stays === undefined) expectEmpty(store);
    else expect(store.images.list()).toHaveLength(1);
  }
  expect(store.check()).toEqual([]);
});

test('who uses an image is named, and how many more', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one'], 'a');
  for (const name of ['one', 'two', 'three']) addContainer(store, image, name);
  expect(() => store.images.remove('a')).toThrow('cannot remove image a: container one and 2 more use it');
});

test('only so much of a stack goes as nothing else lies on', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one', 'two', 'three', 'four'], 'a');
  addImage(store, ['one', 'two', 'other'], 'b');
  const [, , three, four] = image.layers;
  expect(store.images.remove('a').deleted).toEqual([image.id, four, three]);
  expect(store.check()).toEqual([]);
});

test('a layer somebody holds stays with what is below it', () => {
  const store = temporaryStore();
  const image = addImage(store, ['one', 'two', 'three'], 'a');
  const [one, two, three] = image.layers;
  if (two === undefined) throw new Error('three layers expected');
  const lease = store.lease();
  store.layers.reuse(two, lease);
  expect(store.images.remove('a').deleted).toEqual([image.id, three]);
  lease.release();
  expect(new Set(store.prune().layers.map((hex) => `sha256:${hex}`))).toEqual(new Set([one, two]));
});
