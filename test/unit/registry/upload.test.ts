import { randomBytes } from 'node:crypto';
import { onTestFinished, describe, expect, test } from 'vitest';
import { VeneerError, digestOf } from '../../../src/core/index.js';
import type { ByteRange } from '../../../src/image/index.js';
import type { Repository, UploadSource } from '../../../src/registry/index.js';
import { testClient } from '../../helpers/registry/index.js';
import { uploadServer } from './upload-server.js';
import type { Knobs, UploadServer } from './upload-server.js';

const MiB = 1 << 20;
const content = randomBytes(3 * MiB);
const digest = digestOf(content);

/** Hands the content out in pieces of 64 KiB, and counts how often it is asked for. */
function sourceOf(bytes: Buffer): UploadSource & { reads: number; prepared: number } {
  const source = {
    digest: digestOf(bytes),
    size: bytes.length,
    reads: 0,
    prepared: 0,
    prepare: () => {
      source.prepared += 1;
      return Promise.resolve();
    },
    async *read({ offset = 0, length = bytes.length - offset }: Partial<ByteRange> = {}) {
      source.reads += 1;
      for (let at = offset; at < offset + length; at += 65536) {
        yield bytes.subarray(at, Math.min(at + 65536, offset + length));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
  return source;
}

function repositoryOf({ host }: UploadServer): Repository {
  const client = testClient({ retry: { attempts: 4, delay: 1 } });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return client.repository({ registry: host, repository: 'team/app' });
}

async function upload(knobs: Knobs, { bytes = content, from }: { bytes?: Buffer; from?: string } = {}) {
  const server = await uploadServer(knobs);
  const source = sourceOf(bytes);
  const outcome = await repositoryOf(server).upload(source, { from });
  return { server, source, outcome, stored: server.blobs.get(source.digest)?.equals(bytes) };
}

describe('an upload', () => {
  test('is one request, after the question whether it is needed, and keeps the query of the location', async () => {
    const { server, outcome, stored } = await upload({});
    expect([outcome, stored]).toEqual(['uploaded', true]);
    expect(server.lines).toEqual([
      'HEAD blobs/DIGEST',
      'POST blobs/uploads/',
      'PUT blobs/uploads/1?_state=a%2Bb%3D&at=0&digest=DIGEST',
    ]);
  });

  test('of what is there is that question alone', async () => {
    const server = await uploadServer();
    server.blobs.set(digest, content);
    const source = sourceOf(content);
    expect(await repositoryOf(server).upload(source)).toBe('exists');
    expect([source.prepared, source.reads, server.lines.length]).toEqual([0, 0, 1]);
  });

  test('of what is there with another size is done', async () => {
    const server = await uploadServer();
    server.blobs.set(digest, content.subarray(1));
    expect(await repositoryOf(server).upload(sourceOf(content))).toBe('uploaded');
  });

  test('of nothing is done, too', async () => {
    const { outcome, stored } = await upload({}, { bytes: Buffer.alloc(0) });
    expect([outcome, stored]).toEqual(['uploaded', true]);
  });

  test.each([
    ['relative to the request', () => '1?_state=x', true],
    ['absolute in path', (id: string) => `/v2/team/app/blobs/uploads/${id}?_state=x`, true],
    ['without a query, which this server does not take', (id: string) => `/v2/team/app/blobs/uploads/${id}`, false],
    ['no URL', () => 'http://[', false],
  ])('goes where it is sent: %s', async (_what, location, works) => {
    const work = upload({ location });
    if (works) expect((await work).stored).toBe(true);
    else await expect(work).rejects.toThrow();
  });
});

describe('a mount', () => {
  test('sends nothing', async () => {
    const { server, source, outcome } = await upload({ mount: 201 }, { from: 'team/base' });
    expect(outcome).toBe('mounted');
    expect([source.prepared, source.reads]).toEqual([0, 0]);
    expect(server.seen[1]?.path).toBe(
      `/v2/team/app/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=team%2Fbase`,
    );
  });

  test('that is answered with an upload begins that one', async () => {
    const { server, source, outcome, stored } = await upload({ mount: 202 }, { from: 'team/base' });
    expect([outcome, stored, source.prepared]).toEqual(['uploaded', true, 1]);
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test.each([403, 405] as const)('that is refused (%i) is an upload like any other', async (mount) => {
    const { server, outcome, stored } = await upload({ mount }, { from: 'team/base' });
    expect([outcome, stored]).toEqual(['uploaded', true]);
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(2);
  });
});

describe('an upload that is cut', () => {
  test('goes on from where the registry has got to', async () => {
    const { server, stored } = await upload({ cutAfter: MiB, cuts: 2, keeps: true });
    expect(stored).toBe(true);
    expect(server.lines.slice(2)).toEqual([
      'PUT blobs/uploads/1?_state=a%2Bb%3D&at=0&digest=DIGEST',
      'GET blobs/uploads/1?_state=a%2Bb%3D&at=0',
      `PATCH blobs/uploads/1?_state=a%2Bb%3D&at=${String(MiB)} ${String(MiB)}-${String(3 * MiB - 1)}`,
      `GET blobs/uploads/1?_state=a%2Bb%3D&at=${String(MiB)}`,
      `PATCH blobs/uploads/1?_state=a%2Bb%3D&at=${String(2 * MiB)} ${String(2 * MiB)}-${String(3 * MiB - 1)}`,
      `PUT blobs/uploads/1?_state=a%2Bb%3D&at=${String(3 * MiB)}&digest=DIGEST`,
    ]);
  });

  test('again and again comes to its end while there is progress', async () => {
    const { server, stored } = await upload({ cutAfter: 128 * 1024, keeps: true });
    expect(stored).toBe(true);
    expect(server.seen.filter(({ method }) => method === 'PATCH').length).toBeGreaterThan(10);
  });

  test('by a registry that forgets what was cut goes in chunks small enough to get through', async () => {
    const { stored } = await upload({ cutAfter: 300 * 1024, keeps: false });
    expect(stored).toBe(true);
  });

  test('before anything got through is given up after some attempts, as the last one failed', async () => {
    const work = upload({ cutAfter: 1, keeps: true });
    await expect(work).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/team\/app/) as unknown,
    });
  });

  test('in the middle of its chunks, and forgotten, begins anew', async () => {
    let lost = 2;
    const { server, stored } = await upload({
      maxBody: MiB,
      instead: ({ method, range }) =>
        (method === 'GET' || (method === 'PATCH' && range?.startsWith('0-') === false)) && lost-- > 0
          ? [404, '']
          : undefined,
    });
    expect(stored).toBe(true);
    const anew = server.seen.slice(server.seen.findLastIndex(({ method }) => method === 'POST'));
    expect(anew[1]?.range).toMatch(/^0-/);
  });

  test('after the last byte is not done again', async () => {
    const { server, stored } = await upload({ lostAnswers: 1 });
    expect(stored).toBe(true);
    expect(server.lines.slice(3)).toEqual(['GET blobs/uploads/1?_state=a%2Bb%3D&at=0', 'HEAD blobs/DIGEST']);
  });

  test('by its own source fails with what that one says', async () => {
    const server = await uploadServer();
    const source = sourceOf(content);
    const broken = {
      ...source,
      async *read() {
        yield content.subarray(0, MiB);
        await Promise.resolve();
        throw new Error('the disk is gone');
      },
    };
    await expect(repositoryOf(server).upload(broken)).rejects.toThrow('the disk is gone');
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('by the user ends at once', async () => {
    const server = await uploadServer();
    const stop = new AbortController();
    const source = sourceOf(content);
    const endless = {
      ...source,
      async *read() {
        yield content.subarray(0, MiB);
        setTimeout(() => stop.abort(new Error('enough')), 20);
        await new Promise(() => undefined);
      },
    };
    await expect(repositoryOf(server).upload(endless, { signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('chunks', () => {
  test('are as small as whoever is in front of the registry wants them', async () => {
    const { server, stored } = await upload({ maxBody: MiB });
    expect(stored).toBe(true);
    const sizes = server.seen.filter(({ method }) => method === 'PATCH').map(({ bytes }) => bytes);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MiB);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3 * MiB);
  });

  test('are at least what the registry wants', async () => {
    const { server, stored } = await upload({ maxBody: 2 * MiB, minChunk: 2 * MiB });
    expect(stored).toBe(true);
    const patches = server.seen.filter(({ method, bytes }) => method === 'PATCH' && bytes > 0);
    expect(patches.map(({ bytes }) => bytes)).toEqual([2 * MiB, MiB]);
  });

  test('too large at any size are given up, as the server words it', async () => {
    await expect(upload({ maxBody: 1000 })).rejects.toThrow(/HTTP 413/);
  });

  test('of which only a part was taken go on behind that part', async () => {
    const { server, stored } = await upload({ maxBody: MiB, taken: (size) => (size > 65536 ? size - 4096 : size) });
    expect(stored).toBe(true);
    const patches = server.seen.filter(({ method, bytes }) => method === 'PATCH' && bytes > 0);
    expect(patches[1]?.range).toMatch(new RegExp(`^${String((patches[0]?.bytes ?? 0) - 4096)}-`));
  });

  test('that bring nothing are not sent for ever', async () => {
    await expect(upload({ maxBody: MiB, taken: () => 10 })).rejects.toThrow('the registry has lost count of an upload');
  });

  test('at a wrong place (416) go on at the right one', async () => {
    let refusals = 1;
    const { stored } = await upload({
      maxBody: MiB,
      instead: ({ method, range }) =>
        method === 'PATCH' && range?.startsWith('0-') === false && refusals-- > 0 ? [416, ''] : undefined,
    });
    expect(stored).toBe(true);
  });

  test('refused for ever (416) are given up', async () => {
    const work = upload({ maxBody: MiB, instead: ({ method }) => (method === 'PATCH' ? [416, ''] : undefined) });
    await expect(work).rejects.toThrow(/HTTP 416/);
  });
});

test('what turns out to be damaged at its end is never whole in a registry', async () => {
  const server = await uploadServer({});
  const source = sourceOf(content);
  const damaged: UploadSource = {
    ...source,
    async *read(range) {
      yield* source.read(range);
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new VeneerError('integrity', 'it is damaged');
    },
  };
  await expect(repositoryOf(server).upload(damaged, {})).rejects.toMatchObject({ code: 'integrity' });
  expect([...server.blobs.keys()]).toEqual([]);
});

describe('a registry', () => {
  const denied = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });

  test('that stores something else is not believed', async () => {
    const work = upload({ storedAs: digestOf('other') });
    await expect(work).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('another digest') as unknown,
    });
  });

  test('that finds the content wrong is quoted', async () => {
    const source = sourceOf(content);
    const server = await uploadServer();
    const lying = { ...source, digest: digestOf('other') };
    await expect(repositoryOf(server).upload(lying)).rejects.toThrow('the registry says: digest invalid');
  });

  test.each([
    [405, 'unavailable', denied('UNSUPPORTED', 'The operation is unsupported.'), 'The operation is unsupported.'],
    [403, 'permission', denied('DENIED', 'this registry is read-only'), 'this registry is read-only'],
  ])('that takes nothing (%i) is quoted', async (status, code, body, words) => {
    const work = upload({ instead: ({ method }) => (method === 'POST' ? [status, body] : undefined) });
    await expect(work).rejects.toMatchObject({ code, message: expect.stringContaining(words) as unknown });
  });

  test('that answers everything with a page of its own is none', async () => {
    const server = await uploadServer({ instead: () => [200, '<html>Welcome to our hotel</html>'] });
    await expect(repositoryOf(server).upload(sourceOf(content))).rejects.toThrow(/HTTP 200/);
    const manifest = { bytes: Buffer.from('{}'), mediaType: 'application/json' };
    await expect(repositoryOf(server).putManifest('v1', manifest)).rejects.toThrow('answers HTTP 200, not 201');
  });

  test('that stays busy is asked so many times and no more', async () => {
    const server = await uploadServer({ instead: ({ method }) => (method === 'POST' ? [503, ''] : undefined) });
    await expect(repositoryOf(server).upload(sourceOf(content))).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(4);
  });

  test.each([
    ['file:///etc/passwd', "redirects to a 'file:' URL"],
    ['https://me:secret@r.example/', 'redirects to a URL with a password in it'],
    ['http://192.0.2.1/upload', 'redirects to 192.0.2.1 without TLS, which is refused'],
  ])('that wants the content at %s does not get it', async (location, message) => {
    await expect(upload({ location: () => location })).rejects.toThrow(message);
  });

  test('that is busy is asked again', async () => {
    let busy = 3;
    const { stored } = await upload({
      instead: ({ method }) => (method !== 'HEAD' && busy-- > 0 ? [503, ''] : undefined),
    });
    expect(stored).toBe(true);
  });
});

describe('a manifest', () => {
  const manifest = {
    bytes: Buffer.from('{"schemaVersion":2}'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
  };

  test('is stored under a tag with its media type', async () => {
    const server = await uploadServer({ instead: () => [201, ''] });
    expect(await repositoryOf(server).putManifest('v1', manifest)).toBe(digestOf(manifest.bytes));
    expect(server.lines).toEqual(['PUT manifests/v1']);
  });

  test('that is stored as something else is not believed', async () => {
    const server = await uploadServer({ storedAs: digestOf('other') });
    await expect(repositoryOf(server).putManifest('v1', manifest)).rejects.toMatchObject({ code: 'integrity' });
  });
});
