// import, create, mount, change, diff, commit, mount the new image.

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseTaggedName } from '../../src/store/index.js';
import { umount2 } from '../../src/sys/index.js';
import { mountKernelOverlay } from '../helpers/kernel-overlay.js';
import { expectSameTree, snapshot } from '../helpers/tree.js';
import { committedTars, diffLines, fixture, layerTrees, needs, shell } from './container-fixture.js';
import type { Fixture } from './container-fixture.js';

const CHANGES = `
echo 10.0.0.1 box >> etc/hosts
echo 'user:x:1000:1000::/home:/bin/sh' >> etc/passwd
mkdir -p opt/new/deep; echo new > opt/new/deep/file; ln opt/new/deep/file opt/new/link
rm -r usr/share/doc/a
mv usr/share/doc/b usr/share/doc/moved; echo 4 > usr/share/doc/moved/4; rm usr/share/doc/moved/1
rm bin/link; mkdir bin/link; echo x > bin/link/inside
chmod 700 usr/lib; chown 5:6 bin/tool; chmod 4711 bin/tool
rm -r home; mkdir home; echo fresh > home/fresh
ln -s nowhere tmp/dangling; mkfifo tmp/fifo; mknod tmp/zero c 1 5
touch -d @1700000000.987654321 usr/lib/big
rm dev/null
`;

const DIFF = [
  'C /bin',
  'C /bin/link',
  'A /bin/link/inside',
  'C /bin/tool',
  'C /dev',
  'D /dev/null',
  'C /etc',
  'C /etc/hosts',
  'C /etc/passwd',
  'C /home',
  'A /home/fresh',
  'A /opt',
  'A /opt/new',
  'A /opt/new/deep',
  'A /opt/new/deep/file',
  'A /opt/new/link',
  'C /tmp',
  'A /tmp/dangling',
  'A /tmp/fifo',
  'A /tmp/zero',
  'C /usr',
  'C /usr/lib',
  'C /usr/lib/big',
  'C /usr/share',
  'C /usr/share/doc',
  'D /usr/share/doc/a',
  'D /usr/share/doc/b',
  'A /usr/share/doc/moved',
  'A /usr/share/doc/moved/2',
  'A /usr/share/doc/moved/3',
  'A /usr/share/doc/moved/4',
];

/** The tree of an image, from a read-only mount of it. */
async function imageTree({ api, store, path: at }: Fixture, reference: string) {
  const directory = at('image');
  mkdirSync(directory, { recursive: true });
  await api.mountImage(store, reference, directory);
  try {
    return snapshot(directory);
  } finally {
    await api.unmount(store, directory);
  }
}

describe.skipIf(needs.skip)(needs.title('the main job'), () => {
  test('an imported image is the tree it was made of', async () => {
    using box = await fixture();
    expectSameTree(snapshot(box.path('tree')), await imageTree(box, 'base'));
  });

  test('the committed image is the container as it was, and nothing was copied', async () => {
    using box = await fixture();
    const { api, store } = box;
    const before = layerTrees(store);
    const { directory } = api.createContainer(store, { image: 'base', name: 'box' });
    const { mountpoint } = await api.mountContainer(store, 'box');
    expectSameTree(snapshot(box.path('tree')), snapshot(mountpoint));
    shell(mountpoint, CHANGES);
    const changed = snapshot(mountpoint);
    await api.unmount(store, 'box');
    expect(await diffLines(box, 'box')).toEqual([...DIFF.slice(0, 9), 'C /etc/passwd-', ...DIFF.slice(9)]);
    const inode = statSync(path.join(directory, 'upper', 'opt', 'new', 'deep', 'file')).ino;
    const diff = await diffLines(box, 'box');

    const image = await api.commitContainer(store, 'box', { reference: 'new', message: 'm', author: 'a' });

    expectSameTree(changed, await imageTree(box, 'new'));
    expect(layerTrees(store).get(box.image.layers[0]?.slice(7) ?? '')).toEqual(
      before.get(box.image.layers[0]?.slice(7) ?? ''),
    );
    const [top = ''] = store.layers.paths(image.layers);
    expect(statSync(path.join(top, 'opt', 'new', 'deep', 'file')).ino).toBe(inode);
    expect(image.layers.slice(0, 1)).toEqual(box.image.layers);
    expect(store.images.config(image.id)).toMatchObject({
      author: 'a',
      history: [{ comment: 'Imported from base.tar' }, { comment: 'm', author: 'a' }],
    });

    expect(await committedTars(store, image)).toHaveLength(1);
    expect(readdirSync(path.join(directory, 'upper'))).toEqual([]);
    expect(readdirSync(directory)).not.toContain('skeleton');
    expect(await diffLines(box, 'box')).toEqual(diff);
    await api.mountContainer(store, 'box');
    expectSameTree(changed, snapshot(mountpoint));
    await api.unmount(store, 'box');
    expect(store.check()).toEqual([]);
  });

  test('an ordinary OCI layer comes out: unpacked by itself it gives the same tree', async () => {
    using box = await fixture();
    const { api, store } = box;
    api.createContainer(store, { image: 'base', name: 'box' });
    const { mountpoint } = await api.mountContainer(store, 'box');
    shell(mountpoint, CHANGES);
    const changed = snapshot(mountpoint);
    await api.unmount(store, 'box');
    const image = await api.commitContainer(store, 'box');
    const [base = '', top = ''] = store.layers.paths(image.layers).reverse();
    const { writeLayer } = await import('../../src/layer/index.js');
    const pieces: Buffer[] = [];
    const written = await writeLayer({
      upper: [top],
      lower: [base],
      sink: (chunk) => void pieces.push(Buffer.from(chunk)),
    });
    expect(written.diffId).toBe(store.layers.get(image.layers[1] ?? image.layers[0]!).diffId);
    const target = box.path('unpacked');
    mkdirSync(target);
    const source = (async function* read() {
      await Promise.resolve();
      yield* pieces;
    })();
    await api.applyLayer({ source, target, lower: [base] });
    const merged = box.path('merged');
    mkdirSync(merged);
    await api.startOverlay({ lowerdir: [target, base], mountpoint: merged });
    expectSameTree(changed, snapshot(merged));
    await api.unmountOverlay(merged);
  });

  test('a mounted container is committed as it is, and goes on', async () => {
    using box = await fixture();
    const { api, store } = box;
    api.createContainer(store, { image: 'base', name: 'box' });
    const { mountpoint } = await api.mountContainer(store, 'box');
    shell(mountpoint, CHANGES);
    const changed = snapshot(mountpoint);
    const first = await api.commitContainer(store, 'box', { reference: 'live' });
    expectSameTree(changed, await imageTree(box, 'live'));
    expect(await committedTars(store, first)).toHaveLength(1);
    expectSameTree(changed, snapshot(mountpoint));
    shell(mountpoint, 'echo more > more');
    const diff = await diffLines(box, 'box');
    expect(diff).toContain('A /more');
    expect(diff).toContain('C /etc/hosts');
    await api.unmount(store, 'box');
    const second = await api.commitContainer(store, 'box', { reference: 'stopped' });
    expect(second.layers.slice(0, 2)).toEqual(first.layers);
    expect(second.layers).toHaveLength(3);
    expect(store.check()).toEqual([]);
  });

  test('a second commit adds a layer, and one without changes describes the last one anew', async () => {
    using box = await fixture();
    const { api, store } = box;
    api.createContainer(store, { image: 'base', name: 'box' });
    const { mountpoint } = await api.mountContainer(store, 'box');
    const step = async (script: string, reference: string) => {
      await api.mountContainer(store, 'box');
      shell(mountpoint, script);
      await api.unmount(store, 'box');
      return api.commitContainer(store, 'box', { reference, message: reference });
    };
    const one = await step('echo 1 > one; rm bin/tool', 'one');
    const two = await step('echo 2 > two; rm one; touch bin/tool', 'two');
    const three = await step('true', 'three');
    expect(two.layers.slice(0, 2)).toEqual(one.layers);
    expect(two.layers).toHaveLength(3);
    expect(three.layers).toEqual(two.layers);
    expect(await committedTars(store, two)).toHaveLength(2);
    const comments = (id: string) => store.images.history(store.images.resolve(id).id).map((entry) => entry.comment);
    expect(comments('two')).toEqual(['two', 'one', 'Imported from base.tar']);
    expect(comments('three')).toEqual(['three', 'one', 'Imported from base.tar']);
    expect(await diffLines(box, 'box')).toEqual(['C /bin', 'C /bin/tool', 'A /two']);
    await api.removeContainer(store, 'box');
    for (const name of ['one', 'two', 'three']) store.images.remove(name);
    expect(store.layers.list()).toHaveLength(1);
    expect(store.check()).toEqual([]);
  });

  test('without changes there is no layer, as with Docker', async () => {
    using box = await fixture();
    const { api, store } = box;
    api.createContainer(store, { image: 'base', name: 'box' });
    const options = { reference: 'same', changes: ['CMD ["sh"]'], created: new Date(0) };
    const image = await api.commitContainer(store, 'box', options);
    expect(image.layers).toEqual(box.image.layers);
    const config = store.images.config(image.id);
    expect(config.config).toEqual({ Cmd: ['sh'] });
    expect(config.history?.[1]).toEqual({ created: '1970-01-01T00:00:00.000Z', empty_layer: true });
    await api.mountContainer(store, 'box');
    expect(await diffLines(box, 'box')).toEqual([]);
    expect((await api.commitContainer(store, 'box', options)).id).toBe(image.id);
    await api.unmount(store, 'box');
    expect((await api.commitContainer(store, 'box', options)).id).toBe(image.id);
  });

  test('what an image is made of without layers', async () => {
    using box = await fixture();
    const { api, store } = box;
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [] } };
    const empty = store.images.create(config, [parseTaggedName('scratch2')]);
    expect([...(await imageTree(box, 'scratch2')).keys()]).toEqual(['']);
    api.createContainer(store, { image: empty.id, name: 'box' });
    const { mountpoint } = await api.mountContainer(store, 'box');
    shell(mountpoint, 'mkdir a; echo x > a/b');
    const changed = snapshot(mountpoint);
    await api.unmount(store, 'box');
    await api.commitContainer(store, 'box', { reference: 'full' });
    expectSameTree(changed, await imageTree(box, 'full'));
  });

  test('an upper directory that the kernel wrote is committed, too', async () => {
    using box = await fixture();
    const { api, store } = box;
    const { directory } = api.createContainer(store, { image: 'base', name: 'box' });
    const [lower = ''] = store.layers.paths(box.image.layers);
    const target = path.join(directory, 'merged');
    const data = `lowerdir=${lower},upperdir=${directory}/upper,workdir=${directory}/work,redirect_dir=on,metacopy=on,index=off`;
    mountKernelOverlay(target, data);
    shell(target, CHANGES);
    const changed = snapshot(target);
    expect(umount2(target)).toBe(0);
    expect(await diffLines(box, 'box')).toEqual(DIFF);
    await api.commitContainer(store, 'box', { reference: 'new' });
    const tree = await imageTree(box, 'new');
    // Without an index the kernel breaks the link between passwd and passwd- at copy-up.
    expectSameTree(changed, tree);
  });

  test('all names of a hard link have the content that one of them got', async () => {
    using box = await fixture();
    const { api, store } = box;
    shell(
      box.path(),
      `mkdir -p linked/a/b/c linked/d linked/e; cd linked; echo old > a/one;
       for name in a/b/c/two d/three d/gone e/four; do ln a/one $name; done
       find . -exec touch -d @1600000000 {} +; chmod 750 a/b/c; tar -cf ../linked.tar .`,
    );
    await api.importRootfs(store, { path: box.path('linked.tar') }, { reference: 'linked' });
    api.createContainer(store, { image: 'linked', name: 'box' });
    const { mountpoint } = await api.mountContainer(store, 'box');
    shell(mountpoint, 'echo new >> a/one; rm d/gone; mv e moved; rm a/one');
    const live = await api.commitContainer(store, 'box', { reference: 'live' });
    const changed = snapshot(mountpoint);
    expect(changed.get('a/b/c/two')).toMatchObject({ size: 8, links: expect.stringContaining('3') as string });
    await api.unmount(store, 'box');
    expect(await diffLines(box, 'box')).toEqual(expect.arrayContaining(['C /a/b/c/two', 'C /d/three']));
    const stopped = await api.commitContainer(store, 'box', { reference: 'stopped' });
    expectSameTree(changed, await imageTree(box, 'live'));
    expectSameTree(changed, await imageTree(box, 'stopped'));
    expect(stopped.layers).toEqual(live.layers);
    await api.mountContainer(store, 'box');
    expectSameTree(changed, snapshot(mountpoint));
  });

  test('commits at once give images that agree, and the container is whole', async () => {
    using box = await fixture();
    const { api, store } = box;
    api.createContainer(store, { image: 'base', name: 'box' });
    const { mountpoint } = await api.mountContainer(store, 'box');
    shell(mountpoint, CHANGES);
    const changed = snapshot(mountpoint);
    await api.unmount(store, 'box');
    const images = await Promise.all(
      ['a', 'b', 'c'].map((reference) => api.commitContainer(store, 'box', { reference })),
    );
    expect(new Set(images.map((image) => image.layers.join())).size).toBe(1);
    expectSameTree(changed, await imageTree(box, 'b'));
    await api.mountContainer(store, 'box');
    expectSameTree(changed, snapshot(mountpoint));
    await api.unmount(store, 'box');
    expect(store.check()).toEqual([]);
  });

  test('a commit of content the store has leaves the container its own', async () => {
    using box = await fixture();
    const { api, store } = box;
    for (const name of ['one', 'two']) {
      const { directory } = api.createContainer(store, { image: 'base', name });
      shell(path.join(directory, 'upper'), 'echo x > same; touch -d @5 same; touch -d @5 .');
    }
    const one = await api.commitContainer(store, 'one');
    const two = await api.commitContainer(store, 'two', { changes: ['CMD x'] });
    expect(two.layers).toEqual(one.layers);
    const { directory } = api.inspectContainer(store, 'two');
    expect(existsSync(path.join(directory, 'upper', 'same'))).toBe(true);
    expect(existsSync(path.join(directory, 'skeleton'))).toBe(false);
    await api.removeContainer(store, 'two');
    await api.removeContainer(store, 'one');
    expect(store.check()).toEqual([]);
  });
});
