// The proxy does to answers what it is told to, and nothing else.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../requires.js';
import { fill, generateImage, sha256, startProxy, startRegistry, storedBlob } from './index.js';
import type { Behaviour, GeneratedBlob, HostileProxy, TestRegistry } from './index.js';

const gate = requires('docker-registry', 'skopeo', 'setpriv');

describe.skipIf(gate.skip)(gate.title('the hostile proxy'), () => {
  let registry: TestRegistry;
  let proxy: HostileProxy;
  let layer: GeneratedBlob;
  /** Of the layer, as text: vitest compares it in no time. */
  let content: string;

  beforeAll(async () => {
    registry = await startRegistry();
    proxy = await startProxy(registry.url);
    layer = (await fill(registry, 'image')).layers[0]!;
    content = layer.bytes.toString('latin1');
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  async function blob(
    behaviour: Behaviour,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string; cut: boolean }> {
    proxy.rules = () => behaviour;
    const abort = AbortSignal.timeout(500);
    const answer = await fetch(`${proxy.url}/v2/image/blobs/${layer.digest}`, {
      headers,
      redirect: 'manual',
      signal: abort,
    });
    const chunks: Uint8Array[] = [];
    let cut = false;
    try {
      for await (const chunk of answer.body!) chunks.push(chunk as Uint8Array);
    } catch {
      cut = true;
    }
    return { status: answer.status, body: Buffer.concat(chunks).toString('latin1'), cut };
  }

  test('lets pass, and writes down', async () => {
    expect(await blob({}, { range: 'bytes=10-19' })).toEqual({
      status: 206,
      body: content.slice(10, 20),
      cut: false,
    });
    expect(proxy.requests.at(-1)).toMatchObject({
      method: 'GET',
      path: `/v2/image/blobs/${layer.digest}`,
      status: 206,
      sent: 10,
    });
    expect(proxy.requests.at(-1)!.headers.range).toBe('bytes=10-19');
    expect(await blob({ withoutRequestHeaders: ['range'] }, { range: 'bytes=10-19' })).toEqual({
      status: 200,
      body: content,
      cut: false,
    });
  });

  test('lets images be pushed', async () => {
    proxy.rules = () => undefined;
    const image = await fill({ ...registry, host: proxy.host }, 'pushed', { seed: 'pushed' });
    expect(sha256(storedBlob(registry, image.layers[2]!.digest))).toBe(image.layers[2]!.digest);
    expect(proxy.seen('PUT', /manifests/)).toMatchObject([{ status: 201 }]);
  });

  test('changes bodies', async () => {
    const corrupt = await blob({ corruptAt: 5 });
    expect(corrupt.body).not.toBe(content);
    expect(corrupt.body.slice(0, 5) + corrupt.body.slice(6)).toBe(content.slice(0, 5) + content.slice(6));
    expect(await blob({ replace: (body) => body.subarray(7) })).toEqual({
      status: 200,
      body: content.slice(7),
      cut: false,
    });
    expect(await blob({ answer: { status: 500, body: '<html>' } })).toEqual({
      status: 500,
      body: '<html>',
      cut: false,
    });
  });

  test('cuts, stalls and never ends', async () => {
    expect(await blob({ cutAfter: 1000 })).toEqual({ status: 200, body: content.slice(0, 1000), cut: true });
    expect(await blob({ stallAfter: 1000 })).toEqual({ status: 200, body: content.slice(0, 1000), cut: true });
    expect(await blob({ slow: { bytes: 100, milliseconds: 100 } })).toMatchObject({ status: 200, cut: true });
    const endless = await blob({ endless: true });
    expect(endless.cut).toBe(true);
    expect(endless.body.length).toBeGreaterThan(2 * content.length);
    await expect(blob({ close: true })).rejects.toThrow('fetch failed');
    await expect(blob({ closeInsteadOfAnswer: true })).rejects.toThrow('fetch failed');
  });

  test('cuts uploads', async () => {
    proxy.rules = () => undefined;
    const started = await fetch(`${proxy.url}/v2/upload/blobs/uploads/`, { method: 'POST' });
    const location = started.headers.get('location')!;
    expect(location).toContain(proxy.host);
    proxy.rules = () => ({ cutRequestAfter: 300 });
    const { bytes } = generateImage().layers[0]!;
    await expect(fetch(location, { method: 'PATCH', body: bytes })).rejects.toThrow('fetch failed');
    expect(proxy.requests.at(-1)).toMatchObject({ method: 'PATCH', status: 0, received: 300 });
  });
});
