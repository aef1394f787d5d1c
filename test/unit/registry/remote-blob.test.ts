// Blobs over connections that do not last, and from servers that send something else than was asked for.

import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import type { ByteRange } from '../../../src/image/index.js';
import type { Wait } from '../../../src/registry/index.js';
import { testClient } from '../../helpers/registry/index.js';
import { serve } from './serve.js';
import type { Handler, SeenRequest } from './serve.js';

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
const { length: SIZE } = CONTENT;

interface Asked {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

function askedFor({ headers }: SeenRequest): Asked | undefined {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  return start === undefined ? undefined : { start: Number(start), end: Number(last) + 1 };
}

/** As a registry answers: the part, or the whole. */
function head(
  response: ServerResponse,
  part: Asked | undefined,
  headers: Record<string, string | number> = {},
): Buffer {
  const { start, end } = part ?? { start: 0, end: SIZE };
  const range = part === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${SIZE}` };
  response.writeHead(part === undefined ? 200 : 206, { 'content-length': end - start, ...range, ...headers });
  return CONTENT.subarray(start, end);
}

const good: Handler = (request, response) => void response.end(head(response, askedFor(request)));

/** Gives so many bytes, then closes the connection. */
const cut =
  (bytes: number): Handler =>
  (request, response) =>
    void response.write(head(response, askedFor(request)).subarray(0, bytes), () => response.socket?.destroySoon());

interface Outcome {
  readonly bytes: Buffer;
  readonly ranges: (string | undefined)[];
  readonly waits: Wait[];
}

/** Reads a blob from a server that handles the nth request by the nth handler, and all after by the last. */
async function read(handlers: readonly Handler[], range?: ByteRange, attempts = 3): Promise<Outcome> {
  let nth = 0;
  await using server = await serve((request, response) => handlers[Math.min((nth += 1), handlers.length) - 1]!(request, response)); // prettier-ignore
  const waits: Wait[] = [];
  await using client = testClient({ retry: { attempts, delay: 1 }, onWait: (wait) => waits.push(wait), timeouts: { idle: 80 } }); // prettier-ignore
  const blob = client
    .repository({ registry: server.host, repository: 'a' })
    .blob({ digest: digestOf(CONTENT), size: SIZE });
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of blob.read(range)) chunks.push(chunk);
  } catch (error) {
    throw Object.assign(error as Error, { got: Buffer.concat(chunks).length, requests: server.requests.length });
  }
  return { bytes: Buffer.concat(chunks), ranges: server.sent('range'), waits };
}

const same = (bytes: Buffer, expected: Buffer): void => expect(bytes.equals(expected)).toBe(true);

describe('a blob', () => {
  test('is asked for as a whole', async () => {
    const { bytes, ranges } = await read([good]);
    same(bytes, CONTENT);
    expect(ranges).toEqual([undefined]);
  });

  test('is taken up where the connection was cut', async () => {
    const { bytes, ranges, waits } = await read([cut(100_000), cut(50_000), good]);
    same(bytes, CONTENT);
    const end = String(SIZE - 1);
    expect(ranges).toEqual([undefined, `bytes=100000-${end}`, `bytes=150000-${end}`]);
    // Who gets on does not wait.
    expect(waits).toEqual([]);
  });

  test('may be cut any number of times as long as it gets on', async () => {
    const { bytes, ranges } = await read([cut(6000)]);
    same(bytes, CONTENT);
    expect(ranges).toHaveLength(SIZE / 6000);
  });

  test('that does not get on is given up', async () => {
    await expect(read([cut(5000), cut(100)])).rejects.toMatchObject({ code: 'unavailable', got: 5300, requests: 4 });
  });

  test('that the registry cannot give now is asked for so many times and no more', async () => {
    const busy: Handler = (_, response) => void response.writeHead(503).end();
    await expect(read([busy])).rejects.toMatchObject({ code: 'unavailable', requests: 3 });
    await expect(read([cut(5000), busy])).rejects.toMatchObject({ code: 'unavailable', requests: 4 });
  });

  test('that stops coming is taken up, too', async () => {
    const { bytes } = await read([(request, response) => void response.write(head(response, askedFor(request)).subarray(0, 2000)), good]); // prettier-ignore
    same(bytes, CONTENT);
  });

  test('that ends early without an error is taken up', async () => {
    const short: Handler = (_, response) => void response.writeHead(200).end(CONTENT.subarray(0, 2000));
    same((await read([short, good])).bytes, CONTENT);
  });

  test.each([
    [{ offset: 100, length: 50 }, 'bytes=100-149'],
    [{ offset: 0, length: 50 }, 'bytes=0-49'],
    [{ offset: SIZE - 1 }, `bytes=${String(SIZE - 1)}-${String(SIZE - 1)}`],
    [{ offset: 0 }, undefined],
  ])('is asked for the part %j', async (range: ByteRange, header) => {
    const { offset, length = SIZE - offset } = range;
    const { bytes, ranges } = await read([good], range);
    same(bytes, CONTENT.subarray(offset, offset + length));
    expect(ranges).toEqual([header]);
  });

  test('is asked for nothing if nothing is wanted of it', async () => {
    expect((await read([good], { offset: 5, length: 0 })).ranges).toEqual([]);
    expect((await read([good], { offset: SIZE })).ranges).toEqual([]);
  });

  test('ends with its signal', async () => {
    const abort = new AbortController();
    await using server = await serve((request, response) => void response.write(head(response, askedFor(request)).subarray(0, 10))); // prettier-ignore
    await using client = testClient();
    const blob = client
      .repository({ registry: server.host, repository: 'a' })
      .blob({ digest: digestOf(''), size: SIZE });
    const reading = (async () => {
      for await (const _ of blob.read(undefined, { signal: abort.signal })) abort.abort(new Error('stop'));
    })();
    await expect(reading).rejects.toThrow('stop');
  });

  test('nobody reads to its end is not sent to its end', async () => {
    let closed: Promise<void> | undefined;
    await using server = await serve((_, response) => {
      closed = new Promise((resolve) => response.once('close', resolve));
      response.writeHead(200, { 'content-length': 1e12 });
      const more = (): void => {
        while (!response.destroyed && response.write(CONTENT));
      };
      response.on('drain', more);
      more();
    });
    await using client = testClient();
    const blob = client
      .repository({ registry: server.host, repository: 'a' })
      .blob({ digest: digestOf(''), size: 1e12 });
    for await (const chunk of blob.read()) if (chunk.length > 0) break;
    await closed;
  });
});

describe('a server that knows no ranges', () => {
  const whole: Handler = (_, response) => void response.end(head(response, undefined));

  test('is read over', async () => {
    same((await read([cut(100_000), whole])).bytes, CONTENT);
    same((await read([whole], { offset: 70_000, length: 1000 })).bytes, CONTENT.subarray(70_000, 71_000));
  });

  test('is not read beyond the part', async () => {
    const endless: Handler = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(CONTENT));
      };
      response.on('drain', more);
      more();
    };
    same((await read([endless], { offset: 10, length: 100 })).bytes, CONTENT.subarray(10, 110));
  });

  test('and cuts again and again before there is anything new is given up', async () => {
    const cutWhole: Handler = (_, response) =>
      void response.write(head(response, undefined).subarray(0, 60_000), () => response.socket?.destroySoon());
    await expect(read([cutWhole])).rejects.toMatchObject({ code: 'unavailable', got: 60_000, requests: 4 });
  });

  test('and says so is asked for the whole', async () => {
    const refusing: Handler = (request, response) =>
      askedFor(request) === undefined ? whole(request, response) : void response.writeHead(416).end();
    const { bytes, ranges } = await read([cut(100_000), refusing]);
    same(bytes, CONTENT);
    expect(ranges).toEqual([undefined, `bytes=100000-${String(SIZE - 1)}`, undefined]);
  });
});

describe('a server that lies', () => {
  test.each<[string, Handler, string]>([
    [
      'announces less',
      (_, r) => void r.writeHead(200, { 'content-length': 5 }).end('12345'),
      `the registry has 5 bytes of it, not ${String(SIZE)}`,
    ],
    [
      'announces more',
      (_, r) => void r.writeHead(200, { 'content-length': SIZE + 1 }).end(),
      `the registry has ${String(SIZE + 1)} bytes of it, not ${String(SIZE)}`,
    ],
    [
      'sends more',
      (_, r) => void r.writeHead(200).end(Buffer.alloc(SIZE + 1)),
      'the registry sends more than it has announced',
    ],
  ])('%s', async (_what, handler, message) => {
    await expect(read([handler])).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(`blob ${digestOf(CONTENT)}: ${message}`) as unknown,
      requests: 1,
    });
  });

  test.each<[string, string | undefined, string]>([
    ['another start', `bytes 99-199/${String(SIZE)}`, 'another part'],
    ['another end', `bytes 100-200/${String(SIZE)}`, 'another part'],
    ['another size', 'bytes 100-199/1000', 'has 1000 bytes of it'],
    ['no range', undefined, 'another part'],
    ['nonsense', 'bytes */5', 'another part'],
  ])('sends %s', async (_what, range, message) => {
    const lying: Handler = (_, response) =>
      void response
        .writeHead(206, range === undefined ? {} : { 'content-range': range })
        .end(CONTENT.subarray(100, 200));
    await expect(read([lying], { offset: 100, length: 100 })).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(message) as unknown,
    });
  });

  test('sends more than the part', async () => {
    const lying: Handler = (_, response) =>
      void response
        .writeHead(206, { 'content-range': `bytes 100-199/${String(SIZE)}` })
        .end(CONTENT.subarray(100, 300));
    await expect(read([lying], { offset: 100, length: 100 })).rejects.toMatchObject({ code: 'integrity' });
  });

  test('does not end', async () => {
    const endless: Handler = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(CONTENT));
      };
      response.on('drain', more);
      more();
    };
    await expect(read([endless])).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('sends more than it has announced') as unknown,
    });
  });

  test('has no bytes where it says it has', async () => {
    await expect(read([cut(100_000), (_, response) => void response.writeHead(416).end()])).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('cannot be had') as unknown,
    });
  });
});
