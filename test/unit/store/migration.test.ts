import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { digestHex, digestOf } from '../../../src/core/index.js';
import type { Digest } from '../../../src/core/index.js';
import { encodeImageConfig } from '../../../src/image/index.js';
import { Store } from '../../../src/store/index.js';
import { MIGRATIONS } from '../../../src/store/schema.js';
import { addImage, diffIdOf, temporaryDirectory } from './fixture.js';

/** A store as it was before layers had skeletons and images manifests: one image of one layer, and a container. */
function storeOfSchema1(): string {
  const root = join(temporaryDirectory(), 'root');
  const diffId = diffIdOf('one');
  for (const name of ['blobs/sha256', `layers/${digestHex(diffId)}/diff`, 'containers/c0ffee', 'staging', 'empty']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  const rootfs = { type: 'layers' as const, diff_ids: [diffId] };
  const config = encodeImageConfig({ architecture: 'amd64', os: 'linux', rootfs });
  const id = digestOf(config);
  writeFileSync(join(root, 'blobs/sha256', digestHex(id)), config);
  writeFileSync(join(root, 'layers', digestHex(diffId), 'diff/file'), 'one');
  const sql = new Sqlite(join(root, 'veneer.db'));
  sql.exec(MIGRATIONS[0] ?? '');
  sql.pragma('user_version = 1');
  sql.prepare('INSERT INTO layers VALUES (?, ?, NULL, 3, 1)').run(diffId, diffId);
  sql.prepare('INSERT INTO images VALUES (?, NULL, 1)').run(id);
  sql.prepare('INSERT INTO image_layers VALUES (?, 0, ?)').run(id, diffId);
  sql.prepare("INSERT INTO tags VALUES ('docker.io/library/old', 'latest', ?)").run(id);
  sql.prepare("INSERT INTO containers VALUES ('c0ffee', 'box', ?, 'old', 1, NULL, '{}', NULL)").run(id);
  sql.close();
  return root;
}

test('a store of schema 1 is opened, is sound, and goes on', async () => {
  const root = storeOfSchema1();
  using store = Store.open(root);
  expect(store.check()).toEqual([]);
  const image = store.images.resolve('old');
  expect(image).toMatchObject({
    size: 3,
    references: ['docker.io/library/old:latest'],
    digests: [],
    added: new Date(1),
  });
  expect(store.images.manifests(image.id)).toEqual([]);
  const [layer] = store.layers.list();
  expect(layer).toMatchObject({ chainId: diffIdOf('one'), tarSize: undefined });
  expect(store.layers.parts(diffIdOf('one') as never).skeleton).toBeUndefined();
  expect(store.containers.resolve('box').image).toBe(image.id);
  addImage(store, ['one', 'two'], 'new');
  expect(store.check()).toEqual([]);
  await store.containers.remove('c0ffee');
  expect(store.images.remove('old').deleted).toEqual([image.id]);
});

test('a layer of an old store gets the record of the same layer unpacked again', () => {
  using store = Store.open(storeOfSchema1());
  using lease = store.lease();
  const staged = store.layers.stage();
  writeFileSync(staged.record.skeleton, 'headers');
  mkdirSync(staged.record.replaced);
  writeFileSync(join(staged.record.replaced, '1'), 'content');
  const facts = { diffId: diffIdOf('one'), parent: undefined, size: 3, tarSize: 10240 };
  const layer = store.layers.commit(staged, facts, lease);
  expect(layer.tarSize).toBe(10240);
  const { skeleton, replaced, diff } = store.layers.parts(layer.chainId);
  expect(readFileSync(skeleton ?? '', 'utf8')).toBe('headers');
  expect(readFileSync(join(replaced, '1'), 'utf8')).toBe('content');
  expect(readFileSync(join(diff, 'file'), 'utf8')).toBe('one');
  expect(store.check()).toEqual([]);
});

test('a store of schema 2 keeps its manifests and learns what registries have', () => {
  const root = storeOfSchema1();
  const sql = new Sqlite(join(root, 'veneer.db'));
  sql.exec(MIGRATIONS[1] ?? '');
  sql.pragma('user_version = 2');
  const { id } = sql.prepare('SELECT id FROM images').get() as { id: Digest };
  sql.prepare("INSERT INTO digests VALUES ('docker.io/library/old', ?, ?)").run(id, id);
  sql.close();
  using store = Store.open(root);
  expect(store.check()).toEqual([]);
  expect(store.images.resolve('old').digests).toEqual([`docker.io/library/old@${id}`]);
  store.remotes.saw({ registry: 'docker.io', repository: 'library/old' }, [id]);
  expect(store.remotes.repositoriesWith('docker.io', id)).toEqual(['library/old']);
});
