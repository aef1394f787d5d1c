import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import { MediaTypes } from '../../../src/image/index.js';
import type { Store } from '../../../src/store/index.js';
import { layerTar, loadImages } from '../../../src/transfer/index.js';
import type { LoadOptions } from '../../../src/transfer/index.js';
import { temporaryStore } from '../store/fixture.js';
import {
  addIndex,
  addOciImage,
  asDirectory,
  asTar,
  blobOf,
  configOf,
  dockerArchive,
  finishLayout,
  layerOf,
  streamOf,
} from './archives.js';
import type { Files } from './archives.js';

const REF = 'org.opencontainers.image.ref.name';
const NAME = 'io.containerd.image.name';

const base = await layerOf({ 'etc/': '', 'etc/hosts': 'localhost\n', 'usr/': '', 'usr/a': 'a' });
const top = await layerOf({ 'etc/': '', 'etc/.wh.hosts': '', 'usr/': '', 'usr/b': 'b' });
const plain = { compress: (tar: Buffer) => tar, layerType: MediaTypes.layer };

async function load(store: Store, path: string, options: LoadOptions = {}): Promise<readonly (readonly string[])[]> {
  const loaded = await loadImages(store, { path }, options);
  expect(store.check()).toEqual([]);
  return loaded.map(({ image, names }) => [image.id, ...names.map(({ repository, tag }) => `${repository}:${tag}`)]);
}

function filesOf(store: Store, id: string): string[] {
  const image = store.images.resolve(id);
  return store.layers.paths(image.layers).map((path) => readdirSync(path, { recursive: true }).sort().join(' '));
}

/** The bytes of each layer, as the store gives them back. */
async function tarsOf(store: Store, id: string): Promise<Buffer[]> {
  const tars: Buffer[] = [];
  for (const layer of store.images.resolve(id).layers) {
    const pieces: Buffer[] = [];
    for await (const piece of layerTar(store, layer)) pieces.push(piece);
    tars.push(Buffer.concat(pieces));
  }
  return tars;
}

describe('a docker archive', () => {
  test('becomes an image with the same configuration and the same layers', async () => {
    const store = temporaryStore();
    const config = configOf([base, top]);
    const path = await asTar(dockerArchive([base, top], ['app:1', 'app:2'], config));
    const id = digestOf(config);
    expect(await load(store, path)).toEqual([[id, 'library/app:1', 'library/app:2']]);
    expect(store.images.configBytes(id)).toEqual(config);
    expect(store.images.resolve('app:2').id).toBe(id);
    expect(filesOf(store, id)).toEqual(['etc etc/hosts usr usr/b', 'etc etc/hosts usr usr/a']);
    expect(await tarsOf(store, id)).toEqual([base, top]);
    expect(store.images.manifests(id)).toEqual([]);
    expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
  });

  test.each(['a layer twice, as a symlink', 'a layer twice, as a hard link'])('%s', async (how) => {
    const store = temporaryStore();
    const archive = dockerArchive([base, top, base], ['app']);
    const [first = '', , third = ''] = [...archive.keys()].filter((name) => name.endsWith('/layer.tar'));
    const link = how.endsWith('symlink')
      ? ({ type: 'symlink', target: `../${first}` } as const)
      : ({ type: 'hardlink', target: first } as const);
    const path = await asTar(archive, { [third]: link });
    const [[id = ''] = []] = await load(store, path);
    expect(await tarsOf(store, id)).toEqual([base, top, base]);
  });

  test('without names is loaded by its ID, and compressed layers are as good as plain ones', async () => {
    const store = temporaryStore();
    const archive = dockerArchive([base], []);
    for (const [name, content] of archive) if (name.endsWith('layer.tar')) archive.set(name, gzipSync(content));
    expect(await load(store, await asTar(archive))).toEqual([[digestOf(configOf([base]))]]);
  });

  test('with several images shares their layers', async () => {
    const store = temporaryStore();
    const one = dockerArchive([base], ['one']);
    const two = dockerArchive([base, top], ['two']);
    const manifest = [one, two].flatMap(
      (files) => JSON.parse(files.get('manifest.json')?.toString() ?? '') as object[],
    );
    const both: Files = new Map([...one, ...two, ['manifest.json', Buffer.from(JSON.stringify(manifest))]]);
    expect(await load(store, await asTar(both))).toHaveLength(2);
    expect(readdirSync(join(store.root, 'layers'))).toHaveLength(2);
  });
});

describe('an OCI layout', () => {
  test('is loaded with its manifest and compressed layers, byte for byte', async () => {
    const store = temporaryStore();
    const files: Files = new Map();
    const manifest = addOciImage(files, { layers: [base, top], annotations: { [REF]: 'v1' } }) as { digest: string };
    finishLayout(files, [manifest]);
    const id = digestOf(configOf([base, top]));
    expect(await load(store, asDirectory(files, 'App'))).toEqual([[id, 'library/app:v1']]);
    const [kept] = store.images.manifests(id);
    expect(kept?.digest).toBe(manifest.digest);
    expect(kept?.layers.map(({ digest }) => store.content.read(digest))).toEqual([gzipSync(base), gzipSync(top)]);
    expect(await tarsOf(store, id)).toEqual([base, top]);
  });

  test('of plain layers keeps the manifest, and no second copy of the layers', async () => {
    const store = temporaryStore();
    const files: Files = new Map();
    const manifest = addOciImage(files, { layers: [base, top], ...plain });
    const [[id = ''] = []] = await load(store, asDirectory(finishLayout(files, [manifest])));
    expect(store.images.manifests(store.images.resolve(id).id)).toMatchObject([{ layers: [] }]);
    expect(readdirSync(join(store.root, 'blobs/sha256'))).toHaveLength(2);
  });

  test.each(['a tar', 'a compressed tar', 'a stream'])('is the same as %s', async (form) => {
    const store = temporaryStore();
    const files: Files = new Map();
    const annotations = { [REF]: '1', [NAME]: 'example.org/team/app:1' };
    finishLayout(files, [addOciImage(files, { layers: [base, top], annotations })]);
    const tar = await asTar(files);
    const source =
      form === 'a tar'
        ? { path: tar }
        : {
            stream:
              form === 'a stream'
                ? streamOf(tar)
                : (async function* () {
                    yield await Promise.resolve(gzipSync(readFileSync(tar)));
                  })(),
          };
    const [loaded] = await loadImages(store, source);
    expect(loaded?.image).toMatchObject({
      id: digestOf(configOf([base, top])),
      references: ['example.org/team/app:1'],
    });
    expect(store.check()).toEqual([]);
    expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
  });

  test('chooses the platform, in nested indexes, too, and passes over what is no image', async () => {
    const files: Files = new Map();
    const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
    const mips = { os: 'linux', architecture: 'mips64le' };
    const attestation = {
      ...blobOf(files, Buffer.from('{}'), { mediaType: MediaTypes.manifest }),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const index = addIndex(
      files,
      [
        attestation,
        addOciImage(files, { layers: [base], platform: mips }),
        addOciImage(files, { layers: [top], platform: arm }),
      ],
      { [REF]: 'multi:1' },
    );
    finishLayout(files, [index]);
    const path = asDirectory(files);
    const store = temporaryStore();
    expect(await load(store, path, { platform: { os: 'linux', architecture: 'arm64' } })).toEqual([
      [digestOf(configOf([top], arm)), 'library/multi:1'],
    ]);
    await expect(load(store, path, { platform: { os: 'linux', architecture: 's390x' } })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('no image for linux/s390x') as unknown,
      hint: expect.stringContaining('linux/mips64le, linux/arm/v7') as unknown,
    });
    await expect(load(store, path)).rejects.toMatchObject({ hint: expect.stringContaining('--platform') as unknown });
  });

  test('one of several images is found by its tag, name or ID', async () => {
    const files: Files = new Map();
    const one = addOciImage(files, { layers: [base], annotations: { [REF]: 'one' } });
    const two = addOciImage(files, { layers: [top], annotations: { [REF]: 'localhost/two:2' } });
    const path = asDirectory(finishLayout(files, [one, two]));
    for (const reference of ['localhost/two:2', digestOf(configOf([top])), digestOf(configOf([top])).slice(7, 19)]) {
      const store = temporaryStore();
      expect(await load(store, path, { reference })).toEqual([[digestOf(configOf([top])), 'two:2']]);
    }
    await expect(load(temporaryStore(), path, { reference: 'three' })).rejects.toMatchObject({
      code: 'not-found',
      hint: 'it has one, localhost/two:2',
    });
  });

  test('an image with two names stands there twice and is loaded once', async () => {
    const files: Files = new Map();
    const one = addOciImage(files, { layers: [base], annotations: { [NAME]: 'docker.io/library/a:1', [REF]: '1' } });
    const two = { ...one, annotations: { [NAME]: 'docker.io/library/b:1', [REF]: '1' } };
    const path = asDirectory(finishLayout(files, [one, two]));
    expect(await load(temporaryStore(), path)).toEqual([[digestOf(configOf([base])), 'library/a:1', 'library/b:1']]);
  });
});

describe('an archive that is both', () => {
  test('gives the names of manifest.json and the manifest of the layout', async () => {
    const files: Files = new Map();
    const manifest = addOciImage(files, {
      layers: [base],
      ...plain,
      annotations: { [REF]: '1', [NAME]: 'docker.io/library/app:1' },
    });
    finishLayout(files, [manifest]);
    const docker = dockerArchive([base], ['app:1', 'other:2']);
    const path = await asTar(new Map([...docker, ...files]));
    const store = temporaryStore();
    const id = digestOf(configOf([base]));
    expect(await load(store, path)).toEqual([[id, 'library/app:1', 'library/other:2']]);
    const [{ digest } = { digest: '' }] = store.images.manifests(id);
    expect(store.images.get(id).digests).toEqual([
      `docker.io/library/app@${digest}`,
      `docker.io/library/other@${digest}`,
    ]);
    expect(store.images.resolve(`app@${digest}`).id).toBe(id);
  });

  test('is read by its manifest.json where the layout has no layers, as Docker 25.0 wrote it', async () => {
    const files: Files = new Map();
    const empty = addOciImage(files, { layers: [], config: configOf([base]) });
    const path = await asTar(new Map([...dockerArchive([base], ['app:1']), ...finishLayout(files, [empty])]));
    expect(await load(temporaryStore(), path)).toEqual([[digestOf(configOf([base])), 'library/app:1']]);
  });
});

describe('what is there already', () => {
  test('is not read again', async () => {
    const store = temporaryStore();
    const archive = dockerArchive([base, top], ['app']);
    await load(store, await asTar(archive));
    for (const name of archive.keys()) if (name.endsWith('layer.tar')) archive.delete(name);
    expect(await load(store, await asTar(archive))).toHaveLength(1);
  });

  test('gets the compressed layers of a manifest that comes later', async () => {
    const store = temporaryStore();
    await load(store, await asTar(dockerArchive([base, top], ['app'])));
    const files: Files = new Map();
    finishLayout(files, [addOciImage(files, { layers: [base, top] })]);
    const [[id = ''] = []] = await load(store, asDirectory(files));
    const [manifest] = store.images.manifests(store.images.resolve(id).id);
    expect(manifest?.layers.map(({ digest }) => store.content.read(digest))).toEqual([gzipSync(base), gzipSync(top)]);
    expect(store.images.resolve('app').id).toBe(id);
  });

  test('is unpacked once, however many load it at the same time', async () => {
    const store = temporaryStore();
    const files: Files = new Map();
    finishLayout(files, [addOciImage(files, { layers: [base, top] })]);
    const path = asDirectory(files);
    const images = await Promise.all([1, 2, 3].map(() => loadImages(store, { path })));
    expect(new Set(images.map(([loaded]) => loaded?.image.id)).size).toBe(1);
    expect(readdirSync(join(store.root, 'layers'))).toHaveLength(2);
    expect(store.check()).toEqual([]);
  });
});

test('progress tells of each layer, and of each image', async () => {
  const files: Files = new Map();
  finishLayout(files, [addOciImage(files, { layers: [base, top] })]);
  const seen: string[] = [];
  const loaded: string[] = [];
  const store = temporaryStore();
  const path = asDirectory(files);
  const options: LoadOptions = {
    onProgress: ({ layer, phase, bytes, total }) => {
      if (phase === 'done' || phase === 'exists') seen.push(`${layer} ${phase}`);
      expect(bytes).toBeLessThanOrEqual(total ?? Infinity);
    },
    onLoaded: ({ image }) => loaded.push(image.id),
  };
  await loadImages(store, { path }, options);
  await loadImages(store, { path }, options);
  const blobs = [base, top].map((tar) => digestOf(gzipSync(tar)));
  expect(seen).toEqual([...blobs.map((it) => `${it} done`), ...blobs.map((it) => `${it} exists`)]);
  expect(loaded).toEqual([digestOf(configOf([base, top])), digestOf(configOf([base, top]))]);
});

test('an aborted load leaves nothing', async () => {
  const store = temporaryStore();
  const stop = new AbortController();
  const big = await layerOf({ big: 'x'.repeat(3 << 20) });
  const path = await asTar(dockerArchive([base, big], ['app']));
  const onProgress = ({ bytes }: { bytes: number }): void => {
    if (bytes > 1 << 20) stop.abort(new Error('enough'));
  };
  await expect(loadImages(store, { path }, { signal: stop.signal, onProgress })).rejects.toThrow('enough');
  for (const place of ['layers', 'staging', 'blobs/sha256']) expect(readdirSync(join(store.root, place))).toEqual([]);
  expect(store.check()).toEqual([]);
});
