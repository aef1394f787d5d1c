// Manifests that are not what they are said to be, registries that answer HEAD badly, mirrors.

import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import type { Repository } from '../../../src/registry/index.js';
import { basicCredential, directConfig, testClient } from '../../helpers/registry/index.js';
import { answerJson, serve } from './serve.js';
import type { Handler, Served } from './serve.js';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const BYTES = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI }));
const DIGEST = digestOf(BYTES);

const gives =
  (headers: Record<string, string>, body: Uint8Array | string = BYTES): Handler =>
  (request, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(body), ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  };

async function from<T>(handler: Handler, act: (repository: Repository, server: Served) => Promise<T>): Promise<T> {
  await using server = await serve(handler);
  await using client = testClient();
  return await act(client.repository({ registry: server.host, repository: 'a' }), server);
}

describe('a manifest', () => {
  test.each([
    ['by the header', gives({ 'content-type': OCI })],
    ['with parameters', gives({ 'content-type': `${OCI}; charset=utf-8` })],
    ['by itself', gives({ 'content-type': 'application/json' })],
    ['without a header', gives({})],
  ])('has its media type %s', async (_how, handler) => {
    const { bytes, ...descriptor } = await from(handler, (it) => it.manifest('1'));
    expect(descriptor).toEqual({ digest: DIGEST, mediaType: OCI, size: BYTES.length });
    expect(bytes.equals(BYTES)).toBe(true);
  });

  const other = digestOf('other');

  test.each<[string, Handler, string, number | undefined, string]>([
    ['has another digest than was asked for', gives({ 'content-type': OCI }), other, undefined, 'sends another one'],
    [
      'has another digest than the header',
      gives({ 'docker-content-digest': other }),
      '1',
      undefined,
      'sends another one',
    ],
    [
      'has another size than is known',
      gives({ 'content-type': OCI }),
      '1',
      5,
      `sends ${String(BYTES.length)} bytes, not 5`,
    ],
    ['is of two kinds', gives({ 'content-type': INDEX }), '1', undefined, 'but it calls itself'],
  ])('that %s is refused', async (_what, handler, reference, size, message) => {
    const options = size === undefined ? {} : { size };
    await expect(from(handler, (it) => it.manifest(reference, options))).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(message) as unknown,
    });
  });

  test.each([
    ['an unknown kind', gives({}, '{}'), 'does not say what kind of manifest it sends'],
    ['a list', gives({}, '[]'), 'does not say what kind of manifest it sends'],
    ['text', gives({ 'content-type': OCI }, 'hello'), 'that is not JSON as a manifest'],
  ])('of %s is refused', async (_what, handler, message) => {
    await expect(from(handler, (it) => it.manifest('1'))).rejects.toThrow(message);
  });

  test('may be of a kind we know nothing of', async () => {
    const mediaType = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    const handler = gives({ 'content-type': mediaType }, '{"schemaVersion":1}');
    expect((await from(handler, (it) => it.manifest('1'))).mediaType).toBe(mediaType);
  });
});

describe('head', () => {
  const sound = { 'content-type': OCI, 'docker-content-digest': DIGEST };

  test('costs one request', async () => {
    await from(gives(sound), async (it, server) => {
      expect(await it.head('1')).toEqual({ digest: DIGEST, mediaType: OCI, size: BYTES.length });
      expect(server.requests.map(({ method }) => method)).toEqual(['HEAD']);
    });
  });

  test.each<[string, Handler]>([
    ['without a digest', gives({ 'content-type': OCI })],
    ['with a digest that is none', gives({ ...sound, 'docker-content-digest': 'sha256:x' })],
    ['without a type', gives({ 'docker-content-digest': DIGEST })],
    [
      'with HTTP 405',
      (request, r) => (request.method === 'HEAD' ? void r.writeHead(405).end() : gives(sound)(request, r)),
    ],
  ])('that is answered %s asks for the manifest', async (_how, handler) => {
    expect(await from(handler, (it) => it.head('1'))).toEqual({ digest: DIGEST, mediaType: OCI, size: BYTES.length });
  });

  test('of what is not there is undefined', async () => {
    expect(
      await from(
        (_, response) => void response.writeHead(404).end(),
        (it) => it.head('1'),
      ),
    ).toBeUndefined();
  });
});

describe('a mirror', () => {
  async function mirrored(
    handler: Handler,
    act: (it: Repository, mirror: Served, registry: Served) => Promise<void>,
  ): Promise<void> {
    await using mirror = await serve(handler);
    await using registry = await serve(gives({ 'content-type': OCI, 'docker-content-digest': DIGEST }));
    const [base] = directConfig().endpoints({ registry: registry.host, repository: 'a' }, {});
    const config = {
      endpoints: (_: unknown, { write }: { write?: boolean }) => {
        const credentialsOf = { registry: mirror.host, repository: 'cache/a', isSubstitute: true };
        const other = {
          ...base!,
          origin: mirror.host,
          prefix: '/hub',
          repository: 'cache/a',
          credentialsOf,
          isMirror: true,
        };
        return write === true ? [base!] : [other, base!];
      },
    };
    const own = basicCredential('me', 'open sesame');
    await using client = testClient({
      config,
      credentials: { find: ({ registry: name }) => Promise.resolve(name === registry.host ? own : undefined) },
    });
    await act(client.repository({ registry: registry.host, repository: 'a' }), mirror, registry);
  }

  test('is asked first, by its own path', async () => {
    await mirrored(gives({ 'content-type': OCI }), async (it, mirror, registry) => {
      expect((await it.manifest('1')).digest).toBe(DIGEST);
      expect(mirror.requests.map(({ path }) => path)).toEqual(['/hub/v2/cache/a/manifests/1']);
      expect(registry.requests).toEqual([]);
    });
  });

  test.each<[string, Handler]>([
    ['has nothing', (_, response) => void response.writeHead(404).end()],
    [
      'wants a password',
      (_, response) => void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    ],
    ['is not well', (_, response) => void response.writeHead(503).end()],
    ['hangs up', (_, response) => void response.destroy()],
    ['has something else', gives({ 'content-type': OCI, 'docker-content-digest': digestOf('other') })],
    ['is a web site', gives({ 'content-type': 'text/html' }, '<html>')],
  ])('that %s gives way at once', async (_what, handler) => {
    await mirrored(handler, async (it, mirror, registry) => {
      expect((await it.manifest('1')).digest).toBe(DIGEST);
      expect([mirror.requests.length, registry.requests.length]).toEqual([1, 1]);
      expect(mirror.sent('authorization')).toEqual([undefined]);
    });
  });

  test('is not believed that there is no such thing', async () => {
    await mirrored(
      (_, response) => void response.writeHead(404).end(),
      async (it) => {
        expect((await it.head('1'))?.digest).toBe(DIGEST);
      },
    );
  });

  test('is not asked for what is to be pushed, nor for tags', async () => {
    await mirrored(gives({}), async (it, mirror) => {
      await it.hasBlob(DIGEST);
      await it
        .tags()
        .next()
        .catch(() => undefined);
      expect(mirror.requests).toEqual([]);
    });
  });

  test('that does not answer is asked once', async () => {
    await mirrored(
      (_, response) => void response.destroy(),
      async (it, mirror, registry) => {
        for (const tag of ['1', '2', '3']) await it.manifest(tag);
        expect([mirror.requests.length, registry.requests.length]).toEqual([1, 3]);
      },
    );
  });

  test.each<[string, Handler]>([
    ['is cut off', (_, response) => void response.writeHead(200).write('x', () => response.destroy())],
    ['has another size', gives({}, 'something else')],
    ['is not there', (_, response) => void response.writeHead(404).end()],
  ])('whose blob %s gives way', async (_what, handler) => {
    await mirrored(handler, async (it, mirror, registry) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of it.blob({ digest: DIGEST, size: BYTES.length }).read()) chunks.push(chunk);
      expect(Buffer.concat(chunks).length).toBe(BYTES.length);
      expect([mirror.requests.length, registry.requests.length]).toEqual([1, 1]);
    });
  });

  test("is told of beside the registry's own failure", async () => {
    await using mirror = await serve((_, response) =>
      answerJson(response, { errors: [{ code: 'DENIED', message: 'no' }] }, 403),
    );
    await using registry = await serve((_, response) => void response.writeHead(404).end());
    const [base] = directConfig().endpoints({ registry: registry.host, repository: 'a' }, {});
    const config = { endpoints: () => [{ ...base!, origin: mirror.host, isMirror: true }, base!] };
    await using client = testClient({ config });
    await expect(client.repository({ registry: registry.host, repository: 'a' }).manifest('1')).rejects.toMatchObject({
      code: 'not-found',
      cause: new Error(`mirror ${mirror.host}: ${registry.host}/a:1: the registry says: denied: no`),
    });
  });
});
