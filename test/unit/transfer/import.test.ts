import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostPlatform } from '../../../src/image/index.js';
import { importRootfs } from '../../../src/transfer/index.js';
import { temporaryDirectory, temporaryStore } from '../store/fixture.js';

const created = new Date('2026-02-03T04:05:06Z');

function makeTar(...options: string[]): string {
  const root = temporaryDirectory();
  const tree = join(root, 'tree');
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc', 'hosts'), '127.0.0.1 localhost\n', { mode: 0o640 });
  symlinkSync('etc/hosts', join(tree, 'link'));
  const tar = join(root, 'rootfs.tar');
  execFileSync('tar', ['-C', tree, ...options, '-cf', tar, '.']);
  return tar;
}

test('a tar becomes an image of one layer', async () => {
  const store = temporaryStore();
  const tar = makeTar();
  const progress: number[] = [];
  const image = await importRootfs(
    store,
    { path: tar },
    { reference: 'mine:1', created, onProgress: ({ bytes }) => progress.push(bytes) },
  );
  const diffId = `sha256:${createHash('sha256').update(readFileSync(tar)).digest('hex')}`;
  expect(store.images.config(image.id)).toEqual({
    created: '2026-02-03T04:05:06.000Z',
    ...hostPlatform(),
    config: {},
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: '2026-02-03T04:05:06.000Z', comment: 'Imported from rootfs.tar' }],
  });
  expect(image.references).toEqual(['docker.io/library/mine:1']);
  expect(image.size).toBe(20);
  expect(progress.at(-1)).toBe(lstatSync(tar).size);
  const [directory = ''] = store.layers.paths(image.layers);
  expect(lstatSync(join(directory, 'etc', 'hosts')).mode & 0o777).toBe(0o640);
  expect(lstatSync(join(directory, 'link')).isSymbolicLink()).toBe(true);
  expect(store.check()).toEqual([]);
});

test('compressed, or from a stream, it is the same layer, and with one date the same image', async () => {
  const store = temporaryStore();
  const tar = makeTar();
  const first = await importRootfs(store, { path: tar }, { created, message: 'm' });
  const stream = createReadStream(tar);
  const second = await importRootfs(store, { stream }, { created, message: 'm' });
  execFileSync('gzip', ['-n', tar]);
  const third = await importRootfs(store, { path: `${tar}.gz` }, { created, message: 'm' });
  const fourth = await importRootfs(store, { path: `${tar}.gz` }, { created: new Date(0), message: 'm' });
  expect([second.id, third.id]).toEqual([first.id, first.id]);
  expect(fourth.id).not.toBe(first.id);
  expect(fourth.layers).toEqual(first.layers);
  expect(readdirSync(join(store.root, 'layers'))).toHaveLength(1);
  expect(store.check()).toEqual([]);
});

test('a stream is called - in the history', async () => {
  const store = temporaryStore();
  const image = await importRootfs(store, { stream: createReadStream(makeTar()) });
  expect(store.images.config(image.id).history?.[0]?.comment).toBe('Imported from -');
});

test('changes are in the configuration', async () => {
  const store = temporaryStore();
  const changes = ['CMD ["sh"]', 'ENV A=b'];
  const image = await importRootfs(store, { path: makeTar() }, { changes, message: 'hand made' });
  expect(store.images.config(image.id)).toMatchObject({
    config: { Cmd: ['sh'], Env: ['A=b'] },
    history: [{ comment: 'hand made' }],
  });
});

const refused = [
  { name: 'a malformed name', options: { reference: 'Mine' }, message: /is not an image name/ },
  { name: 'a name with a digest', options: { reference: `x@sha256:${'0'.repeat(64)}` }, message: /cannot be given/ },
  { name: 'an unknown change', options: { changes: ['COPY a b'] }, message: /COPY/ },
];
test.each(refused)('should-fail: $name, before anything is read', async ({ options, message }) => {
  const store = temporaryStore();
  const stream = (async function* never() {
    await Promise.reject(new Error('the stream was read'));
    yield Buffer.alloc(0);
  })();
  await expect(importRootfs(store, { stream }, options)).rejects.toThrow(message);
});

async function expectNothingLeft(source: Parameters<typeof importRootfs>[1], error: object): Promise<void> {
  const store = temporaryStore();
  await expect(importRootfs(store, source)).rejects.toMatchObject(error);
  for (const place of ['layers', 'staging', 'blobs/sha256']) expect(readdirSync(join(store.root, place))).toEqual([]);
  expect(store.check()).toEqual([]);
}

test('should-fail: a missing file', async () => {
  await expectNothingLeft({ path: '/no/such.tar' }, { code: 'not-found' });
});

test('should-fail: a directory', async () => {
  await expectNothingLeft({ path: '/etc' }, { code: 'invalid', hint: expect.stringContaining('tar -C') as string });
});

test('should-fail: a truncated tar leaves nothing behind', async () => {
  const tar = makeTar();
  truncateSync(tar, 1500);
  await expectNothingLeft(
    { path: tar },
    { code: 'integrity', message: expect.stringMatching(/^cannot import 'rootfs.tar': /) as string },
  );
});

test('should-fail: something that is no tar', async () => {
  const tar = makeTar();
  writeFileSync(tar, 'x'.repeat(10_000));
  await expectNothingLeft({ path: tar }, { code: 'integrity' });
});

test('should-fail: a stream that breaks', async () => {
  const stream = (async function* broken() {
    yield readFileSync(makeTar()).subarray(0, 1024);
    await Promise.reject(new Error('connection lost'));
  })();
  await expectNothingLeft({ stream }, { message: 'connection lost' });
});
