import { readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestHex, digestOf, VeneerError } from '../../../src/core/index.js';
import type { BlobReader } from '../../../src/image/index.js';
import type { Arrival, Store } from '../../../src/store/index.js';
import { temporaryStore } from './fixture.js';

interface Remote extends BlobReader {
  /** The offsets it was asked for. */
  readonly asked: number[];
}

interface RemoteOptions {
  /** What it sends, if that is something else than it announces. */
  readonly sends?: string;
  readonly failAt?: number;
  /** Waited for before the byte at an offset is sent. */
  readonly gate?: (offset: number) => Promise<unknown> | undefined;
}

/** A blob somewhere else, sent byte by byte. */
function remote(content: string, options: RemoteOptions = {}): Remote {
  const { sends = content, failAt = Number.POSITIVE_INFINITY, gate } = options;
  const asked: number[] = [];
  async function* read(range = { offset: 0 }, { signal }: { signal?: AbortSignal | undefined } = {}) {
    asked.push(range.offset);
    for (let at = range.offset; at < sends.length; at += 1) {
      await (gate?.(at) ?? nextTurn());
      signal?.throwIfAborted();
      if (at === failAt) throw new VeneerError('unavailable', 'connection lost');
      yield Buffer.from(sends.charAt(at));
    }
  }
  return { digest: digestOf(content), size: content.length, read, asked };
}

async function textOf(arrival: Arrival): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of arrival.stream()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const partialOf = (content: string): string => `partial.${digestHex(digestOf(content))}`;
const staged = (store: Store): string[] => readdirSync(join(store.root, 'staging'));
const leave = (store: Store, content: string, left: string): void =>
  writeFileSync(join(store.root, 'staging', partialOf(content)), left);
/** Open files in the store, as the kernel names them. */
const openFiles = (store: Store): string[] =>
  readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter((path) => path.startsWith(join(store.root, 'staging')) || path.startsWith(join(store.root, 'blobs')));

test('what arrives is there, and can be read', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const seen: number[] = [];
  const arrival = store.content.receive(remote('abc'), lease, { onProgress: (bytes) => seen.push(bytes) });
  expect(await textOf(arrival)).toBe('abc');
  expect(await arrival.done).toEqual({ digest: digestOf('abc'), size: 3 });
  expect(store.content.read(digestOf('abc')).toString()).toBe('abc');
  expect(await textOf(arrival)).toBe('abc');
  expect(seen.at(-1)).toBe(3);
  expect(staged(store)).toEqual([lease.name]);
  expect(store.prune().blobs).toEqual([]);
  expect(openFiles(store)).toEqual([join(store.root, 'staging', lease.name)]);
});

test('what has come can be read before the rest has', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const arrival = store.content.receive(remote('abcdef', { gate: (at) => (at === 3 ? gate : undefined) }), lease);
  const stream = arrival.stream();
  let read = '';
  while (read.length < 3) read += (await stream.next()).value?.toString() ?? '';
  expect(read).toBe('abc');
  expect(arrival.isComplete).toBe(false);
  open();
  for await (const chunk of stream) read += chunk.toString();
  expect(read).toBe('abcdef');
  await arrival.done;
});

test('it comes in without a reader, and past one that takes its time', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const content = 'x'.repeat(50_000);
  const once: BlobReader = {
    digest: digestOf(content),
    size: content.length,
    read: async function* () {
      await nextTurn();
      yield Buffer.from(content);
    },
  };
  const arrival = store.content.receive(once, lease);
  const slow = arrival.stream();
  await slow.next();
  await arrival.done;
  await slow.return();
  expect(openFiles(store)).toHaveLength(1);
});

test('an empty blob asks for nothing', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const source = remote('');
  const arrival = store.content.receive(source, lease);
  expect(await textOf(arrival)).toBe('');
  await arrival.done;
  expect(source.asked).toEqual([]);
  expect(store.content.size(digestOf(''))).toBe(0);
});

test('a blob that was cut off is continued, and read from its start', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  for (const failAt of [2, 5]) {
    const { done } = store.content.receive(remote('abcdef', { failAt }), lease);
    await expect(done).rejects.toThrow('connection lost');
  }
  expect(store.check()).toMatchObject([{ kind: 'staging-leftover', object: partialOf('abcdef') }]);
  const rest = remote('abcdef');
  const arrival = store.content.receive(rest, lease);
  expect(await textOf(arrival)).toBe('abcdef');
  await arrival.done;
  expect(rest.asked).toEqual([5]);
  expect(arrival.restarts).toBe(0);
  expect(staged(store)).toEqual([lease.name]);
});

test('what lacks nothing but its place is not asked for again', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  leave(store, 'abc', 'abc');
  for (const source of [remote('abc'), remote('abc')]) {
    const arrival = store.content.receive(source, lease);
    expect(await textOf(arrival)).toBe('abc');
    await arrival.done;
    expect(source.asked).toEqual([]);
  }
});

test.each(['xb', 'xbcde', 'abcde', 'xbc'])('what was left and lies (%s) is thrown away', async (left) => {
  const store = temporaryStore();
  using lease = store.lease();
  leave(store, 'abc', left);
  const source = remote('abc');
  const { done } = store.content.receive(source, lease);
  await done;
  expect(source.asked.at(-1)).toBe(0);
  expect(store.content.read(digestOf('abc')).toString()).toBe('abc');
});

test('who has read what was left and lies is told', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  leave(store, 'abcdef', 'xb');
  const arrival = store.content.receive(remote('abcdef'), lease);
  const stream = arrival.stream();
  expect((await stream.next()).value?.toString()).toBe('xb');
  await arrival.done;
  await expect(stream.next()).rejects.toMatchObject({ name: 'ArrivalRestarted' });
  expect(arrival.restarts).toBe(1);
  expect(await textOf(arrival)).toBe('abcdef');
  expect(openFiles(store)).toHaveLength(1);
});

const wrong = [
  { name: 'another digest', sends: 'abd' },
  { name: 'too few bytes', sends: 'ab' },
  { name: 'too many bytes', sends: 'abcd' },
];
test.each(wrong)('should-fail: $name leaves nothing, and readers are told', async ({ sends }) => {
  const store = temporaryStore();
  using lease = store.lease();
  const arrival = store.content.receive(remote('abc', { sends }), lease);
  await expect(textOf(arrival).then(() => arrival.done)).rejects.toMatchObject({ code: 'integrity' });
  await expect(arrival.done).rejects.toMatchObject({ code: 'integrity' });
  expect(store.content.list()).toEqual([]);
  expect(staged(store)).toEqual([lease.name]);
});

test('should-fail: a source that lies is asked once more and leaves nothing', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  leave(store, 'abc', 'a');
  const source = remote('abc', { sends: 'abd' });
  await expect(store.content.receive(source, lease).done).rejects.toMatchObject({ code: 'integrity' });
  expect(source.asked).toEqual([1, 0]);
  expect(staged(store)).toEqual([lease.name]);
});

test('should-fail: an endless source is read to the announced size and one chunk', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  let sent = 0;
  const endless: BlobReader = {
    digest: digestOf('x'),
    size: 25,
    read: async function* () {
      for (;;) {
        sent += 1;
        await nextTurn();
        yield Buffer.alloc(10);
      }
    },
  };
  await expect(store.content.receive(endless, lease).done).rejects.toMatchObject({ code: 'integrity' });
  expect(sent).toBe(3);
});

test('a blob of another size in its place is replaced', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  await store.content.receive(remote('abc'), lease).done;
  writeFileSync(store.content.path(digestOf('abc')), 'a');
  const source = remote('abc');
  await store.content.receive(source, lease).done;
  expect(source.asked).toEqual([0]);
  expect(store.content.read(digestOf('abc')).toString()).toBe('abc');
});

test('a damaged blob in its place is replaced', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  await store.content.receive(remote('abc'), lease).done;
  writeFileSync(store.content.path(digestOf('abc')), 'xbc');
  const source = remote('abc');
  const arrival = store.content.receive(source, lease);
  // What a reader makes of it counts when the arrival is done and has not begun again.
  const early = await textOf(arrival).catch((error: unknown) => (error as Error).name);
  expect(['xbc', 'ArrivalRestarted']).toContain(early);
  await arrival.done;
  expect([source.asked, arrival.restarts]).toEqual([[0], 1]);
  expect(await textOf(arrival)).toBe('abc');
  expect(store.content.read(digestOf('abc')).toString()).toBe('abc');
  expect(openFiles(store)).toHaveLength(1);
});

test('the second of two who want one blob waits for the first, and does not ask', async () => {
  const store = temporaryStore();
  const other = temporaryStore(store.root);
  using lease = store.lease();
  using second = other.lease();
  const sources = [remote('abc'), remote('abc')] as const;
  let waited = 0;
  const onWait = (): void => void (waited += 1);
  const arrivals = [
    store.content.receive(sources[0], lease, { onWait }),
    other.content.receive(sources[1], second, { onWait }),
  ];
  expect(await Promise.all(arrivals.map(textOf))).toEqual(['abc', 'abc']);
  await Promise.all(arrivals.map(({ done }) => done));
  expect(sources.flatMap(({ asked }) => asked)).toEqual([0]);
  expect(waited).toBe(1);
});

test('the second goes on where the first has failed', async () => {
  const store = temporaryStore();
  const other = temporaryStore(store.root);
  using lease = store.lease();
  using second = other.lease();
  const sources = [remote('abcdef', { failAt: 4 }), remote('abcdef')] as const;
  const [first, next] = [store.content.receive(sources[0], lease), other.content.receive(sources[1], second)];
  await expect(first.done).rejects.toThrow('connection lost');
  expect(await textOf(next)).toBe('abcdef');
  expect(sources[1].asked).toEqual([4]);
  await next.done;
});

test('who waits for another process takes no turn meanwhile', async () => {
  const store = temporaryStore();
  const other = temporaryStore(store.root);
  using lease = store.lease();
  using second = other.lease();
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = store.content.receive(remote('abc', { gate: () => gate }), lease);
  let turns = 0;
  const turn = (): Promise<Disposable> => {
    turns += 1;
    return Promise.resolve({ [Symbol.dispose]: () => void (turns -= 1) });
  };
  let onWait: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => (onWait = resolve));
  const next = other.content.receive(remote('abc'), second, { turn, onWait });
  await waiting;
  expect(turns).toBe(0);
  open();
  await Promise.all([first.done, next.done]);
  expect(turns).toBe(0);
});

test('an abort ends the transfer and the waiting, and keeps what has come', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const abort = new AbortController();
  const { signal } = abort;
  const stuck = remote('abc', {
    gate: (at) =>
      at < 2
        ? undefined
        : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  });
  const arrivals = [
    store.content.receive(stuck, lease, { signal }),
    store.content.receive(remote('abc'), lease, { signal }),
  ];
  const texts = arrivals.map(textOf);
  for (const text of texts) text.catch(() => undefined);
  while (arrivals[0]?.isComplete !== true && !staged(store).some((name) => sizeOf(store, name) === 2)) await nextTurn();
  const reason = new VeneerError('integrity', 'another layer is wrong');
  abort.abort(reason);
  for (const { done } of arrivals) await expect(done).rejects.toBe(reason);
  for (const text of texts) await expect(text).rejects.toBe(reason);
  expect(staged(store).sort()).toEqual([lease.name, partialOf('abc')].sort());
  expect(store.check()).toMatchObject([{ kind: 'staging-leftover' }]);
  expect(openFiles(store)).toHaveLength(1);
});

function sizeOf(store: Store, name: string): number | undefined {
  return statSync(join(store.root, 'staging', name), { throwIfNoEntry: false })?.size;
}

test('a reader that gives up leaves the arrival alone', async () => {
  const store = temporaryStore();
  using lease = store.lease();
  const arrival = store.content.receive(remote('abcdef'), lease);
  const reason = new Error('enough');
  await expect(arrival.stream(AbortSignal.abort(reason)).next()).rejects.toBe(reason);
  for await (const _chunk of arrival.stream()) break;
  await arrival.done;
  expect(openFiles(store)).toHaveLength(1);
});
