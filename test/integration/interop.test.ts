// Images cross to the tools of others and back: what must be equal is equal, digest for digest and attribute for attribute.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIndex } from '../../src/image/index.js';
import { Store } from '../../src/store/index.js';
import type { Image } from '../../src/store/index.js';
import { importRootfs, loadImages, saveImages } from '../../src/transfer/index.js';
import type { LoadOptions, SaveOptions } from '../../src/transfer/index.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import { snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { library } from './container-fixture.js';

const gate = requires('root', 'fuse', 'build', 'tar', 'acl', 'skopeo', 'umoci', 'podman', 'buildah');

const temp = tempDir('interop');
afterAll(() => temp.remove());
const at = (...names: string[]): string => path.join(temp.path, ...names);

function run(file: string, ...args: string[]): string {
  // What they keep by default is elsewhere, and some of it in the home directory.
  const env = {
    ...process.env,
    HOME: temp.path,
    XDG_RUNTIME_DIR: at('run'),
    TMPDIR: temp.path,
    BUILDAH_ISOLATION: 'chroot',
  };
  return execFileSync(file, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    env,
    cwd: temp.path,
  });
}

const storage = ['--root', at('containers'), '--runroot', at('run'), '--storage-driver', 'vfs'];
const podman = (...args: string[]): string => run('podman', ...storage, '--cgroup-manager', 'cgroupfs', ...args).trim();
const buildah = (...args: string[]): string => run('buildah', ...storage, ...args).trim();
const sh = (script: string): string => run('sh', '-ec', script);

let stores = 0;

/** A new store of ours. */
function newStore(): Store {
  stores += 1;
  return Store.open(at(`store-${String(stores)}`));
}

/** What an image shows when it is mounted. */
async function treeOf(store: Store, image: Image): Promise<Tree> {
  const directory = at(`mount-${image.id.slice(7, 19)}`);
  mkdirSync(directory, { recursive: true });
  const { mountImage, unmount } = await library();
  await mountImage(store, image.id, directory);
  try {
    return snapshot(directory);
  } finally {
    await unmount(store, directory);
  }
}

async function load(store: Store, source: string, options: LoadOptions = {}): Promise<Image> {
  const [loaded] = await loadImages(store, { path: source }, options);
  if (loaded === undefined) throw new Error('nothing was loaded');
  expect(store.check()).toEqual([]);
  return loaded.image;
}

const diffIds = (store: Store, image: Image): readonly string[] => store.images.config(image.id).rootfs.diff_ids;
const manifestDigests = (store: Store, image: Image): string[] =>
  store.images.manifests(image.id).map(({ digest }) => digest);
const layoutDigests = (directory: string): string[] =>
  parseIndex(readFileSync(path.join(directory, 'index.json'))).manifests.map(({ digest }) => digest);

/** A tree with whatever a file system can hold and a tar, too. */
function makeRichTree(root: string): void {
  mkdirSync(root);
  sh(`cd '${root}'
    mkdir -p etc usr/bin dev tmp deep/deeper gone/sub swap 'odd names'
    printf 'localhost\\n' > etc/hosts; chown 1000:100 etc/hosts; chmod 640 etc/hosts
    setfacl -m u:1234:rw etc/hosts; setfacl -d -m g:55:rx etc
    printf '#!/bin/sh\\n' > usr/bin/tool; chmod 4755 usr/bin/tool; ln usr/bin/tool usr/bin/same; ln usr/bin/tool deep/third
    setfattr -n user.color -v blue usr/bin/tool
    printf cap > usr/bin/cap; setcap cap_net_raw+ep usr/bin/cap
    ln -s ../etc/hosts usr/link; ln -s /nowhere dangling; touch -h -d '2002-03-04 05:06:07.89' dangling
    mknod dev/null c 1 3; chmod 666 dev/null; mknod dev/loop b 7 300; mkfifo -m 600 dev/pipe
    printf x > 'odd names/new\nline'; printf x > "$(printf 'odd names/\\377\\376')"; printf x > 'odd names/ü é'; printf x > "odd names/$(printf 'l%.0s' $(seq 250))"
    truncate -s 3M sparse; printf end >> sparse
    chmod 1777 tmp; chown 3000000:3000001 deep; chmod 2750 deep; printf x > gone/sub/file; printf x > gone/other; printf x > swap/file; printf x > plain
    touch -d '2001-02-03 04:05:06.123456789' etc/hosts plain; touch -d '1969-12-31 12:00:00' usr/bin/cap; touch -d '2010-01-01 00:00:00.5' usr deep/deeper
    touch -d '2020-02-02 02:02:02' .`);
}

/** Everything that one layer can do to those below: hide, replace by another type, empty and fill again. */
function change(root: string): void {
  rmSync(path.join(root, 'gone/other'));
  rmSync(path.join(root, 'gone/sub'), { recursive: true });
  mkdirSync(path.join(root, 'gone/sub'));
  writeFileSync(path.join(root, 'gone/sub/new'), 'new');
  rmSync(path.join(root, 'swap'), { recursive: true });
  writeFileSync(path.join(root, 'swap'), 'a file now');
  unlinkSync(path.join(root, 'plain'));
  mkdirSync(path.join(root, 'plain'));
  writeFileSync(path.join(root, 'plain/file'), 'in a directory now');
  unlinkSync(path.join(root, 'dangling'));
  symlinkSync('plain/file', path.join(root, 'dangling'));
  renameSync(path.join(root, 'sparse'), path.join(root, 'moved'));
  writeFileSync(path.join(root, 'etc/hosts'), 'other\n');
  chmodSync(path.join(root, 'tmp'), 0o700);
}

/** What the vfs driver of containers/storage makes of a tree: it touches the root and has no times before 1970. */
function inStorage(tree: Tree): Tree {
  const mtimeOf = (name: string, mtime: string): string =>
    name === '' ? 'touched' : mtime.startsWith('-') ? '0.000000000' : mtime;
  return new Map([...tree].map(([name, entry]) => [name, { ...entry, mtime: mtimeOf(name, entry.mtime) }]));
}

/** And a working container of buildah's there: ACLs are not copied. */
function inContainer(tree: Tree): Tree {
  return new Map(
    [...inStorage(tree)].map(([name, { xattrs, ...entry }]) => {
      const left = xattrs?.split(' ').filter((xattr) => !xattr.startsWith('system.posix_acl_')) ?? [];
      return [name, left.length === 0 ? entry : { ...entry, xattrs: left.join(' ') }];
    }),
  );
}

/** What buildah writes into a layer has times in seconds. */
function inSeconds(tree: Tree): Tree {
  return new Map([...tree].map(([name, entry]) => [name, { ...entry, mtime: entry.mtime.replace(/\.\d+$/, '') }]));
}

describe.skipIf(gate.skip)(gate.title('with the tools of others'), () => {
  let ours: Store;
  let rich: Image;
  let changed: Image;
  let changedTree: Tree;

  beforeAll(async () => {
    mkdirSync(at('run'));
    writeFileSync(at('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
    makeRichTree(at('rich'));
    const pack = (dir: string): void =>
      void sh(`tar -C '${at(dir)}' --xattrs --xattrs-include='*' --acls --format=posix -cf '${at(dir)}.tar' .`);
    pack('rich');
    ours = newStore();
    rich = await importRootfs(
      ours,
      { path: at('rich.tar') },
      { reference: 'rich:1', changes: ['CMD ["tool"]', 'ENV A=b', 'LABEL x=y'] },
    );
    expect(await treeOf(ours, rich)).toEqual(snapshot(at('rich')));
    const { createContainer, mountContainer, unmount, commitContainer } = await library();
    const container = createContainer(ours, { image: 'rich:1', name: 'work' });
    const { mountpoint } = await mountContainer(ours, container.id);
    change(mountpoint);
    await unmount(ours, container.id);
    changed = await commitContainer(ours, container.id, { reference: 'rich:2' });
    changedTree = await treeOf(ours, changed);
    await saveImages(ours, ['rich:1', 'rich:2'], { directory: at('first') }, { compression: 'gzip' });
  }, 60_000);

  afterAll(() => {
    ours.close();
  });

  function umociUnpack(image: string, bundle: string): Tree {
    run('umoci', 'unpack', '--image', image, bundle);
    return snapshot(at(bundle, 'rootfs'));
  }

  describe('umoci', () => {
    test('unpacks what we save: the same tree', async () => {
      await saveImages(ours, ['rich:2'], { directory: at('to-umoci') });
      expect(umociUnpack('to-umoci:2', 'unpacked')).toEqual(changedTree);
    });

    test('repacks a tree, and we show it as it does', async () => {
      umociUnpack('first:1', 'bundle');
      change(at('bundle/rootfs'));
      run('umoci', 'repack', '--image', 'first:3', 'bundle');
      using store = newStore();
      const image = await load(store, at('first'), { reference: '3' });
      expect(image.references).toEqual(['docker.io/library/first:3']);
      expect(await treeOf(store, image)).toEqual(umociUnpack('first:3', 'repacked'));
      await saveImages(store, ['first:3'], { directory: at('kept') });
      expect(layoutDigests(at('kept'))).toEqual(layoutDigests(at('first')).slice(2));
    });

    test('inserts opaque directories and whiteouts, in layers without an end, which we understand', async () => {
      mkdirSync(at('insert'));
      writeFileSync(at('insert/only'), 'only');
      run('umoci', 'insert', '--image', 'first:2', '--tag', '4', '--opaque', 'insert', '/usr');
      run('umoci', 'insert', '--image', 'first:4', '--tag', '5', '--whiteout', '/etc/hosts');
      using store = newStore();
      const image = await load(store, at('first'), { reference: '5' });
      const tree = await treeOf(store, image);
      // A file below an overlay has the links that its own directory knows, hidden ones, too.
      const withoutLinks = (all: Tree): Tree =>
        new Map([...all].map(([name, { links: _, ...entry }]) => [name, entry]));
      expect(withoutLinks(tree)).toEqual(withoutLinks(umociUnpack('first:5', 'inserted')));
      expect([tree.has('usr/bin'), tree.has('usr/only'), tree.has('etc/hosts')]).toEqual([false, true, false]);
      await saveImages(store, [image.id], { path: at('inserted.tar') });
      using other = newStore();
      expect(diffIds(other, await load(other, at('inserted.tar')))).toEqual(diffIds(store, image));
    });

    test('makes an empty image, which we load and save', async () => {
      run('umoci', 'init', '--layout', 'empty');
      run('umoci', 'new', '--image', 'empty:new');
      using store = newStore();
      const image = await load(store, at('empty'));
      expect(image).toMatchObject({ layers: [], references: ['docker.io/library/empty:new'] });
      await saveImages(store, [image.id], { directory: at('empty-again') });
      expect(layoutDigests(at('empty-again'))).toEqual(layoutDigests(at('empty')));
    });
  });

  describe('skopeo', () => {
    const copy = (from: string, to: string, ...options: string[]): string =>
      run('skopeo', '--policy', at('policy.json'), 'copy', '-q', ...options, from, to);

    test.each<[string, SaveOptions]>([
      ['docker', {}],
      ['oci', { format: 'oci' }],
      ['zstd', { format: 'oci', compression: 'zstd' }],
    ])('reads what we save (%s), and we what it copies', async (name, options) => {
      const tar = at(`skopeo-${name}.tar`);
      await saveImages(ours, ['rich:2'], { path: tar }, options);
      const transports =
        name === 'docker' ? [`docker-archive:${tar}:rich:2`, `oci-archive:${tar}:2`] : [`oci-archive:${tar}:2`];
      for (const [index, source] of transports.entries()) {
        const inspected = JSON.parse(run('skopeo', 'inspect', '--config', source)) as {
          rootfs: { diff_ids: string[] };
        };
        expect(inspected.rootfs.diff_ids).toEqual(diffIds(ours, changed));
        using store = newStore();
        const layout = `copied-${name}-${String(index)}`;
        copy(source, `oci:${layout}:2`);
        const image = await load(store, at(layout));
        expect(diffIds(store, image)).toEqual(diffIds(ours, changed));
        expect(image.references).toEqual([`docker.io/library/${layout}:2`]);
        if (source.startsWith('oci')) expect(image.id).toBe(changed.id);
        expect(manifestDigests(store, image)).toEqual(layoutDigests(at(layout)));
      }
    });

    test.each(['docker-archive', 'oci-archive'])('copies from a layout to %s, which we load', async (transport) => {
      const tar = at(`from-layout.${transport}`);
      copy('oci:first:2', `${transport}:${tar}:example.org/team/rich:7`);
      using store = newStore();
      const image = await load(store, tar);
      expect(diffIds(store, image)).toEqual(diffIds(ours, changed));
      expect(image.references).toEqual(['example.org/team/rich:7']);
      if (transport === 'oci-archive') expect(image.id).toBe(changed.id);
      expect(await treeOf(store, image)).toEqual(changedTree);
    });

    test('takes an image through a directory of its own and back: equal digests', async () => {
      copy('oci:first:2', 'dir:dir');
      copy('dir:dir', 'oci:back:2');
      using store = newStore();
      const image = await load(store, at('back'));
      expect(image.id).toBe(changed.id);
      expect(layoutDigests(at('back'))).toEqual(manifestDigests(store, image));
    });

    test('decompresses layers; plain ones are given back with the manifest they came with', async () => {
      copy('oci:first:2', 'oci:plain:2', '--dest-decompress');
      using store = newStore();
      const image = await load(store, at('plain'));
      expect(diffIds(store, image)).toEqual(diffIds(ours, changed));
      await saveImages(store, [image.id], { directory: at('plain-again') });
      expect(layoutDigests(at('plain-again'))).toEqual(layoutDigests(at('plain')));
    });
  });

  describe('podman', () => {
    function mounted(image: string): Tree {
      const directory = podman('image', 'mount', image);
      try {
        return inStorage(snapshot(directory));
      } finally {
        podman('image', 'unmount', image);
      }
    }

    test('loads what we save, with the same IDs, and shows the same tree', async () => {
      await saveImages(ours, ['rich:1', 'rich:2'], { path: at('to-podman.tar') });
      expect(podman('load', '-q', '-i', at('to-podman.tar')).split('\n').sort()).toEqual([
        'Loaded image: localhost/rich:1',
        'Loaded image: localhost/rich:2',
      ]);
      expect(podman('images', '--no-trunc', '-q', 'localhost/rich').split('\n').sort()).toEqual(
        [rich.id, changed.id].sort(),
      );
      expect(mounted('localhost/rich:1')).toEqual(inStorage(await treeOf(ours, rich)));
      expect(mounted('localhost/rich:2')).toEqual(inStorage(changedTree));
    });

    test.each(['docker-archive', 'oci-archive', 'oci-dir'])('saves as %s what we load', async (format) => {
      const target = at(`podman-${format}`);
      podman('save', '-q', '--format', format, '-o', target, 'localhost/rich:2');
      using store = newStore();
      const image = await load(store, target);
      expect(diffIds(store, image)).toEqual(diffIds(ours, changed));
      expect(image.references).toEqual(['localhost/rich:2']);
      expect(await treeOf(store, image)).toEqual(changedTree);
    });

    test('saves several images in one archive', async () => {
      podman('save', '-q', '-m', '-o', at('podman-multi.tar'), 'localhost/rich:1', 'localhost/rich:2');
      using store = newStore();
      const loaded = await loadImages(store, { path: at('podman-multi.tar') });
      expect(loaded.map(({ image }) => image.id).sort()).toEqual([rich.id, changed.id].sort());
    });
  });

  describe('buildah', () => {
    test.each(['oci', 'docker-archive'])(
      'commits a changed image as %s, and we show what it shows',
      async (transport) => {
        buildah('rmi', '-a', '-f');
        await saveImages(ours, ['rich:1'], { path: at('to-buildah.tar') });
        const container = buildah('from', `docker-archive:${at('to-buildah.tar')}`);
        const directory = buildah('mount', container);
        expect(inContainer(snapshot(directory))).toEqual(inContainer(await treeOf(ours, rich)));
        change(directory);
        writeFileSync(at('added'), 'added');
        buildah('add', container, at('added'), '/usr/added');
        buildah('config', '--env', 'C=d', '--cmd', '["other"]', container);
        const target = at(`buildah-${transport}`);
        buildah('commit', '-q', container, `${transport}:${target}:built:1`);
        using store = newStore();
        const image = await load(store, target);
        const shown = inContainer(snapshot(directory));
        expect(inSeconds(inContainer(await treeOf(store, image)))).toEqual(inSeconds(shown));
        expect(store.images.config(image.id).config).toMatchObject({ Env: ['A=b', 'C=d'], Cmd: ['other'] });
        expect(diffIds(store, image)[0]).toBe(diffIds(ours, rich)[0]);
        buildah('rm', container);
      },
    );
  });
});
