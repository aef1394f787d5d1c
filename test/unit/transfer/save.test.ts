import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digestHex, digestOf } from '../../../src/core/index.js';
import { MediaTypes, parseIndex, parseManifest } from '../../../src/image/index.js';
import { writeLayer } from '../../../src/layer/index.js';
import type { Store } from '../../../src/store/index.js';
import { loadImages, saveImages } from '../../../src/transfer/index.js';
import type { SaveOptions } from '../../../src/transfer/index.js';
import { temporaryDirectory, temporaryStore } from '../store/fixture.js';
import { addOciImage, asDirectory, asTar, configOf, dockerArchive, finishLayout, layerOf } from './archives.js';
import type { Files } from './archives.js';

const base = await layerOf({ 'etc/': '', 'etc/hosts': 'localhost\n', big: 'x'.repeat(100_000) });
const top = await layerOf({ 'etc/': '', 'etc/.wh.hosts': '', b: 'b' });
const config = configOf([base, top]);
const id = digestOf(config);

/** A store with the image `app:1` of two layers, from a docker archive. */
async function storeWithApp(): Promise<Store> {
  const store = temporaryStore();
  await loadImages(store, { path: await asTar(dockerArchive([base, top], ['app:1'], config)) });
  return store;
}

async function save(store: Store, names: readonly string[], options: SaveOptions = {}): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const sink = (chunk: Uint8Array): void => void pieces.push(Buffer.from(chunk));
  await saveImages(store, names, { sink }, options);
  return Buffer.concat(pieces);
}

/** What tar(1) makes of an archive: path -> content. */
function unpacked(tar: Buffer): Map<string, Buffer> {
  const dir = temporaryDirectory();
  execFileSync('tar', ['-C', dir, '-xf', '-'], { input: tar });
  return readLayout(dir);
}

function readLayout(dir: string): Map<string, Buffer> {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(dir, name)).isFile(),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(dir, name))]));
}

const blob = (bytes: Buffer): string => `blobs/sha256/${digestHex(digestOf(bytes))}`;

function json(files: Map<string, Buffer>, name: string): unknown {
  return JSON.parse(files.get(name)?.toString() ?? 'null');
}

describe('in the format docker', () => {
  test('an archive is docker archive and OCI layout at once', async () => {
    const files = unpacked(await save(await storeWithApp(), ['app:1']));
    expect(json(files, 'manifest.json')).toEqual([
      { Config: blob(config), RepoTags: ['app:1'], Layers: [blob(base), blob(top)] },
    ]);
    expect(files.get(blob(config))).toEqual(config);
    expect([files.get(blob(base)), files.get(blob(top))]).toEqual([base, top]);
    expect(json(files, 'repositories')).toEqual({ app: { 1: digestHex(digestOf(top)) } });
    expect(json(files, 'oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    const [entry] = parseIndex(files.get('index.json') ?? Buffer.alloc(0)).manifests;
    expect(entry?.annotations).toEqual({
      'io.containerd.image.name': 'docker.io/library/app:1',
      'org.opencontainers.image.ref.name': '1',
    });
    const manifest = parseManifest(files.get(`blobs/${entry?.digest.replace(':', '/') ?? ''}`) ?? Buffer.alloc(0));
    expect(manifest.config).toMatchObject({ digest: id, mediaType: MediaTypes.config });
    expect(manifest.layers.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
      [base, top].map((tar) => [digestOf(tar), MediaTypes.layer]),
    );
    expect(files.size).toBe(8);
  });

  test('the same images give the same bytes, in another store and at another time, too', async () => {
    const first = await save(await storeWithApp(), ['app:1']);
    const store = temporaryStore();
    await loadImages(store, {
      stream: (async function* () {
        yield await Promise.resolve(first);
      })(),
    });
    expect(digestOf(await save(store, ['app:1']))).toBe(digestOf(first));
  });

  test('what is shared is written once, and an image has all names it was asked for by', async () => {
    const store = await storeWithApp();
    const other = configOf([base], { author: 'me' });
    await loadImages(store, { path: await asTar(dockerArchive([base], ['other:1'], other)) });
    store.images.tag(store.images.resolve('app:1').id, 'app:2');
    const files = unpacked(await save(store, ['other:1', 'app']));
    expect(json(files, 'manifest.json')).toMatchObject([{ RepoTags: ['other:1'] }, { RepoTags: ['app:1', 'app:2'] }]);
    expect(parseIndex(files.get('index.json') ?? Buffer.alloc(0)).manifests).toHaveLength(3);
    expect([...files.values()].filter((bytes) => bytes.equals(base))).toHaveLength(1);
  });

  test('an image asked for by its ID has no name', async () => {
    const files = unpacked(await save(await storeWithApp(), [id.slice(7, 20)]));
    expect(json(files, 'manifest.json')).toMatchObject([{ RepoTags: [] }]);
    expect(files.has('repositories')).toBe(false);
    expect(parseIndex(files.get('index.json') ?? Buffer.alloc(0)).manifests[0]?.annotations).toBeUndefined();
  });

  test('compressed layers of an OCI image are written plain', async () => {
    const store = temporaryStore();
    const layout: Files = new Map();
    await loadImages(store, {
      path: asDirectory(finishLayout(layout, [addOciImage(layout, { layers: [base, top] })])),
    });
    const files = unpacked(await save(store, [digestOf(configOf([base, top]))]));
    expect(files.get(blob(base))).toEqual(base);
  });
});

describe('in the format oci', () => {
  test('an image that came with a manifest goes with it, and with its blobs', async () => {
    const store = temporaryStore();
    const layout: Files = new Map();
    const manifest = addOciImage(layout, {
      layers: [base, top],
      annotations: { 'io.containerd.image.name': 'example.org/a:1' },
    });
    await loadImages(store, { path: asDirectory(finishLayout(layout, [manifest])) });
    const files = unpacked(await save(store, ['example.org/a:1'], { format: 'oci' }));
    for (const name of ['index.json', 'oci-layout']) {
      layout.delete(name);
      files.delete(name);
    }
    expect(files).toEqual(new Map([...layout].sort(([a], [b]) => (a < b ? -1 : 1))));
  });

  test.each(['gzip', 'zstd'] as const)('layers are compressed with %s, each time the same', async (compression) => {
    const store = await storeWithApp();
    const first = await save(store, ['app:1'], { format: 'oci', compression });
    expect(digestOf(await save(store, ['app:1'], { format: 'oci', compression }))).toBe(digestOf(first));
    const files = unpacked(first);
    const [entry] = parseIndex(files.get('index.json') ?? Buffer.alloc(0)).manifests;
    const manifest = parseManifest(files.get(`blobs/${entry?.digest.replace(':', '/') ?? ''}`) ?? Buffer.alloc(0));
    const packed = manifest.layers.map(
      ({ digest }) => files.get(`blobs/${digest.replace(':', '/')}`) ?? Buffer.alloc(0),
    );
    const unpack = (bytes: Buffer): Buffer =>
      compression === 'gzip' ? gunzipSync(bytes) : execFileSync('zstd', ['-dc'], { input: bytes });
    expect(packed.map(unpack)).toEqual([base, top]);
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual(
      Array(2).fill(compression === 'gzip' ? MediaTypes.layerGzip : MediaTypes.layerZstd),
    );
    const other = temporaryStore();
    const [loaded] = await loadImages(other, {
      stream: (async function* () {
        yield await Promise.resolve(first);
      })(),
    });
    expect(loaded?.image.id).toBe(id);
    expect(other.check()).toEqual([]);
  });
});

describe('a layout directory', () => {
  test('is made, added to, and a name in it moves', async () => {
    const store = await storeWithApp();
    const directory = join(temporaryDirectory(), 'layout');
    await saveImages(store, ['app:1'], { directory });
    const bases = configOf([base], { author: 'new' });
    await loadImages(store, { path: await asTar(dockerArchive([base], ['app:1', 'x:1'], bases)) });
    await saveImages(store, ['app:1', 'x:1'], { directory });
    const files = readLayout(directory);
    const { manifests } = parseIndex(files.get('index.json') ?? Buffer.alloc(0));
    expect(manifests.map(({ annotations }) => annotations?.['io.containerd.image.name'])).toEqual([
      'docker.io/library/app:1',
      'docker.io/library/x:1',
    ]);
    expect(new Set(manifests.map(({ digest }) => digest)).size).toBe(1);
    expect(files.get(blob(base))).toEqual(base);
  });

  test.each(['a directory with other files', 'a file'])('should-fail: %s', async (what) => {
    const directory = join(temporaryDirectory(), 'place');
    if (what === 'a file') writeFileSync(directory, 'x');
    else {
      mkdirSync(directory);
      writeFileSync(join(directory, 'mine'), 'x');
    }
    await expect(saveImages(await storeWithApp(), ['app:1'], { directory })).rejects.toMatchObject({
      code: what === 'a file' ? 'invalid' : 'already-exists',
    });
    if (what !== 'a file') expect(readdirSync(directory)).toEqual(['mine']);
  });

  test('does not take the format docker', async () => {
    const target = { directory: join(temporaryDirectory(), 'x') };
    await expect(saveImages(await storeWithApp(), ['app:1'], target, { format: 'docker' })).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});

describe('a failed save', () => {
  /** A layer that has lost a file. */
  async function damaged(): Promise<Store> {
    const store = await storeWithApp();
    const [bottom = ''] = store.layers.paths(store.images.resolve('app:1').layers).reverse();
    rmSync(join(bottom, 'big'));
    return store;
  }

  test('leaves neither file nor directory, and what was there before', async () => {
    const store = await damaged();
    const dir = temporaryDirectory();
    await expect(saveImages(store, ['app:1'], { path: join(dir, 'new.tar') })).rejects.toMatchObject({
      code: 'integrity',
    });
    await expect(saveImages(store, ['app:1'], { directory: join(dir, 'layout') })).rejects.toMatchObject({
      code: 'integrity',
    });
    expect(readdirSync(dir)).toEqual([]);
    writeFileSync(join(dir, 'old.tar'), 'before');
    await expect(saveImages(store, ['app:1'], { path: join(dir, 'old.tar') })).rejects.toMatchObject({
      code: 'integrity',
    });
    expect(readFileSync(join(dir, 'old.tar'), 'utf8')).toBe('before');
    expect(readdirSync(dir)).toEqual(['old.tar']);
    expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
  });

  test('when it is aborted, too', async () => {
    const store = await storeWithApp();
    const dir = temporaryDirectory();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(saveImages(store, ['app:1'], { path: join(dir, 'a.tar') }, { signal })).rejects.toThrow('enough');
    await expect(
      saveImages(store, ['app:1'], { path: join(dir, 'a.tar') }, { signal, format: 'oci', compression: 'gzip' }),
    ).rejects.toThrow('enough');
    expect(readdirSync(dir)).toEqual([]);
  });

  test.each([
    ['no such directory', '/no/such/dir/a.tar', 'not-found'],
    ['a directory in its place', '/etc', 'invalid'],
    ['part of the path is a file', '/etc/hostname/a.tar', 'invalid'],
  ])('should-fail: %s', async (_what, path, code) => {
    await expect(saveImages(await storeWithApp(), ['app:1'], { path })).rejects.toMatchObject({ code });
  });

  test('an image that is not there', async () => {
    const path = join(temporaryDirectory(), 'a.tar');
    await expect(saveImages(await storeWithApp(), ['app:1', 'nope'], { path })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(existsSync(path)).toBe(false);
  });
});

test('a symlink stays, and what it points to is replaced', async () => {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, 'real.tar'), '');
  symlinkSync('real.tar', join(dir, 'link.tar'));
  await saveImages(await storeWithApp(), ['app:1'], { path: join(dir, 'link.tar') });
  expect(readdirSync(dir).sort()).toEqual(['link.tar', 'real.tar']);
  expect(statSync(join(dir, 'real.tar')).size).toBeGreaterThan(100_000);
});

describe('a layer without a record of its tar', () => {
  async function unrecorded(layer: Buffer): Promise<Store> {
    const store = temporaryStore();
    await loadImages(store, { path: await asTar(dockerArchive([layer], ['app:1'])) });
    for (const id of store.images.resolve('app:1').layers) rmSync(store.layers.parts(id).skeleton ?? '');
    return store;
  }

  test('is written anew, if that gives the same bytes', async () => {
    const upper = temporaryDirectory();
    writeFileSync(join(upper, 'a'), 'content');
    const pieces: Buffer[] = [];
    await writeLayer({ upper: [upper], lower: [], sink: (chunk) => void pieces.push(Buffer.from(chunk)) });
    const layer = Buffer.concat(pieces);
    const files = unpacked(await save(await unrecorded(layer), ['app:1']));
    expect(files.get(blob(layer))).toEqual(layer);
  });

  test('is refused otherwise, before anything is written', async () => {
    const path = join(temporaryDirectory(), 'a.tar');
    // `big` comes after `etc`.
    await expect(saveImages(await unrecorded(base), ['app:1'], { path })).rejects.toMatchObject({
      code: 'integrity',
      hint: expect.stringContaining('again') as unknown,
    });
    expect(existsSync(path)).toBe(false);
  });
});
