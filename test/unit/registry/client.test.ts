// The client against Debian's docker-registry.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, parseDigest } from '../../../src/core/index.js';
import type { Repository } from '../../../src/registry/index.js';
import { basicCredential, directConfig, fill, startRegistry, testClient } from '../../helpers/registry/index.js';
import type { GeneratedImage, TestRegistry } from '../../helpers/registry/index.js';
import { requires } from '../../helpers/requires.js';

const gate = requires('docker-registry', 'openssl', 'skopeo', 'setpriv');

const ABSENT = digestOf('absent');

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads a manifest and a layer. */
async function readsWell(repository: Repository, image: GeneratedImage): Promise<void> {
  const manifest = await repository.manifest('1');
  expect(manifest.bytes).toEqual(image.manifest.bytes);
  expect(manifest).toMatchObject({ digest: image.manifest.digest, mediaType: image.manifest.mediaType });
  const [layer] = image.layers;
  const { digest, bytes } = layer!;
  expect(await all(repository.blob({ digest: parseDigest(digest), size: bytes.length }).read())).toEqual(bytes);
}

describe.skipIf(gate.skip)(gate.title('a client of a registry'), () => {
  let registry: TestRegistry;
  let image: GeneratedImage;
  beforeAll(async () => {
    registry = await startRegistry();
    image = await fill(registry, 'team/image:1');
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test('reads manifests and blobs', async () => {
    await using client = testClient();
    await readsWell(client.repository({ registry: registry.host, repository: 'team/image' }), image);
  });

  test('reads a part of a blob', async () => {
    await using client = testClient();
    const { digest, bytes } = image.layers[0]!;
    const blob = client
      .repository({ registry: registry.host, repository: 'team/image' })
      .blob({ digest: parseDigest(digest), size: bytes.length });
    expect(await all(blob.read({ offset: 10, length: 20 }))).toEqual(bytes.subarray(10, 30));
    expect(await all(blob.read({ offset: bytes.length - 5 }))).toEqual(bytes.subarray(-5));
    expect(await all(blob.read({ offset: bytes.length }))).toEqual(Buffer.alloc(0));
    await expect(all(blob.read({ offset: 1, length: bytes.length }))).rejects.toMatchObject({ code: 'integrity' });
  });

  test('asks what is there', async () => {
    await using client = testClient();
    const repository = client.repository({ registry: registry.host, repository: 'team/image' });
    const { digest, mediaType, bytes } = image.manifest;
    const descriptor = { digest, mediaType, size: bytes.length };
    expect(await repository.head('1')).toEqual(descriptor);
    expect(await repository.head(digest)).toEqual(descriptor);
    expect(await repository.head('absent')).toBeUndefined();
    expect(await repository.hasBlob(parseDigest(image.config.digest))).toBe(image.config.bytes.length);
    expect(await repository.hasBlob(ABSENT)).toBeUndefined();
  });

  test('says what the registry says', async () => {
    await using client = testClient();
    const repository = client.repository({ registry: registry.host, repository: 'team/image' });
    await expect(repository.manifest('absent')).rejects.toMatchObject({
      code: 'not-found',
      message: `${registry.host}/team/image:absent: the registry says: manifest unknown`,
    });
    const blob = repository.blob({ digest: ABSENT, size: 5 });
    await expect(all(blob.read())).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/the registry says: blob unknown/) as unknown,
    });
  });

  test('lists tags and repositories', async () => {
    await using client = testClient();
    const repository = client.repository({ registry: registry.host, repository: 'team/image' });
    const names = async (list: AsyncIterable<string>): Promise<string[]> => {
      const found: string[] = [];
      for await (const name of list) found.push(name);
      return found;
    };
    expect(await names(repository.tags())).toEqual(['1']);
    expect(await names(client.catalog(registry.host))).toEqual(['team/image']);
    await expect(
      names(client.repository({ registry: registry.host, repository: 'absent' }).tags()),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  test('speaks TLS and trusts an authority it is told of', async () => {
    await using secure = await startRegistry({ tls: true });
    const content = await fill(secure, 'team/image:1');
    const name = { registry: secure.host, repository: 'team/image' };
    const ca = [readFileSync(secure.ca!, 'utf8')];
    await using trusting = testClient({ config: directConfig({ verify: true, ca }) });
    await readsWell(trusting.repository(name), content);
    await using strict = testClient({ config: directConfig({ verify: true }) });
    await expect(strict.repository(name).manifest('1')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('cannot be trusted') as unknown,
    });
    await using careless = testClient();
    await readsWell(careless.repository(name), content);
  });

  describe.each(['htpasswd', 'token'] as const)('with %s', (auth) => {
    let guarded: TestRegistry;
    let content: GeneratedImage;
    beforeAll(async () => {
      guarded = await startRegistry({ auth });
      content = await fill(guarded, 'team/image:1');
    });
    afterAll(() => guarded[Symbol.asyncDispose]());

    test('reads with a password', async () => {
      await using client = testClient({ credential: basicCredential(guarded.user, guarded.password) });
      await readsWell(client.repository({ registry: guarded.host, repository: 'team/image' }), content);
    });

    test('logs in, and says so if the password is wrong', async () => {
      await using client = testClient();
      await client.login(guarded.host, basicCredential(guarded.user, guarded.password));
      await expect(client.login(guarded.host, basicCredential(guarded.user, 'wrong'))).rejects.toMatchObject({
        code: 'permission',
        message: expect.stringContaining('does not take this user name and password') as unknown,
      });
    });

    test('says what is missing without one', async () => {
      await using client = testClient();
      const repository = client.repository({ registry: guarded.host, repository: 'team/image' });
      await expect(repository.manifest('1')).rejects.toMatchObject({
        code: 'permission',
        hint: `is the name right? If it is private, log in first: veneer login ${guarded.host}`,
      });
    });
  });
});
