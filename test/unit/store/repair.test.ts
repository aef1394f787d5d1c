import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { digestHex, digestOf } from '../../../src/core/index.js';
import { MediaTypes } from '../../../src/image/index.js';
import type { ChainId } from '../../../src/image/index.js';
import type { Image, Store } from '../../../src/store/index.js';
import { addContainer, addImage, addLayers, diffIdOf, temporaryStore } from './fixture.js';

/** A sound image beside the one that is damaged: it must be there in the end. */
function prepared() {
  const store = temporaryStore();
  const sound = addImage(store, ['one', 'kept'], 'kept');
  const image = addImage(store, ['one', 'two'], 'hurt');
  return { store, sound, image };
}

function expectRepaired(store: Store, sound: Image): void {
  expect(store.check()).toEqual([]);
  expect(store.images.get(sound.id)).toEqual(sound);
  expect(store.images.config(sound.id).rootfs.diff_ids).toHaveLength(2);
  expect(store.repair()).toMatchObject({ lost: [], remaining: [] });
}

function top(image: Image): ChainId {
  const id = image.layers.at(-1);
  if (id === undefined) throw new Error('a layer expected');
  return id;
}

test('a sound store is left as it is', () => {
  const { store, sound, image } = prepared();
  const nothing = { blobs: [], containers: [], frozen: [], layers: [], staging: [], volumes: [] };
  expect(store.repair()).toEqual({ lost: [], remaining: [], removed: nothing });
  expect(store.images.get(image.id)).toEqual(image);
  expectRepaired(store, sound);
});

test('an image that has lost a layer is forgotten, and what it shared stays', () => {
  const { store, sound, image } = prepared();
  rmSync(store.layers.path(top(image)), { recursive: true });
  expect(store.repair()).toMatchObject({
    lost: [
      {
        kind: 'image',
        object: image.id,
        message: expect.stringMatching(/\(hurt:latest\) is forgotten: layer \w+ of it is lost/) as string,
      },
    ],
    remaining: [],
  });
  expect(store.images.list()).toEqual([sound]);
  expectRepaired(store, sound);
});

test.each(['missing', 'damaged'])('an image whose configuration is %s is forgotten', (how) => {
  const { store, sound, image } = prepared();
  if (how === 'missing') rmSync(store.content.path(image.id));
  else writeFileSync(store.content.path(image.id), '{}');
  const { lost, remaining } = store.repair();
  expect(lost.map(({ message }) => message)).toEqual([expect.stringContaining('its configuration is lost')]);
  expect(remaining).toEqual([]);
  expect(store.content.has(image.id)).toBe(false);
  expectRepaired(store, sound);
});

test('an image a container needs is not forgotten, and neither is the container', () => {
  const { store, image } = prepared();
  const box = addContainer(store, image, 'box');
  rmSync(store.layers.path(top(image)), { recursive: true });
  const { lost, remaining } = store.repair();
  expect(lost).toEqual([]);
  expect(remaining).toMatchObject([{ kind: 'layer-missing', object: top(image) }]);
  expect(store.images.get(image.id)).toEqual(image);
  expect(store.containers.get(box).name).toBe('box');
});

test('a container without its directory stays, and is named', () => {
  const { store, image } = prepared();
  const box = addContainer(store, image, 'box');
  rmSync(store.containers.directory(box), { recursive: true });
  expect(store.repair().remaining).toMatchObject([{ kind: 'container-missing', object: box }]);
  expect(store.containers.list()).toHaveLength(1);
});

function withManifest(store: Store, image: Image) {
  const blobs = ['blob one', 'blob two'].map((text) => store.content.put(Buffer.from(text)));
  const config = store.images.configBytes(image.id);
  const descriptor = { mediaType: MediaTypes.config, digest: image.id, size: config.length };
  const layers = blobs.map((digest) => ({ mediaType: MediaTypes.layerGzip, digest, size: 8 }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: descriptor, layers }));
  store.images.add(config, { manifest: { bytes, mediaType: MediaTypes.manifest } });
  return { manifest: digestOf(bytes), blobs };
}

test.each(['missing', 'damaged'])('a manifest with a blob that is %s is forgotten, and its image stays', (how) => {
  const { store, sound, image } = prepared();
  const { manifest, blobs } = withManifest(store, image);
  const path = store.content.path(blobs[0] ?? manifest);
  if (how === 'missing') rmSync(path);
  else writeFileSync(path, 'blob');
  expect(store.check()).toMatchObject([{ kind: `blob-${how}`, object: blobs[0] }]);
  const { lost } = store.repair();
  expect(lost).toMatchObject([{ kind: 'manifest', object: manifest }]);
  expect(store.images.manifests(image.id)).toEqual([]);
  expect(new Set(store.content.list())).toEqual(new Set([sound.id, image.id]));
  expect(store.images.get(image.id)).toEqual(image);
  expectRepaired(store, sound);
});

test('a manifest that is lost itself is forgotten', () => {
  const { store, sound, image } = prepared();
  const { manifest } = withManifest(store, image);
  rmSync(store.content.path(manifest));
  expect(store.repair().lost).toMatchObject([{ kind: 'manifest', object: manifest }]);
  expectRepaired(store, sound);
});

test('a layer without its skeleton is named, and used as one of an old store from then on', () => {
  const { store, sound } = prepared();
  using lease = store.lease();
  const staged = store.layers.stage();
  writeFileSync(staged.record.skeleton, 'headers');
  const parent = sound.layers[0];
  const facts = { diffId: diffIdOf('three'), parent, size: 0, tarSize: 1024 };
  const { chainId } = store.layers.commit(staged, facts, lease);
  expect(store.check()).toEqual([]);
  rmSync(join(store.root, 'layers', digestHex(chainId), 'skeleton'));
  expect(store.check()).toMatchObject([{ kind: 'skeleton-missing', object: chainId }]);
  expect(store.repair().lost).toMatchObject([{ kind: 'skeleton', object: chainId }]);
  expect(store.layers.get(chainId).tarSize).toBeUndefined();
  expectRepaired(store, sound);
});

test('the configuration decides which layers an image has', () => {
  const { store, sound, image } = prepared();
  const sql = new Sqlite(join(store.root, 'veneer.db'));
  sql.prepare('DELETE FROM image_layers WHERE image = ? AND position = 1').run(image.id);
  sql.close();
  expect(store.check()).toMatchObject([{ kind: 'image-inconsistent' }, { kind: 'layer-unused' }].reverse());
  expect(store.repair()).toMatchObject({ lost: [], remaining: [] });
  expect(store.images.get(image.id)).toEqual(image);
  expectRepaired(store, sound);
});

test('leftovers go', () => {
  const { store, sound } = prepared();
  mkdirSync(join(store.root, 'staging/dead'));
  mkdirSync(join(store.root, 'layers/strange'));
  addLayers(store, ['unused']).at(0);
  store.content.put(Buffer.from('extra'));
  expect(store.repair().removed).toMatchObject({ staging: ['dead'], layers: ['strange'], blobs: [expect.any(String)] });
  expect(existsSync(join(store.root, 'layers/strange'))).toBe(false);
  expect(store.images.get(sound.id)).toEqual(sound);
});

async function* tarOf(store: Store, id: ChainId): AsyncGenerator<Buffer> {
  const { readFile } = await import('node:fs/promises');
  yield readFile(join(store.layers.path(id), 'file'));
}

test('a deep check reads blobs and layers', async () => {
  const { store, sound, image } = prepared();
  const { manifest, blobs } = withManifest(store, image);
  const progress: string[] = [];
  const deep = () =>
    store.checkDeep({
      layerTar: (id) => tarOf(store, id),
      onProgress: ({ done, total }) => progress.push(`${String(done)}/${String(total)}`),
    });
  expect(await deep()).toEqual([]);
  expect(progress.at(-1)).toBe('8/8');
  writeFileSync(store.content.path(blobs[1] ?? manifest), 'BLOB TWO');
  writeFileSync(join(store.layers.path(top(image)), 'file'), 'TWO');
  expect(store.check()).toEqual([]);
  const findings = await deep();
  expect(new Set(findings.map(({ kind, object }) => `${kind} ${object}`))).toEqual(
    new Set([`blob-damaged ${blobs[1] ?? ''}`, `layer-damaged ${top(image)}`]),
  );
  // A layer whose files were changed can still be mounted: that is for the owner to decide.
  expect(store.repair(findings).lost).toMatchObject([{ kind: 'manifest', object: manifest }]);
  expect(store.images.get(image.id)).toEqual(image);
  expectRepaired(store, sound);
});

test('a deep check ends with its signal', async () => {
  const { store } = prepared();
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(store.checkDeep({ layerTar: (id) => tarOf(store, id), signal })).rejects.toThrow('enough');
});
