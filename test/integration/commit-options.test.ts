// Commits of layers that are not what the container has: chosen, squashed, dated. Mounted and un-mounted containers give the same.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Image } from '../../src/store/index.js';
import { expectSameTree, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { fixture, needs, shell } from './container-fixture.js';
import type { Fixture } from './container-fixture.js';

const CHANGE = `
echo x >> etc/hosts; echo new >> etc/passwd; rm usr/share/doc/a/1; rm -r usr/share/doc/b; chmod 600 usr/lib/big
mkdir -p new/deep; echo d > new/deep/d; echo log > var/log/a.log; mv usr/share/doc/a usr/share/doc/c; ln new/deep/d new/link
`;

async function boxed(): Promise<Fixture> {
  const box = await fixture();
  onTestFinished(() => box[Symbol.dispose]());
  return box;
}

/** A container with the changes, mounted or not any more, and what it showed. */
async function changed(box: Fixture, name: string, state: 'mounted' | 'un-mounted'): Promise<Tree> {
  box.api.createContainer(box.store, { image: 'base', name });
  const { mountpoint } = await box.api.mountContainer(box.store, name);
  shell(mountpoint, CHANGE);
  const seen = snapshot(mountpoint);
  if (state === 'un-mounted') await box.api.unmount(box.store, name);
  return seen;
}

async function treeOf(box: Fixture, image: Image): Promise<Tree> {
  const at = box.path(`look-${image.id.slice(7, 19)}`);
  shell(box.temp.path, `mkdir -p ${at}`);
  await box.api.mountImage(box.store, image.id, at);
  try {
    return snapshot(at);
  } finally {
    await box.api.unmount(box.store, at);
  }
}

async function lines(box: Fixture, from: string, to?: string): Promise<string[]> {
  const letters = { added: 'A', modified: 'C', deleted: 'D' } as const;
  const found: string[] = [];
  for await (const { kind, path: name } of box.api.diffTrees(box.store, { from, to })) {
    found.push(`${letters[kind]} ${name}`);
  }
  return found;
}

/** A whole tree in one layer has the times of its directories; names of a file that are in different layers are two files. */
const withoutLinks = (tree: Tree): Tree =>
  new Map([...tree].map(([name, { links: _links, ...entry }]) => [name, entry]));

describe.skipIf(needs.skip)(needs.title('a commit of another layer'), () => {
  test.each(['mounted', 'un-mounted'] as const)('takes in what is chosen of a %s container', async (state) => {
    const box = await boxed();
    const { api, store } = box;
    await changed(box, 'box', state);
    const before = await lines(box, 'box');
    const image = await api.commitContainer(store, 'box', { exclude: ['etc', '**/*.log'], include: ['etc/hosts'] });
    expect(await lines(box, image.id)).toEqual([
      'C etc',
      'C etc/hosts',
      'A new',
      'A new/deep',
      'A new/deep/d',
      'A new/link',
      'C usr',
      'C usr/lib',
      'C usr/lib/big',
      'C usr/share',
      'C usr/share/doc',
      'D usr/share/doc/a',
      'D usr/share/doc/b',
      'A usr/share/doc/c',
      'A usr/share/doc/c/2',
      'A usr/share/doc/c/3',
    ]);
    // The container has its changes still, and a plain commit takes them all.
    expect(await lines(box, 'box')).toEqual(before);
    const whole = await api.commitContainer(store, 'box');
    expect(whole.layers).toHaveLength(2);
    expect(await lines(box, whole.id)).toEqual(before);
    expect((await api.commitContainer(store, 'box', { include: ['nothing'] })).layers).toEqual(
      state === 'mounted' ? store.images.get(box.image.id).layers : whole.layers,
    );
    expect(store.check()).toEqual([]);
  });

  test.each(['mounted', 'un-mounted'] as const)('squashes all that a %s container shows', async (state) => {
    const box = await boxed();
    const { api, store } = box;
    const seen = await changed(box, 'box', state);
    const image = await api.commitContainer(store, 'box', { squash: true, message: 'flat' });
    expect(image.layers).toHaveLength(1);
    expectSameTree(withoutLinks(seen), withoutLinks(await treeOf(box, image)));
    const history = store.images.history(image.id);
    expect(history.map(({ comment, layer }) => [comment, layer !== undefined])).toEqual([
      ['flat', true],
      ['Imported from base.tar', false],
    ]);
    // After a commit there is more to squash than the image and the changes.
    await api.commitContainer(store, 'box');
    const again = await api.commitContainer(store, 'box', { squash: true });
    expect(again.layers).toEqual(image.layers);
    expect(store.check()).toEqual([]);
  });

  test('is the same image at any time with SOURCE_DATE_EPOCH', async () => {
    const box = await boxed();
    const { api, store } = box;
    const sourceDateEpoch = new Date(1_700_000_000_000);
    await changed(box, 'one', 'un-mounted');
    const one = await api.commitContainer(store, 'one', { sourceDateEpoch });
    await delay(1100);
    await changed(box, 'two', 'mounted');
    const two = await api.commitContainer(store, 'two', { sourceDateEpoch });
    expect(two.id).toBe(one.id);
    expect(one.created).toEqual(sourceDateEpoch);
    expect(store.images.history(one.id)[0]?.created).toBe('2023-11-14T22:13:20.000Z');
    const tree = await treeOf(box, one);
    expect(tree.get('new/deep/d')?.mtime).toBe('1700000000.000000000');
    expect(tree.get('usr/share/doc/c/2')?.mtime).toBe('1600000000.123456789');
    const squashed = await api.commitContainer(store, 'one', { sourceDateEpoch, squash: true });
    expect((await api.commitContainer(store, 'two', { sourceDateEpoch, squash: true })).id).toBe(squashed.id);
    expect(store.check()).toEqual([]);
  });

  test('is listed before it is made, and a listing makes nothing', async () => {
    const box = await boxed();
    const { api, store } = box;
    await changed(box, 'box', 'mounted');
    const inStore = () => ['staging', 'layers', 'blobs/sha256'].map((name) => readdirSync(path.join(store.root, name)));
    const before = inStore();
    const preview = await api.previewCommit(store, 'box', { exclude: ['usr'] });
    expect(inStore()).toEqual(before);
    const image = await api.commitContainer(store, 'box', { exclude: ['usr'] });
    const letters = { added: 'A', modified: 'C', deleted: 'D' } as const;
    const taken = preview.filter(({ isExcluded }) => !isExcluded);
    expect(taken.map(({ kind, path: name }) => `${letters[kind]} ${name}`)).toEqual(await lines(box, image.id));
    const excluded = preview.filter(({ isExcluded }) => isExcluded).map(({ path: name }) => name);
    expect(excluded).toContain('usr/share/doc/b');
    expect(excluded.every((name) => name.startsWith('usr'))).toBe(true);
    await expect(api.previewCommit(store, 'none')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('that cannot be made leaves nothing', async () => {
    const box = await boxed();
    const { api, store } = box;
    await changed(box, 'box', 'un-mounted');
    await expect(api.commitContainer(store, 'box', { exclude: ['/'] })).rejects.toMatchObject({ code: 'invalid' });
    const onProgress = (): never => {
      throw new Error('stopped');
    };
    await expect(api.commitContainer(store, 'box', { squash: true, onProgress })).rejects.toThrow('stopped');
    expect(readdirSync(path.join(store.root, 'staging'))).toEqual([]);
    expect(store.images.list()).toHaveLength(1);
    expect(store.check()).toEqual([]);
  });
});
