// Images go to a real registry, and what others read there is what was in the store.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../src/core/index.js';
import type { Digest } from '../../src/core/index.js';
import { MediaTypes, parseManifest, parseReference } from '../../src/image/index.js';
import type { Manifest, Platform } from '../../src/image/index.js';
import { parseTaggedName } from '../../src/store/index.js';
import type { Store } from '../../src/store/index.js';
import { loadImages, pullImage, pushImage } from '../../src/transfer/index.js';
import type { PushedImage, PushOptions, TransferProgress } from '../../src/transfer/index.js';
import {
  basicCredential,
  fill,
  fillWith,
  generateImage,
  generateIndex,
  rawManifest,
  sha256,
  skopeo,
  startProxy,
  startRegistry,
  storedBlob,
  testClient,
} from '../helpers/registry/index.js';
import type { TestRegistry } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { uploadServer } from '../unit/registry/upload-server.js';
import { temporaryDirectory, temporaryStore } from '../unit/store/fixture.js';
import {
  addOciImage,
  blobOf,
  asDirectory,
  asTar,
  configOf,
  dockerArchive,
  finishLayout,
  layerOf,
} from '../unit/transfer/archives.js';
import type { Files } from '../unit/transfer/archives.js';

const gate = requires('docker-registry', 'skopeo', 'setpriv', 'umoci');

const base = await layerOf({ 'etc/': '', 'etc/hosts': 'localhost\n', big: 'x'.repeat(300_000) });
const top = await layerOf({ 'etc/': '', 'etc/.wh.hosts': '', b: 'b' });
const config = configOf([base, top]);

/** A store with `app:1`, of two layers without a manifest. */
async function storeWithApp(): Promise<Store> {
  const store = temporaryStore();
  await loadImages(store, { path: await asTar(dockerArchive([base, top], ['app:1'], config)) });
  return store;
}

/** A store with `layout:latest`, which came with a manifest and layers compressed as we would not. */
async function storeWithLayout(compress = (tar: Buffer): Buffer => gzipSync(tar, { level: 1 })): Promise<Store> {
  const store = temporaryStore();
  const files: Files = new Map();
  const layout = finishLayout(files, [addOciImage(files, { layers: [base, top], config, compress })]);
  await loadImages(store, { path: asDirectory(layout) }, { reference: 'latest' }).catch(() => undefined);
  if (store.images.list().length === 0) await loadImages(store, { path: asDirectory(layout) });
  store.images.tag(digestOf(config), 'layout');
  return store;
}

interface Pushed extends PushedImage {
  readonly phases: readonly string[];
}

async function push(store: Store, name: string, options: PushOptions & { as?: TestRegistry } = {}): Promise<Pushed> {
  const { as, ...others } = options;
  await using client = testClient(as === undefined ? {} : { credential: basicCredential(as.user, as.password) });
  const ends: string[] = [];
  const onProgress = ({ layer, phase }: TransferProgress): void => {
    if (['done', 'exists', 'mounted', 'skipped'].includes(phase)) ends.push(`${phase} ${layer}`);
  };
  const pushed = await pushImage(store, client, parseTaggedName(name), { ...others, onProgress });
  return { ...pushed, phases: ends.map((end) => end.split(' ')[0] ?? '') };
}

describe.skipIf(gate.skip)(gate.title('a push'), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const manifestOf = async (name: string): Promise<Manifest> =>
    parseManifest(Buffer.from(await rawManifest(registry, name)));
  const bytesOf = (digest: Digest): Buffer => storedBlob(registry, digest);

  test('of an image without a manifest makes one, with layers compressed by gzip', async () => {
    const store = await storeWithApp();
    const pushed = await push(store, `${registry.host}/made/oci:1`, { image: 'app:1' });
    const raw = await rawManifest(registry, 'made/oci:1');
    expect(sha256(raw)).toBe(pushed.digest);
    expect(pushed).toMatchObject({ size: raw.length, mediaType: MediaTypes.manifest, phases: ['done', 'done'] });
    const manifest = await manifestOf('made/oci:1');
    expect(manifest.config).toEqual({ mediaType: MediaTypes.config, digest: digestOf(config), size: config.length });
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([MediaTypes.layerGzip, MediaTypes.layerGzip]);
    const tars = manifest.layers.map(({ digest }) => gunzipSync(bytesOf(digest) as Uint8Array));
    expect(tars.map(digestOf)).toEqual([base, top].map(digestOf));
    expect(bytesOf(digestOf(config))).toEqual(config);
    expect(store.check()).toEqual([]);
  });

  test("in Docker's format has Docker's media types", async () => {
    await push(await storeWithApp(), `${registry.host}/made/docker:1`, { image: 'app:1', format: 'docker' });
    const manifest = await manifestOf('made/docker:1');
    expect(manifest.mediaType).toBe(MediaTypes.dockerManifest);
    expect(manifest.config.mediaType).toBe(MediaTypes.dockerConfig);
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      MediaTypes.dockerLayerGzip,
      MediaTypes.dockerLayerGzip,
    ]);
    const types = registry.requests.filter(
      ({ method, path: at }) => method === 'PUT' && at.includes('made/docker/manifests'),
    );
    expect(types).toMatchObject([{ status: 201 }]);
  });

  test('compresses with zstd where that is asked for', async () => {
    await push(await storeWithApp(), `${registry.host}/made/zstd:1`, { image: 'app:1', compression: 'zstd', level: 7 });
    const manifest = await manifestOf('made/zstd:1');
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([MediaTypes.layerZstd, MediaTypes.layerZstd]);
    const [first] = manifest.layers;
    const tar = execFileSync('zstd', ['-dc'], { input: bytesOf(first?.digest ?? digestOf('')) });
    expect(digestOf(tar)).toBe(digestOf(base));
  });

  test("refuses zstd in Docker's format before anything is sent", async () => {
    const before = registry.requests.length;
    const work = push(await storeWithApp(), `${registry.host}/made/no:1`, {
      image: 'app:1',
      compression: 'zstd',
      format: 'docker',
    });
    await expect(work).rejects.toMatchObject({ code: 'usage' });
    expect(registry.requests.length).toBe(before);
  });

  test('is read by skopeo, with all digests', async () => {
    const { digest } = await push(await storeWithApp(), `${registry.host}/read/skopeo:1`, { image: 'app:1' });
    const dir = temporaryDirectory();
    const source = `docker://${registry.host}/read/skopeo:1`;
    expect(JSON.parse(await skopeo(dir, 'inspect', '--tls-verify=false', source))).toMatchObject({ Digest: digest });
    await skopeo(dir, 'copy', '-q', '--preserve-digests', '--src-tls-verify=false', source, `oci:${dir}/copy:x`);
    const list = execFileSync('umoci', ['stat', '--image', `${dir}/copy:x`, '--json'], { encoding: 'utf8' });
    expect(JSON.parse(list)).toHaveProperty('history');
    execFileSync('umoci', ['unpack', '--rootless', '--image', `${dir}/copy:x`, path.join(dir, 'bundle')]);
    expect(execFileSync('ls', [path.join(dir, 'bundle/rootfs')], { encoding: 'utf8' })).toBe('b\nbig\netc\n');
  });

  test('gives an image that came with a manifest back byte for byte, wherever it goes', async () => {
    const store = await storeWithLayout();
    const [stored] = store.images.manifests(digestOf(config));
    const bytes = store.images.manifestBytes(stored?.digest ?? digestOf(''));
    await using other = await startRegistry();
    for (const name of [`${registry.host}/same/app:1`, `${other.host}/elsewhere:x`]) {
      expect(await push(store, name, { image: 'layout' })).toMatchObject({
        digest: stored?.digest,
        size: bytes.length,
      });
    }
    for (const [where, name] of [
      [registry, 'same/app:1'],
      [other, 'elsewhere:x'],
    ] as const) {
      expect(await rawManifest(where, name)).toBe(bytes.toString());
      for (const { digest } of parseManifest(bytes).layers) expect(sha256(storedBlob(where, digest))).toBe(digest);
    }
  });

  test('in another format takes the blobs along', async () => {
    const store = await storeWithLayout();
    await push(store, `${registry.host}/other/format:1`, { image: 'layout', format: 'docker' });
    const { layers } = parseManifest(
      store.images.manifestBytes(store.images.manifests(digestOf(config))[0]?.digest ?? digestOf('')),
    );
    const pushed = await manifestOf('other/format:1');
    expect(pushed.mediaType).toBe(MediaTypes.dockerManifest);
    expect(pushed.layers).toEqual(
      layers.map(({ digest, size }) => ({ mediaType: MediaTypes.dockerLayerGzip, digest, size })),
    );
  });

  test('in another compression makes them anew', async () => {
    const store = await storeWithLayout();
    await push(store, `${registry.host}/other/compression:1`, { image: 'layout', compression: 'zstd' });
    expect((await manifestOf('other/compression:1')).layers[0]?.mediaType).toBe(MediaTypes.layerZstd);
  });

  test('of an image on top of another one has the lower layers as they came', async () => {
    const store = await storeWithLayout();
    const more = await layerOf({ more: 'more' });
    const image = configOf([base, top, more]);
    await loadImages(store, { path: await asTar(dockerArchive([base, top, more], ['derived'], image)) });
    const { layers } = parseManifest(
      store.images.manifestBytes(store.images.manifests(digestOf(config))[0]?.digest ?? digestOf('')),
    );
    await push(store, `${registry.host}/derived:1`, { image: 'derived' });
    const pushed = await manifestOf('derived:1');
    expect(pushed.layers.slice(0, 2)).toEqual(layers);
    expect(pushed.layers).toHaveLength(3);
  });

  test('again sends nothing but the manifest, and compresses nothing', async () => {
    const store = await storeWithApp();
    const name = `${registry.host}/twice:1`;
    const first = await push(store, name, { image: 'app:1' });
    const before = registry.requests.length;
    const phases: string[] = [];
    await using client = testClient();
    const onProgress = ({ phase }: TransferProgress): void => void phases.push(phase);
    const second = await pushImage(store, client, parseTaggedName(name), { image: 'app:1', onProgress });
    expect(second.digest).toBe(first.digest);
    expect(phases.filter((phase) => phase !== 'queued')).toEqual(['exists', 'exists']);
    const after = registry.requests.slice(before).map(({ method }) => method);
    expect(after.sort()).toEqual(['HEAD', 'HEAD', 'HEAD', 'PUT']);
  });

  test('to another repository of the registry has its blobs mounted, without making them', async () => {
    const store = await storeWithApp();
    await push(store, `${registry.host}/from/here:1`, { image: 'app:1' });
    await using client = testClient();
    const seen: TransferProgress[] = [];
    const options = { image: 'app:1', onProgress: (progress: TransferProgress) => void seen.push(progress) };
    await pushImage(store, client, parseTaggedName(`${registry.host}/to/there:1`), options);
    expect(seen.filter(({ phase }) => phase !== 'queued')).toMatchObject([
      { phase: 'mounted', from: 'from/here' },
      { phase: 'mounted', from: 'from/here' },
    ]);
    expect((await manifestOf('to/there:1')).layers).toEqual((await manifestOf('from/here:1')).layers);
  });

  test('does without a mount where the other repository has lost the blob', async () => {
    const store = await storeWithLayout();
    const digest = store.images.manifests(digestOf(config))[0]?.layers[0]?.digest ?? digestOf('');
    await using fresh = await startRegistry();
    store.remotes.saw({ registry: fresh.host, repository: 'gone' }, [digest]);
    const { phases } = await push(store, `${fresh.host}/app:1`, { image: 'layout' });
    expect(phases).toEqual(['done', 'done']);
    expect(store.remotes.repositoriesWith(fresh.host, digest)).toEqual(['app']);
  });

  test('of a layer that is compressed to something else than before sends what it is now', async () => {
    const store = await storeWithApp();
    const wrong = { digest: digestOf('what another zlib made'), size: 5 };
    for (const layer of store.images.resolve('app:1').layers) {
      store.remotes.rememberPacked(store.layers.get(layer).diffId, 'gzip', wrong);
    }
    const { digest } = await push(store, `${registry.host}/repacked:1`, { image: 'app:1' });
    expect((await manifestOf('repacked:1')).layers.map((layer) => layer.digest)).not.toContain(wrong.digest);
    expect(sha256(await rawManifest(registry, 'repacked:1'))).toBe(digest);
  });

  test('under its own name is known by its digest afterwards', async () => {
    const store = await storeWithApp();
    const name = `${registry.host}/known:1`;
    store.images.tag(store.images.resolve('app:1').id, name);
    const { digest } = await push(store, name);
    expect(store.images.resolve(`${registry.host}/known@${digest}`).references).toContain(name);
    await push(store, `${registry.host}/unknown:1`, { image: 'app:1' });
    expect(store.images.find(`${registry.host}/unknown@${digest}`)).toBeUndefined();
  });

  test('of an image whose layers are the same one twice sends it once', async () => {
    const store = temporaryStore();
    const image = configOf([base, base]);
    await loadImages(store, { path: await asTar(dockerArchive([base, base], ['double'], image)) });
    await push(store, `${registry.host}/double:1`, { image: 'double' });
    const puts = registry.requests.filter(({ method, path: at }) => method === 'PUT' && at.includes('/double/blobs/'));
    expect(puts).toHaveLength(2);
    expect((await manifestOf('double:1')).layers).toHaveLength(2);
  });

  test('of one layer in two forms has both', async () => {
    const store = temporaryStore();
    const files: Files = new Map();
    let level = 1;
    const compress = (tar: Buffer): Buffer => gzipSync(tar, { level: (level += 4) });
    const image = configOf([base, base]);
    finishLayout(files, [addOciImage(files, { layers: [base, base], config: image, compress })]);
    await loadImages(store, { path: asDirectory(files) });
    store.images.tag(digestOf(image), 'forms');
    await push(store, `${registry.host}/forms:1`, { image: 'forms' });
    expect(new Set((await manifestOf('forms:1')).layers.map(({ digest }) => digest)).size).toBe(2);
  });

  test('of what is not there says so', async () => {
    await expect(push(temporaryStore(), `${registry.host}/nothing:1`)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('with a damaged blob fails, and leaves no tag', async () => {
    const store = await storeWithLayout();
    const digest = store.images.manifests(digestOf(config))[0]?.layers[0]?.digest ?? digestOf('');
    const file = store.content.path(digest);
    execFileSync('sh', ['-c', 'printf X | dd of="$0" bs=1 seek=40 conv=notrunc 2>/dev/null', file]);
    await using fresh = await startRegistry();
    await expect(push(store, `${fresh.host}/damaged:1`, { image: 'layout' })).rejects.toMatchObject({
      code: 'integrity',
    });
    await expect(rawManifest(fresh, 'damaged:1')).rejects.toThrow();
  });

  test('to a registry that asks who is there', async () => {
    await using guarded = await startRegistry({ auth: 'htpasswd' });
    const store = await storeWithApp();
    const name = `${guarded.host}/guarded:1`;
    await expect(push(store, name, { image: 'app:1' })).rejects.toMatchObject({ code: 'permission' });
    const { digest } = await push(store, name, { image: 'app:1', as: guarded });
    expect(sha256(await rawManifest(guarded, 'guarded:1'))).toBe(digest);
  });

  test('with tokens, which the other repository of a mount needs, too', async () => {
    await using guarded = await startRegistry({ auth: 'token' });
    const store = await storeWithApp();
    await push(store, `${guarded.host}/one:1`, { image: 'app:1', as: guarded });
    const { phases } = await push(store, `${guarded.host}/two:1`, { image: 'app:1', as: guarded });
    expect(phases).toEqual(['mounted', 'mounted']);
  });

  test('that is stopped ends at once, and leaves nothing in the store', async () => {
    const store = await storeWithApp();
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    await using client = testClient();
    const onProgress = ({ phase }: TransferProgress): void => {
      if (phase === 'compressing') stop.abort(new Error('enough'));
    };
    const options = { image: 'app:1', onProgress, signal: stop.signal };
    const work = pushImage(store, client, parseTaggedName(`${registry.host}/stopped:1`), options);
    await expect(work).rejects.toThrow('enough');
    expect(store.check()).toEqual([]);
  });
});

describe.skipIf(gate.skip)(gate.title('what was pulled'), () => {
  let source: TestRegistry;
  let target: TestRegistry;
  beforeAll(async () => {
    source = await startRegistry();
    target = await startRegistry();
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
  });

  /** Takes an image from one registry and brings it to another one, under another name. */
  async function carry(name: string, platform?: Platform): Promise<Pushed> {
    const store = temporaryStore();
    await using client = testClient();
    const pulling = platform === undefined ? {} : { platform };
    await pullImage(store, client, parseReference(`${source.host}/${name}`), pulling);
    return await push(store, `${target.host}/carried/${name}`, { image: `${source.host}/${name}` });
  }

  test.each(['oci', 'docker'] as const)('is pushed byte for byte: %s', async (format) => {
    const image = await fill(source, `${format}:1`, { format });
    expect(await carry(`${format}:1`)).toMatchObject({
      digest: image.manifest.digest,
      mediaType: image.manifest.mediaType,
    });
    expect(await rawManifest(target, `carried/${format}:1`)).toBe(image.manifest.bytes.toString());
    for (const { digest } of [image.config, ...image.layers]) expect(sha256(storedBlob(target, digest))).toBe(digest);
  });

  test('is pushed byte for byte: one of an index', async () => {
    const images = {
      amd64: generateImage({ seed: 'a', architecture: 'amd64' }),
      s390x: generateImage({ seed: 'b', architecture: 's390x', format: 'docker' }),
    };
    const index = generateIndex(images);
    await fillWith(source, 'multi', { images: Object.values(images), blobs: [index], tags: { x: index } });
    const { digest } = await carry('multi:x', { os: 'linux', architecture: 's390x' });
    expect(digest).toBe(images.s390x.manifest.digest);
    expect(await rawManifest(target, 'carried/multi:x')).toBe(images.s390x.manifest.bytes.toString());
  });

  test('is mounted from where it was pulled', async () => {
    await fill(source, 'origin:1', { layers: 2, seed: 'mounted' });
    const store = temporaryStore();
    await using client = testClient();
    await pullImage(store, client, parseReference(`${source.host}/origin:1`));
    const { phases } = await push(store, `${source.host}/copy:1`, { image: `${source.host}/origin:1` });
    expect(phases).toEqual(['mounted', 'mounted']);
  });
});

describe.skipIf(gate.skip)(gate.title('a connection that is cut'), () => {
  test('does not hinder a push of layers of any kind', async () => {
    await using registry = await startRegistry();
    let left = 12;
    await using proxy = await startProxy(registry.url, ({ method, path: at }) => {
      if (!at.includes('/blobs/') || method === 'HEAD' || left <= 0) return undefined;
      left -= 1;
      return left % 3 === 0 ? { closeInsteadOfAnswer: true } : { cutRequestAfter: 1000 };
    });
    const noise = await layerOf({ noise: randomBytes(200_000).toString('base64') });
    const plain = temporaryStore();
    const files: Files = new Map();
    const layerType = MediaTypes.layer;
    const image = configOf([noise, base]);
    finishLayout(files, [
      addOciImage(files, { layers: [noise, base], config: image, compress: (tar) => tar, layerType }),
    ]);
    await loadImages(plain, { path: asDirectory(files) });
    plain.images.tag(digestOf(image), 'plain');
    await using client = testClient({ retry: { attempts: 20, delay: 1 } });
    const { digest } = await pushImage(plain, client, parseTaggedName(`${proxy.host}/plain:1`), { image: 'plain' });
    expect(digest).toBe(plain.images.manifests(digestOf(image))[0]?.digest);
    expect([noise, base].map((tar) => sha256(storedBlob(registry, digestOf(tar))))).toEqual(
      [noise, base].map(digestOf),
    );
    expect(left).toBe(0);
  });
});

describe('layers that are not passed on', () => {
  test('are left where their URLs say', async () => {
    const server = await uploadServer();
    const store = temporaryStore();
    const files: Files = new Map();
    const layerType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const document = addOciImage(files, { layers: [base, top], config, layerType }) as { digest: Digest };
    const at = `blobs/${document.digest.replace(':', '/')}`;
    const made = parseManifest(files.get(at) ?? Buffer.alloc(0));
    const urls = ['https://example.test/layer'];
    const manifest = { ...made, layers: made.layers.map((layer, index) => (index === 0 ? { ...layer, urls } : layer)) };
    files.delete(at);
    const bytes = Buffer.from(JSON.stringify(manifest));
    finishLayout(files, [blobOf(files, bytes, { mediaType: MediaTypes.manifest })]);
    await loadImages(store, { path: asDirectory(files) });
    store.images.tag(digestOf(config), 'foreign');
    const { digest, phases } = await push(store, `${server.host}/team/app:1`, { image: 'foreign' });
    expect(digest).toBe(digestOf(bytes));
    expect(phases.toSorted()).toEqual(['done', 'skipped']);
    const other = await push(store, `${server.host}/team/app:2`, { image: 'foreign', format: 'docker' });
    expect(other.phases.toSorted()).toEqual(['exists', 'skipped']);
    expect(JSON.parse(server.manifests.get('2')?.toString() ?? '')).toMatchObject({
      mediaType: MediaTypes.dockerManifest,
      layers: [{ mediaType: layerType, urls: ['https://example.test/layer'] }, { mediaType: layerType }],
    });
  });
});
