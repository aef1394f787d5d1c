import { expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import { MediaTypes, parseReference } from '../../../src/image/index.js';
import { parseTaggedName } from '../../../src/store/index.js';
import type { Lease, Store } from '../../../src/store/index.js';
import { addLayers, codeOf, diffIdOf, temporaryStore } from './fixture.js';

/** As a registry would give it: with fields and spaces of its own. */
function foreignConfig(contents: readonly string[]): Buffer {
  const rootfs = { type: 'layers', diff_ids: contents.map(diffIdOf) };
  return Buffer.from(JSON.stringify({ os: 'linux', rootfs, 'x-own': 1, architecture: 'amd64' }, null, 1));
}

interface Layers {
  readonly contents: readonly string[];
  readonly blobs: readonly Buffer[];
}

function foreignManifest(config: Buffer, blobs: readonly Buffer[], annotation = 'a'): Buffer {
  const descriptor = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: descriptor(config, MediaTypes.config),
      layers: blobs.map((bytes) => descriptor(bytes, MediaTypes.layerGzip)),
      annotations: { annotation },
    }),
  );
}

/** The layers' blobs as `load` puts them in. */
function addBlobs(store: Store, lease: Lease, blobs: readonly Buffer[]): Promise<unknown> {
  const source = async function* (bytes: Buffer): AsyncGenerator<Buffer> {
    yield await Promise.resolve(bytes);
  };
  return Promise.all(blobs.map((bytes) => store.content.ingest(source(bytes), lease)));
}

async function withManifest(store: Store, { contents, blobs }: Layers, name = 'debian') {
  using lease = store.lease();
  addLayers(store, contents, lease);
  await addBlobs(store, lease, blobs);
  const config = foreignConfig(contents);
  const bytes = foreignManifest(config, blobs);
  const digest = digestOf(bytes);
  const image = store.images.add(config, {
    names: [parseTaggedName(name)],
    manifest: { bytes, mediaType: MediaTypes.manifest },
    digestNames: [parseReference(`${name}@${digest}`)],
  });
  return { config, bytes, digest, image };
}

const two: Layers = { contents: ['one', 'two'], blobs: [Buffer.from('blob one'), Buffer.from('blob two')] };

test('an image is kept with the bytes of its configuration and of its manifest', async () => {
  const store = temporaryStore();
  const { config, bytes, digest, image } = await withManifest(store, two);
  expect(image.id).toBe(digestOf(config));
  expect(image.digests).toEqual([`docker.io/library/debian@${digest}`]);
  expect(store.images.configBytes(image.id)).toEqual(config);
  expect(store.images.manifestBytes(digest)).toEqual(bytes);
  const layers = two.blobs.map((blob) => ({ digest: digestOf(blob), size: blob.length }));
  expect(store.images.manifests(image.id)).toEqual([
    { digest, mediaType: MediaTypes.manifest, size: bytes.length, layers },
  ]);
  expect(store.prune().blobs).toEqual([]);
  expect(store.check()).toEqual([]);
  expect(store.images.list()).toEqual([image]);
});

test('of a layer that is not compressed no blob is needed: the layer store has it', async () => {
  const store = temporaryStore();
  const { image, digest } = await withManifest(store, {
    contents: two.contents,
    blobs: [Buffer.from('one'), Buffer.from('blob two')],
  });
  store.content.remove(digestOf('one'));
  expect(store.images.manifests(image.id)[0]?.layers).toEqual([{ digest: digestOf('blob two'), size: 8 }]);
  expect(store.check()).toEqual([]);
  store.images.remove('debian');
  expect(store.content.has(digest)).toBe(false);
  expect(store.content.list()).toEqual([]);
});

test('adding an image again gives it what is new, and changes nothing else', async () => {
  const store = temporaryStore();
  const { config, bytes, image } = await withManifest(store, two);
  const other = foreignManifest(config, two.blobs, 'b');
  const again = store.images.add(config, {
    names: [parseTaggedName('other')],
    manifest: { bytes: other, mediaType: MediaTypes.dockerManifest },
  });
  store.images.add(config, { manifest: { bytes, mediaType: MediaTypes.manifest } });
  expect(again.references).toEqual(['docker.io/library/debian:latest', 'docker.io/library/other:latest']);
  expect(again.added).toEqual(image.added);
  const digests = store.images.manifests(image.id).map((manifest) => manifest.digest);
  expect(new Set(digests)).toEqual(new Set([digestOf(bytes), digestOf(other)]));
  expect(store.check()).toEqual([]);
});

test('the last name takes the manifests with it and the blobs only they need', async () => {
  const store = temporaryStore();
  const shared = two.blobs[0] ?? Buffer.alloc(0);
  await withManifest(store, two, 'debian');
  const child = await withManifest(store, { contents: ['one'], blobs: [shared] }, 'child');
  expect(store.images.remove('debian').untagged).toHaveLength(2);
  expect(new Set(store.content.list())).toEqual(new Set([child.image.id, child.digest, digestOf(shared)]));
  expect(store.check()).toEqual([]);
  store.images.remove('child');
  expect(store.content.list()).toEqual([]);
});

test('a blob somebody holds stays', async () => {
  const store = temporaryStore();
  await withManifest(store, two);
  const lease = store.lease();
  await addBlobs(store, lease, two.blobs.slice(0, 1));
  store.images.remove('debian');
  expect(store.content.list()).toEqual(two.blobs.slice(0, 1).map((blob) => digestOf(blob)));
  lease.release();
  expect(store.prune().blobs).toHaveLength(1);
});

const refused: readonly { name: string; code: string; manifest: (config: Buffer) => Buffer }[] = [
  {
    name: 'of another configuration',
    code: 'integrity',
    manifest: () => foreignManifest(Buffer.from('{}'), two.blobs),
  },
  {
    name: 'with another number of layers',
    code: 'integrity',
    manifest: (config) => foreignManifest(config, two.blobs.slice(0, 1)),
  },
  {
    name: 'with a blob the store has not',
    code: 'not-found',
    manifest: (config) => foreignManifest(config, [...two.blobs.slice(0, 1), Buffer.from('none')]),
  },
  {
    name: 'with another size of a blob',
    code: 'integrity',
    manifest: (config) => Buffer.from(foreignManifest(config, two.blobs).toString().replaceAll('"size":8', '"size":9')),
  },
  { name: 'that is none', code: 'invalid', manifest: () => Buffer.from('{') },
];
test.each(refused)('should-fail: a manifest $name', async ({ code, manifest }) => {
  const store = temporaryStore();
  using lease = store.lease();
  addLayers(store, two.contents, lease);
  await addBlobs(store, lease, two.blobs);
  const config = foreignConfig(two.contents);
  const bytes = manifest(config);
  expect(codeOf(() => store.images.add(config, { manifest: { bytes, mediaType: MediaTypes.manifest } }))).toBe(code);
  expect(store.images.list()).toEqual([]);
  expect(store.content.has(digestOf(config))).toBe(false);
});

test('should-fail: a name by digest without a digest', () => {
  const store = temporaryStore();
  const digestNames = [parseReference('debian:12')];
  expect(codeOf(() => store.images.add(foreignConfig([]), { digestNames }))).toBe('invalid');
  expect(store.images.list()).toEqual([]);
});

test('an image is found by the digest of its manifest in a repository that has it', async () => {
  const store = temporaryStore();
  const { digest, image } = await withManifest(store, two);
  store.images.tag(image.id, 'other');
  for (const text of [`debian@${digest}`, `debian:any@${digest}`, `other@${digest}`, `other@${image.id}`]) {
    expect(store.images.resolve(text).id).toBe(image.id);
  }
  expect(codeOf(() => store.images.resolve(`none@${digest}`))).toBe('not-found');
  expect(codeOf(() => store.images.resolve(`debian@${digestOf('none')}`))).toBe('not-found');
});
