import { closeSync, fstatSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import { codeOf, temporaryStore } from './fixture.js';

async function* chunks(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    await nextTick();
    yield Buffer.from(part);
  }
}

test('takes in a stream and gives it back', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const blob = await store.content.ingest(chunks('ab', 'c'), lease, { digest: digestOf('abc'), size: 3 });
  expect(blob).toEqual({ digest: digestOf('abc'), size: 3 });
  expect(store.content.size(blob.digest)).toBe(3);
  expect(store.content.read(blob.digest).toString()).toBe('abc');
  const read: Buffer[] = [];
  for await (const chunk of store.content.stream(blob.digest)) read.push(chunk);
  expect(Buffer.concat(read).toString()).toBe('abc');
});

test('the same content twice is one blob', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  await Promise.all([1, 2, 3].map(() => store.content.ingest(chunks('abc'), lease)));
  store.content.put(Buffer.from('abc'));
  expect(store.content.list()).toEqual([digestOf('abc')]);
});

const rejected = [
  { name: 'a wrong digest', expected: { digest: digestOf('abd') } },
  { name: 'too few bytes', expected: { size: 4 } },
  { name: 'too many bytes', expected: { size: 2 } },
];
test.each(rejected)('should-fail: $name leaves nothing behind', async ({ expected }) => {
  const store = temporaryStore();
  using lease = store.lease();
  await expect(store.content.ingest(chunks('ab', 'c'), lease, expected)).rejects.toMatchObject({ code: 'integrity' });
  expect(store.content.list()).toEqual([]);
  expect(readdirSync(join(store.root, 'staging'))).toEqual([lease.name]);
});

test('reads no further than the announced size', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  let sent = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      sent += 1;
      await nextTick();
      yield Buffer.alloc(10);
    }
  }
  await expect(store.content.ingest(endless(), lease, { size: 25 })).rejects.toMatchObject({ code: 'integrity' });
  expect(sent).toBe(3);
});

test('a source that fails leaves nothing behind', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  async function* broken(): AsyncGenerator<Buffer> {
    await nextTick();
    yield Buffer.alloc(10);
    throw new Error('connection lost');
  }
  await expect(store.content.ingest(broken(), lease)).rejects.toThrow('connection lost');
  expect(readdirSync(join(store.root, 'staging'))).toEqual([lease.name]);
});

test('damaged and missing blobs are told apart', async () => {
  const store = temporaryStore();
  const digest = store.content.put(Buffer.from('abc'));
  writeFileSync(store.content.path(digest), 'abd');
  expect(codeOf(() => store.content.read(digest))).toBe('integrity');
  await expect(
    store.content
      .stream(digest)
      .next()
      .then(() => store.content.stream(digest).next()),
  ).resolves.toBeDefined();
  const drain = async (): Promise<void> => {
    for await (const chunk of store.content.stream(digest)) expect(chunk.length).toBe(3);
  };
  await expect(drain()).rejects.toMatchObject({ code: 'integrity' });
  store.content.remove(digest);
  store.content.remove(digest);
  expect(codeOf(() => store.content.read(digest))).toBe('not-found');
  expect(codeOf(() => store.content.size(digest))).toBe('not-found');
  await expect(drain()).rejects.toMatchObject({ code: 'not-found' });
});

test('a part of a blob', async () => {
  const store = temporaryStore();
  const digest = store.content.put(Buffer.from('abcdef'));
  const parts = [
    [{ offset: 2 }, 'cdef'],
    [{ offset: 0, length: 2 }, 'ab'],
    [{ offset: 4, length: 9 }, 'ef'],
    [{ offset: 1, length: 0 }, ''],
    [{ offset: 7 }, ''],
  ] as const;
  for (const [range, content] of parts) {
    expect(store.content.read(digest, range).toString()).toBe(content);
    const read: Buffer[] = [];
    for await (const chunk of store.content.stream(digest, range)) read.push(chunk);
    expect(Buffer.concat(read).toString()).toBe(content);
    const served: Uint8Array[] = [];
    for await (const chunk of store.content.reader(digest).read(range)) served.push(chunk);
    expect(Buffer.concat(served).toString()).toBe(content);
  }
});

test('a stored blob is a reader like any other', async () => {
  const store = temporaryStore();
  const digest = store.content.put(Buffer.from('abcdef'));
  const reader = store.content.reader(digest);
  expect(reader).toMatchObject({ digest, size: 6 });
  const reason = new Error('enough');
  const drain = async (): Promise<void> => {
    for await (const chunk of reader.read(undefined, { signal: AbortSignal.abort(reason) }))
      expect(chunk).toBeDefined();
  };
  await expect(drain()).rejects.toBe(reason);
  expect(codeOf(() => store.content.reader(digestOf('none')))).toBe('not-found');
});

test.each(['abd', 'ab'])('a document takes the place of a damaged one (%s)', (damaged) => {
  const store = temporaryStore();
  const digest = store.content.put(Buffer.from('abc'));
  writeFileSync(store.content.path(digest), damaged);
  store.content.put(Buffer.from('abc'));
  expect(store.content.read(digest).toString()).toBe('abc');
});

test('a document has a size limit', () => {
  const store = temporaryStore();
  const digest = store.content.put(Buffer.alloc(9 * 1024 * 1024));
  expect(codeOf(() => store.content.read(digest))).toBe('limit');
});

test('a blob that is there can be leased instead of taken in again', async () => {
  const store = temporaryStore();
  const lease = store.lease();
  const { digest } = await store.content.ingest(chunks('abc'), lease);
  using other = store.lease();
  expect(store.content.reuse(digest, other)).toBe(true);
  expect(store.content.reuse(digestOf('none'), other)).toBe(false);
  lease.release();
  expect(store.prune().blobs).toEqual([]);
  other.release();
  expect(store.prune().blobs).toHaveLength(1);
});

test('a scratch file has no name and leaves nothing', () => {
  const store = temporaryStore();
  const fd = store.scratchFile();
  writeSync(fd, 'x');
  expect(readdirSync(join(store.root, 'staging'))).toEqual([]);
  expect(fstatSync(fd).nlink).toBe(0);
  closeSync(fd);
});
