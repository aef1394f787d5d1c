import { closeSync, fstatSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestHex, digestOf } from '../../../src/core/index.js';
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

/** A source that can start anywhere, fails at `failAt`, and remembers from where it was asked. */
function anywhere(content: string, failAt = Number.POSITIVE_INFINITY) {
  const asked: number[] = [];
  const open = async function* (offset: number): AsyncGenerator<Buffer> {
    asked.push(offset);
    for (let at = offset; at < content.length; at += 1) {
      await nextTick();
      if (at === failAt) throw new Error('connection lost');
      yield Buffer.from(content.charAt(at));
    }
  };
  return { open, asked };
}

const partialOf = (content: string): string => `partial.${digestHex(digestOf(content))}`;

test('a blob that was cut off is continued', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const expected = { digest: digestOf('abcdef'), size: 6 };
  for (const failAt of [2, 5]) {
    await expect(store.content.ingest(anywhere('abcdef', failAt).open, lease, expected)).rejects.toThrow(
      'connection lost',
    );
  }
  expect(store.check()).toMatchObject([{ kind: 'staging-leftover', object: partialOf('abcdef') }]);
  const rest = anywhere('abcdef');
  await store.content.ingest(rest.open, lease, expected);
  expect(rest.asked).toEqual([5]);
  expect(store.content.read(expected.digest).toString()).toBe('abcdef');
  expect(readdirSync(join(store.root, 'staging'))).toEqual([lease.name]);
});

test('one that lacks nothing but its place is not asked for again', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  writeFileSync(join(store.root, 'staging', partialOf('abc')), 'abc');
  const source = anywhere('abc');
  await store.content.ingest(source.open, lease, { digest: digestOf('abc'), size: 3 });
  expect(source.asked).toEqual([]);
  const again = anywhere('abc');
  await store.content.ingest(again.open, lease, { digest: digestOf('abc'), size: 3 });
  expect(again.asked).toEqual([]);
});

test.each(['xb', 'xbcde', 'abcde', 'xbc'])('what was left and lies (%s) is thrown away', async (left) => {
  const store = temporaryStore();
  using lease = store.lease();
  writeFileSync(join(store.root, 'staging', partialOf('abc')), left);
  const source = anywhere('abc');
  await store.content.ingest(source.open, lease, { digest: digestOf('abc'), size: 3 });
  expect(source.asked.at(-1)).toBe(0);
  expect(store.content.read(digestOf('abc')).toString()).toBe('abc');
});

test('should-fail: a source that lies is asked once more and leaves nothing', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  writeFileSync(join(store.root, 'staging', partialOf('abc')), 'a');
  const source = anywhere('abd');
  await expect(store.content.ingest(source.open, lease, { digest: digestOf('abc') })).rejects.toMatchObject({
    code: 'integrity',
  });
  expect(source.asked).toEqual([1, 0]);
  expect(readdirSync(join(store.root, 'staging'))).toEqual([lease.name]);
});

test('the second of two who take in one blob waits for the first', async () => {
  const store = temporaryStore();
  const other = temporaryStore(store.root);
  using lease = store.lease();
  using second = other.lease();
  const sources = [anywhere('abc'), anywhere('abc')] as const;
  const expected = { digest: digestOf('abc'), size: 3 };
  await Promise.all([
    store.content.ingest(sources[0].open, lease, expected),
    other.content.ingest(sources[1].open, second, expected),
  ]);
  expect(sources.flatMap(({ asked }) => asked)).toEqual([0]);
});

test('an abort ends the transfer and the waiting', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const abort = new AbortController();
  const expected = { digest: digestOf('abc'), signal: abort.signal };
  const forever = async function* (): AsyncGenerator<Buffer> {
    for (;;) {
      await nextTick();
      yield Buffer.from('x');
    }
  };
  const both = Promise.allSettled([
    store.content.ingest(forever, lease, expected),
    store.content.ingest(forever, lease, expected),
  ]);
  const reason = new Error('enough');
  abort.abort(reason);
  expect(await both).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
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
  }
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
