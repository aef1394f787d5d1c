import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { digestHex, VeneerError } from '../../../src/core/index.js';
import { parsePlatform, parseReference } from '../../../src/image/index.js';
import type { Image, Store } from '../../../src/store/index.js';
import { pullAllTags, pullImage } from '../../../src/transfer/index.js';
import type { PullOptions } from '../../../src/transfer/index.js';
import { descriptor, generateImage, generateIndex, sha256 } from '../../helpers/registry/index.js';
import type { GeneratedBlob, GeneratedImage } from '../../helpers/registry/index.js';
import { temporaryStore } from '../store/fixture.js';
import { fakeRegistry, inPieces } from './fake-registry.js';
import type { FakeRegistry } from './fake-registry.js';

const NAME = 'r.test/app:latest';
const reference = parseReference(NAME);

function registryOf(image: GeneratedImage): FakeRegistry {
  return fakeRegistry({ images: [image], tags: { latest: image.manifest } });
}

const pull = (store: Store, { client }: FakeRegistry, options: PullOptions = {}, name = reference) =>
  pullImage(store, client, name, options);

/** Every file of the image, as its layers lie on each other. */
function filesOf(store: Store, image: Image): Record<string, string> {
  const files: Record<string, string> = {};
  for (const id of image.layers) {
    const root = store.layers.path(id);
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files[path.slice(root.length + 1)] = readFileSync(path, 'latin1');
    }
  }
  return files;
}

function layerAt({ layers }: GeneratedImage, index: number): GeneratedBlob {
  const layer = layers[index];
  if (layer === undefined) throw new Error('no such layer');
  return layer;
}

const expectedFiles = ({ files }: GeneratedImage): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, bytes.toString('latin1')]));

function expectNothing(store: Store): void {
  expect(store.images.list({ all: true })).toEqual([]);
  expect(store.layers.list()).toEqual([]);
  expect(readdirSync(join(store.root, 'layers'))).toEqual([]);
}

test('pulls an image, layers, manifest, names and all', async () => {
  const store = temporaryStore();
  const made = generateImage({ layers: 5 });
  const registry = registryOf(made);
  const { image, digest, isNew } = await pull(store, registry);
  expect(isNew).toBe(true);
  expect(digest).toBe(made.manifest.digest);
  expect(image).toMatchObject({
    id: made.config.digest,
    references: [NAME],
    digests: [`r.test/app@${made.manifest.digest}`],
  });
  expect(filesOf(store, image)).toEqual(expectedFiles(made));
  const [manifest] = store.images.manifests(image.id);
  expect(manifest?.mediaType).toBe(made.manifest.mediaType);
  expect(store.images.manifestBytes(digest).equals(made.manifest.bytes)).toBe(true);
  for (const layer of made.layers) expect(store.content.size(layer.digest)).toBe(layer.bytes.length);
  expect(store.check()).toEqual([]);
  expect(store.remotes.repositoriesWith('r.test', layerAt(made, 0).digest)).toEqual(['app']);
  // One manifest, then each blob once.
  expect(registry.asked).toHaveLength(2 + 5);
});

test('what is there costs one request by tag, and none by digest', async () => {
  const store = temporaryStore();
  const made = generateImage();
  const registry = registryOf(made);
  await pull(store, registry);
  registry.asked.length = 0;
  expect(await pull(store, registry)).toMatchObject({ isNew: false, digest: made.manifest.digest });
  expect(registry.asked).toEqual(['head latest']);
  registry.asked.length = 0;
  const byDigest = parseReference(`r.test/app:other@${made.manifest.digest}`);
  expect(await pull(store, registry, {}, byDigest)).toMatchObject({ isNew: false });
  expect(registry.asked).toEqual([]);
  expect(store.images.list()[0]?.references).toEqual([NAME]);
});

test('a digest gives no tag, and another tag of the same image is only given', async () => {
  const store = temporaryStore();
  const made = generateImage();
  const registry = fakeRegistry({ images: [made], tags: { latest: made.manifest, v1: made.manifest } });
  const byDigest = parseReference(`r.test/app@${made.manifest.digest}`);
  const { image, isNew } = await pull(store, registry, {}, byDigest);
  expect([isNew, image.references]).toEqual([true, []]);
  await pull(store, registry);
  registry.asked.length = 0;
  expect(await pull(store, registry, {}, parseReference('r.test/app:v1'))).toMatchObject({ isNew: true });
  expect(registry.asked.filter((line) => line.startsWith('blob'))).toEqual([]);
  expect(store.images.get(image.id).references).toEqual([NAME, 'r.test/app:v1']);
});

test('a tag that has moved brings the new image, and of that only what is missing', async () => {
  const store = temporaryStore();
  const [before, after] = [generateImage({ layers: 2 }), generateImage({ layers: 4 })];
  await pull(store, registryOf(before));
  const registry = registryOf(after);
  const { isNew, image } = await pull(store, registry);
  expect(isNew).toBe(true);
  expect(image.references).toEqual([NAME]);
  expect(store.images.get(before.config.digest).references).toEqual([]);
  expect(registry.asked.filter((line) => line.startsWith('blob'))).toEqual([
    `blob ${after.config.digest} 0`,
    ...after.layers.slice(2).map(({ digest }) => `blob ${digest} 0`),
  ]);
  expect(filesOf(store, image)).toEqual(expectedFiles(after));
});

test('of an index, the image for the platform', async () => {
  const store = temporaryStore();
  const images = { amd64: generateImage(), arm64: generateImage({ architecture: 'arm64', seed: 'arm' }) };
  const index = generateIndex(images);
  const registry = fakeRegistry({ images: Object.values(images), blobs: [index], tags: { latest: index } });
  const arm = await pull(store, registry, { platform: parsePlatform('arm64') });
  expect(arm).toMatchObject({ isNew: true, digest: index.digest });
  expect(arm.image.id).toBe(images.arm64.config.digest);
  expect(arm.image.digests).toEqual(
    [index.digest, images.arm64.manifest.digest].sort().map((it) => `r.test/app@${it}`),
  );
  // The same digest, and yet not what is asked for now.
  const amd = await pull(store, registry, { platform: parsePlatform('amd64') });
  expect(amd).toMatchObject({ isNew: true, digest: index.digest });
  expect(amd.image).toMatchObject({ id: images.amd64.config.digest, references: [NAME] });
  registry.asked.length = 0;
  expect(await pull(store, registry, { platform: parsePlatform('amd64') })).toMatchObject({ isNew: false });
  expect(registry.asked).toEqual(['head latest']);
  await expect(pull(store, registry, { platform: parsePlatform('s390x') })).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('linux/amd64') as string,
  });
});

test('a layer that is not compressed is not kept as a blob', async () => {
  const store = temporaryStore();
  const made = uncompressed(generateImage());
  const { image } = await pull(store, registryOf(made));
  expect(filesOf(store, image)).toEqual(expectedFiles(made));
  expect(store.content.list().sort()).toEqual([made.config.digest, made.manifest.digest].sort());
  expect(store.check()).toEqual([]);
});

test('the same layer twice is downloaded once', async () => {
  const store = temporaryStore();
  const made = withLayers(generateImage(), ([first, second]) => [first, second, first, first]);
  const registry = registryOf(made);
  const { image } = await pull(store, registry);
  expect(image.layers).toHaveLength(4);
  expect(registry.asked.filter((line) => line.startsWith('blob'))).toHaveLength(3);
  expect(store.check()).toEqual([]);
});

test('an image without layers', async () => {
  const store = temporaryStore();
  const { image } = await pull(store, registryOf(generateImage({ layers: 0 })));
  expect(image.layers).toEqual([]);
});

test('what was cut off is continued by the next attempt, and nothing is seen of it before', async () => {
  const store = temporaryStore();
  const made = generateImage({ layers: 4, size: 200_000 });
  const registry = registryOf(made);
  const second = layerAt(made, 1);
  registry.send = (digest, from, signal) =>
    digest === second.digest ? cut(second.bytes, { from, signal }) : undefined;
  await expect(pull(store, registry)).rejects.toMatchObject({
    code: 'unavailable',
    message: `r.test/app:latest: layer ${second.digest}: cut`,
  });
  expectNothing(store);
  expect(store.check().filter(({ kind }) => kind !== 'blob-extra' && kind !== 'staging-leftover')).toEqual([]);
  registry.asked.length = 0;
  registry.send = () => undefined;
  const { image } = await pull(store, registry);
  expect(registry.asked).toContain(`blob ${second.digest} 100000`);
  expect(filesOf(store, image)).toEqual(expectedFiles(made));
  expect(store.check()).toEqual([]);
});

test('what an earlier attempt has left and is damaged is fetched again, and unpacked again', async () => {
  const store = temporaryStore();
  const made = generateImage({ layers: 3, size: 200_000 });
  const registry = registryOf(made);
  for (const { digest, bytes } of made.layers) {
    const left = Buffer.from(bytes.subarray(0, 150_000));
    left.fill(0, 70_000, 80_000);
    writeFileSync(join(store.root, 'staging', `partial.${digestHex(digest)}`), left);
  }
  const { image } = await pull(store, registry);
  expect(filesOf(store, image)).toEqual(expectedFiles(made));
  expect(store.check()).toEqual([]);
  for (const { digest } of made.layers) {
    expect(registry.asked.filter((line) => line.includes(digest))).toEqual([
      `blob ${digest} 150000`,
      `blob ${digest} 0`,
    ]);
  }
});

const wrongBytes: readonly {
  readonly name: string;
  readonly damage: (bytes: Buffer) => Buffer;
  readonly says: RegExp;
}[] = [
  { name: 'another byte', damage: (bytes) => flipped(bytes), says: /content has digest/ },
  { name: 'too few', damage: (bytes) => bytes.subarray(0, -1), says: /not the announced/ },
  { name: 'too many', damage: (bytes) => Buffer.concat([bytes, bytes]), says: /more than the announced/ },
  { name: 'no layer at all', damage: ({ length }) => Buffer.alloc(length, 'x'), says: /content has digest/ },
];
test.each(wrongBytes)('should-fail: $name: nothing is kept of it', async ({ damage, says }) => {
  const store = temporaryStore();
  const made = generateImage({ layers: 3 });
  const registry = registryOf(made);
  const second = layerAt(made, 1);
  registry.send = (digest) => (digest === second.digest ? inPieces(damage(second.bytes)) : undefined);
  await expect(pull(store, registry)).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringMatching(
      new RegExp(`^r.test/app:latest: layer ${second.digest}: .*${says.source}`),
    ) as string,
  });
  expectNothing(store);
  expect(store.content.has(second.digest)).toBe(false);
  expect(readdirSync(join(store.root, 'staging')).filter((name) => name.includes(digestHex(second.digest)))).toEqual(
    [],
  );
});

test('should-fail: a layer that is what its digest says, but not what the configuration says', async () => {
  const store = temporaryStore();
  const made = withLayers(generateImage(), ([first]) => [first]);
  const other = generateImage({ seed: 'other', layers: 1 });
  const mixed = assemble(made, other.layers);
  await expect(pull(store, registryOf(mixed))).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringContaining('its configuration says') as string,
  });
  expectNothing(store);
});

test('should-fail: a layer of an unknown kind is refused before anything is downloaded', async () => {
  const store = temporaryStore();
  const made = generateImage();
  const encrypted = made.layers.map((layer) => ({ ...layer, mediaType: `${layer.mediaType}+encrypted` }));
  const registry = registryOf(assemble(made, encrypted));
  await expect(pull(store, registry)).rejects.toMatchObject({ code: 'unsupported' });
  expect(registry.asked.filter((line) => line.startsWith('blob'))).toHaveLength(1);
});

test('a layer of an image that came without its blobs gets them', async () => {
  const store = temporaryStore();
  const made = generateImage();
  const registry = registryOf(made);
  const { image } = await pull(store, registry);
  const layer = layerAt(made, 0);
  store.images.forgetManifest(made.manifest.digest);
  store.prune();
  expect(store.content.has(layer.digest)).toBe(false);
  registry.asked.length = 0;
  expect(await pull(store, registry)).toMatchObject({ isNew: false });
  expect(store.images.manifests(image.id)).toHaveLength(1);
  expect(store.content.has(layer.digest)).toBe(true);
  expect(store.check()).toEqual([]);
});

test('what is damaged in the store is fetched again where it is needed', async () => {
  const store = temporaryStore();
  const made = generateImage();
  const registry = registryOf(made);
  using lease = store.lease();
  for (const layer of made.layers) {
    await store.content.ingest(inPieces(layer.bytes), lease, { digest: layer.digest });
    writeFileSync(store.content.path(layer.digest), flipped(layer.bytes));
  }
  const { image } = await pull(store, registry);
  expect(filesOf(store, image)).toEqual(expectedFiles(made));
  for (const { digest, bytes } of made.layers) {
    expect(readFileSync(store.content.path(digest)).equals(bytes)).toBe(true);
  }
});

test('every tag, but for what is no image', async () => {
  const store = temporaryStore();
  const made = generateImage();
  const signature = artifactOf(made);
  const tags = { signed: signature.manifest, v1: made.manifest, v2: made.manifest };
  const { client } = fakeRegistry({ images: [made, signature], tags });
  const [begun, skipped]: string[][] = [[], []];
  const all = await pullAllTags(store, client, reference, {
    onPull: ({ tag }) => begun?.push(tag ?? ''),
    onSkipped: ({ tag }) => skipped?.push(tag ?? ''),
  });
  expect([begun, skipped]).toEqual([['signed', 'v1', 'v2'], ['signed']]);
  expect(all.map((pulled) => pulled.reference.tag)).toEqual(['v1', 'v2']);
  expect(store.images.list().map(({ references }) => references)).toEqual([['r.test/app:v1', 'r.test/app:v2']]);
});

test('two who pull one image share the work', async () => {
  const store = temporaryStore();
  const other = temporaryStore(store.root);
  const made = generateImage({ layers: 12, size: 300_000 });
  const registry = registryOf(made);
  const both = await Promise.all([pull(store, registry), pull(other, registry)]);
  expect(new Set(both.map(({ image }) => image.id))).toEqual(new Set([made.config.digest]));
  for (const { digest } of made.layers) expect(registry.asked.filter((line) => line.includes(digest))).toHaveLength(1);
  expect(store.check()).toEqual([]);
});

test('many layers give no warnings', async () => {
  const store = temporaryStore();
  const warnings: Error[] = [];
  const heard = (warning: Error): void => void warnings.push(warning);
  process.on('warning', heard);
  onTestFinished(() => void process.off('warning', heard));
  const controller = new AbortController();
  await pull(store, registryOf(generateImage({ layers: 40, size: 100 })), { signal: controller.signal });
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

test('an abort ends it with its reason, and keeps what has come', async () => {
  const store = temporaryStore();
  // More than is written at once.
  const made = generateImage({ layers: 2, size: 3_000_000 });
  const registry = registryOf(made);
  const abort = new AbortController();
  const reason = new Error('enough');
  const onProgress: PullOptions['onProgress'] = ({ phase, bytes }) => {
    if (phase === 'downloading' && bytes > 0) abort.abort(reason);
  };
  await expect(pull(store, registry, { signal: abort.signal, onProgress })).rejects.toBe(reason);
  expectNothing(store);
  expect(readdirSync(join(store.root, 'staging')).some((name) => name.startsWith('partial.'))).toBe(true);
  await pull(store, registry);
  expect(store.check()).toEqual([]);
});

test('each layer tells how far it is, in order', async () => {
  const store = temporaryStore();
  const made = generateImage({ layers: 2, size: 3_000_000 });
  const told = new Map<string, string[]>();
  const onProgress: PullOptions['onProgress'] = ({ layer, phase, bytes, total }) => {
    expect(bytes).toBeLessThanOrEqual(total ?? 0);
    const phases = told.get(layer) ?? [];
    told.set(layer, phases);
    if (phases.at(-1) !== phase) phases.push(phase);
  };
  const registry = registryOf(made);
  await pull(store, registry, { onProgress });
  for (const { digest } of made.layers) {
    const phases = told.get(digest) ?? [];
    expect(phases.filter((phase) => phase !== 'unpacking')).toEqual(['queued', 'downloading', 'verifying', 'done']);
  }
  const more = generateImage({ layers: 3, size: 3_000_000 });
  told.clear();
  await pull(store, registryOf(more), { onProgress });
  expect(told.get(made.layers[0]?.digest ?? '')).toEqual(['exists']);
});

type Layers = readonly GeneratedBlob[];

/** An image of other layers, under the same configuration where none is given. */
function assemble(
  image: GeneratedImage,
  layers: Layers,
  diffIds: GeneratedImage['diffIds'] = image.diffIds,
): GeneratedImage {
  const parse = ({ bytes }: GeneratedBlob): object => JSON.parse(bytes.toString()) as object;
  const encode = (of: GeneratedBlob, value: object): GeneratedBlob => {
    const bytes = Buffer.from(JSON.stringify(value));
    return { ...of, bytes, digest: sha256(bytes) };
  };
  const config = encode(image.config, {
    ...parse(image.config),
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [],
  });
  const described = layers.map(descriptor);
  const manifest = encode(image.manifest, { ...parse(image.manifest), config: descriptor(config), layers: described });
  return { ...image, config, layers, diffIds, manifest };
}

/** What is called an image and is none: a signature. */
function artifactOf(image: GeneratedImage): GeneratedImage {
  const mediaType = 'application/vnd.test.signature.v1+json';
  return assemble({ ...image, config: { ...image.config, mediaType } }, image.layers);
}

function uncompressed(image: GeneratedImage): GeneratedImage {
  const plain = image.layers.map(({ bytes }) => gunzipSync(bytes));
  const mediaType = 'application/vnd.oci.image.layer.v1.tar';
  return assemble(
    image,
    plain.map((bytes) => ({ bytes, mediaType, digest: sha256(bytes) })),
  );
}

function withLayers(image: GeneratedImage, choose: (all: number[]) => (number | undefined)[]): GeneratedImage {
  const chosen = choose(image.layers.map((_, index) => index)).filter((index) => index !== undefined);
  return assemble(
    image,
    chosen.flatMap((index) => image.layers[index] ?? []),
    chosen.flatMap((index) => image.diffIds[index] ?? []),
  );
}

interface Cut {
  readonly from: number;
  readonly signal: AbortSignal | undefined;
}

async function* cut(bytes: Buffer, { from, signal }: Cut): AsyncGenerator<Uint8Array, void> {
  for await (const piece of inPieces(bytes.subarray(from, 100_000))) {
    signal?.throwIfAborted();
    yield piece;
  }
  throw new VeneerError('unavailable', 'cut');
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[100] = (copy[100] ?? 0) ^ 1;
  return copy;
}
