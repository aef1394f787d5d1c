// Several processes pull at the same time: what one fetches, the others use.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillWith, generateImage, startProxy, startRegistry } from '../helpers/registry/index.js';
import type { GeneratedBlob, ProxiedRequest, TestRegistry } from '../helpers/registry/index.js';
import { needs, PullBox } from './registry-fixture.js';

const KIB = 1024;
const one = generateImage({ layers: 4, size: 256 * KIB });
const isBlob = ({ method, path: target }: ProxiedRequest): boolean => method === 'GET' && target.includes('/blobs/');
/** Slow enough that all of them are there before the first is done. */
const slowly = (request: ProxiedRequest): { slow: { bytes: number; milliseconds: number } } | undefined =>
  isBlob(request) ? { slow: { bytes: 16 * KIB, milliseconds: 20 } } : undefined;

describe.skipIf(needs.skip)(needs.title('processes that pull at the same time'), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    await fillWith(registry, 'team/app', { images: [one], tags: { 1: one.manifest, 2: one.manifest } });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const pull = (host: string, tag = '1'): string[] => ['pull', '-q', '--retry-delay', '1ms', `${host}/team/app:${tag}`];
  test('fetch and unpack each layer once', async () => {
    await using proxy = await startProxy(registry.url, slowly);
    using box = new PullBox();
    await box.ok(['images', '-q']);
    const results = await Promise.all([1, 2, 3].map(() => box.run(pull(proxy.host))));
    for (const result of results) {
      expect(result).toEqual({ code: 0, stdout: `${proxy.host}/team/app:1\n`, stderr: '' });
    }
    box.expectImage(one);
    for (const { bytes, digest } of one.layers) {
      expect(proxy.requests.filter(({ path: target }) => target.endsWith(digest))).toMatchObject([
        { sent: bytes.length },
      ]);
    }
  });

  test('and one of them is killed: another goes on where it was', async () => {
    await using proxy = await startProxy(registry.url, slowly);
    using box = new PullBox();
    await box.ok(['images', '-q']);
    const first = box.start(pull(proxy.host));
    const [, , layer] = one.layers as [GeneratedBlob, GeneratedBlob, GeneratedBlob];
    const came = (): number => proxy.requests.find(({ path: target }) => target.endsWith(layer.digest))?.sent ?? 0;
    while (came() === 0) await sleep(5);
    const second = box.start(pull(proxy.host, '2'));
    while (came() < 100 * KIB) await sleep(5);
    first.child.kill('SIGKILL');
    expect(await second.ended).toEqual({ code: 0, stdout: `${proxy.host}/team/app:2\n`, stderr: '' });
    await box.ok(['system', 'prune', '-f']);
    box.expectImage(one);
    const asked = proxy.requests.filter(({ path: target }) => target.endsWith(layer.digest));
    expect(asked).toHaveLength(2);
    expect(asked[1]!.headers.range).toMatch(/^bytes=[1-9]\d*-\d*$/);
    // What was on its way to the one that died is all that came twice.
    expect(asked.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThan(layer.bytes.length + 128 * KIB);
  });
});
