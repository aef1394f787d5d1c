import Sqlite from 'better-sqlite3';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import type { Digest } from '../../../src/core/index.js';
import type { Store } from '../../../src/store/index.js';
import { addImage, diffIdOf, temporaryStore } from './fixture.js';

const hub = { registry: 'docker.io', repository: 'library/debian' };
const packed = { digest: digestOf('packed'), size: 6 };

/** The rows of a table, past the store. */
function count(store: Store, table: 'known_blobs' | 'packed_layers'): number {
  const sql = new Sqlite(join(store.root, 'veneer.db'));
  try {
    return sql.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? -1;
  } finally {
    sql.close();
  }
}

describe('where blobs have been seen', () => {
  const one = digestOf('one');

  test('is told by registry, the repository seen last first', async () => {
    const store = temporaryStore();
    store.remotes.saw(hub, [one, digestOf('two')]);
    store.remotes.saw({ registry: 'docker.io', repository: 'me/a' }, [one]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    store.remotes.saw(hub, [one]);
    store.remotes.saw({ registry: 'docker.io.example', repository: 'me/b' }, [one]);
    expect(store.remotes.repositoriesWith('docker.io', one)).toEqual(['library/debian', 'me/a']);
    expect(store.remotes.repositoriesWith('docker.io.example', one)).toEqual(['me/b']);
    expect(store.remotes.repositoriesWith('docker', one)).toEqual([]);
  });

  test('is forgotten one by one', () => {
    const store = temporaryStore();
    store.remotes.saw(hub, [one, digestOf('two')]);
    store.remotes.missed(hub, one);
    expect(store.remotes.repositoriesWith('docker.io', one)).toEqual([]);
    expect(store.remotes.repositoriesWith('docker.io', digestOf('two'))).toEqual(['library/debian']);
  });
});

describe('what layers were compressed to', () => {
  test('is told by method, the last one counts', () => {
    const { remotes } = temporaryStore();
    expect(remotes.packed(diffIdOf('one'), 'gzip')).toBeUndefined();
    remotes.rememberPacked(diffIdOf('one'), 'gzip', { digest: digestOf('before'), size: 1 });
    remotes.rememberPacked(diffIdOf('one'), 'gzip', packed);
    expect(remotes.packed(diffIdOf('one'), 'gzip')).toEqual(packed);
    expect(remotes.packed(diffIdOf('one'), 'zstd')).toBeUndefined();
  });
});

describe('hints', () => {
  /** Two images that share a layer, and hints about all of it. */
  function storeWithHints(): { store: Store; ids: Digest[] } {
    const store = temporaryStore();
    const ids = [addImage(store, ['base', 'one'], 'one').id, addImage(store, ['base', 'two'], 'two').id];
    store.remotes.rememberPacked(diffIdOf('one'), 'gzip', packed);
    store.remotes.rememberPacked(diffIdOf('base'), 'gzip', { digest: digestOf('packed base'), size: 11 });
    const digests = [...ids, packed.digest, digestOf('packed base'), diffIdOf('two') as unknown as Digest];
    store.remotes.saw(hub, digests);
    return { store, ids };
  }

  test('go with the image they were about', () => {
    const { store, ids } = storeWithHints();
    store.images.remove('one');
    expect(store.remotes.packed(diffIdOf('one'), 'gzip')).toBeUndefined();
    expect(store.remotes.packed(diffIdOf('base'), 'gzip')).toBeDefined();
    const where = [...ids, packed.digest].map((digest) => store.remotes.repositoriesWith('docker.io', digest).length);
    expect(where).toEqual([0, 1, 0]);
    store.images.remove('two');
    expect([count(store, 'known_blobs'), count(store, 'packed_layers')]).toEqual([0, 0]);
  });

  test('about nothing go when the store is pruned', () => {
    const { store } = storeWithHints();
    store.remotes.saw(hub, [digestOf('never here')]);
    store.remotes.rememberPacked(diffIdOf('never here'), 'zstd', packed);
    store.prune();
    expect([count(store, 'known_blobs'), count(store, 'packed_layers')]).toEqual([5, 2]);
    expect(store.check()).toEqual([]);
  });
});
