import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Store, defaultRoot, isLeftover } from '../../../src/store/index.js';
import { addContainer, addImage, codeOf, temporaryDirectory, temporaryStore } from './fixture.js';

test('a new store is private and sound', () => {
  const store = temporaryStore();
  expect(statSync(store.root).mode & 0o777).toBe(0o700);
  expect(readdirSync(store.root).filter((name) => !name.includes('db'))).toEqual([
    'blobs',
    'containers',
    'empty',
    'frozen',
    'layers',
    'mountpoints',
    'reserve',
    'staging',
    'volumes',
  ]);
  expect(store.check()).toEqual([]);
});

test('a store is opened again, through a symlink, too', () => {
  const place = temporaryDirectory();
  const root = join(place, 'root');
  const image = addImage(temporaryStore(root), ['one'], 'debian');
  symlinkSync('root', join(place, 'link'));
  const again = temporaryStore(join(place, 'link'));
  expect(again.root).toBe(root);
  expect(again.images.get(image.id).references).toHaveLength(1);
});

test('should-fail: a file where the store should be', () => {
  const root = temporaryDirectory();
  writeFileSync(join(root, 'file'), '');
  expect(codeOf(() => Store.open(join(root, 'file')))).toBe('invalid');
  expect(codeOf(() => Store.open(join(root, 'file', 'below')))).toBe('invalid');
});

test('should-fail: a database that is none', () => {
  const root = temporaryDirectory();
  writeFileSync(join(root, 'veneer.db'), 'x'.repeat(8192));
  expect(codeOf(() => Store.open(root))).toBe('integrity');
});

test('should-fail: a store of a newer version', () => {
  const root = temporaryDirectory();
  const sql = new Sqlite(join(root, 'veneer.db'));
  sql.pragma('user_version = 999');
  sql.close();
  expect(codeOf(() => Store.open(root))).toBe('unsupported');
});

test('the default root', () => {
  expect(defaultRoot({ VENEER_ROOT: '/x' }, 0)).toBe('/x');
  expect(defaultRoot({ VENEER_ROOT: '', XDG_DATA_HOME: '/d' }, 0)).toBe('/var/lib/veneer');
  expect(defaultRoot({ HOME: '/h' }, 0, () => false)).toBe('/h/.local/share/veneer');
  expect(defaultRoot({ XDG_DATA_HOME: '/d', HOME: '/h' }, 1000)).toBe('/d/veneer');
  expect(defaultRoot({ XDG_DATA_HOME: 'd', HOME: '/h' }, 1000)).toBe('/h/.local/share/veneer');
  expect(codeOf(() => defaultRoot({}, 1000))).toBe('invalid');
});

test('check names every kind of leftover, and prune removes it', () => {
  const store = temporaryStore();
  addContainer(store, addImage(store, ['kept'], 'kept'), 'box');
  const place = (name: string): string => join(store.root, name);
  mkdirSync(place('staging/dead/sub'), { recursive: true });
  writeFileSync(place('staging/file'), '');
  mkdirSync(place(`layers/${'a'.repeat(64)}/diff`), { recursive: true });
  mkdirSync(place('layers/strange'));
  mkdirSync(place(`containers/${'b'.repeat(64)}`));
  writeFileSync(place(`blobs/sha256/${'c'.repeat(64)}`), '');
  const findings = store.check();
  expect(findings.map((finding) => [finding.kind, finding.object])).toEqual([
    ['layer-extra', 'a'.repeat(64)],
    ['layer-extra', 'strange'],
    ['blob-extra', 'c'.repeat(64)],
    ['container-extra', 'b'.repeat(64)],
    ['staging-leftover', 'dead'],
    ['staging-leftover', 'file'],
  ]);
  expect(findings.every(isLeftover)).toBe(true);
  const pruned = store.prune();
  expect(pruned.layers).toHaveLength(2);
  expect(pruned.staging).toEqual(['dead', 'file']);
  expect(store.check()).toEqual([]);
  expect(store.containers.list()).toHaveLength(1);
  expect(store.images.list()).toHaveLength(1);
});

test('prune leaves what a living process stages', () => {
  const store = temporaryStore();
  const staged = store.layers.stage();
  expect(temporaryStore(store.root).prune().staging).toEqual([]);
  expect(store.check()).toEqual([]);
  store.layers.discard(staged);
});
