// What the tests of registries stand on: the real one answers, and has what skopeo put there.

import { readFileSync } from 'node:fs';
import { request as tlsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alive } from '../death.js';
import { runWell } from '../other-process.js';
import { requires } from '../requires.js';
import {
  fill,
  fillWith,
  generateImage,
  generateIndex,
  rawManifest,
  sha256,
  startRegistry,
  storedBlob,
} from './index.js';
import type { TestRegistry } from './index.js';

const gate = requires('docker-registry', 'openssl', 'skopeo', 'setpriv');

describe.skipIf(gate.skip)(gate.title('a registry of a test'), () => {
  let plain: TestRegistry;
  beforeAll(async () => {
    plain = await startRegistry();
  });
  afterAll(() => plain[Symbol.asyncDispose]());

  test.each(['oci', 'docker'] as const)('has the images that skopeo put there, byte for byte (%s)', async (format) => {
    const image = await fill(plain, `team/${format}:1`, { format });
    expect(await rawManifest(plain, `team/${format}:1`)).toBe(image.manifest.bytes.toString());
    for (const { digest } of [image.config, ...image.layers]) expect(sha256(storedBlob(plain, digest))).toBe(digest);
    const answer = await fetch(`${plain.url}/v2/team/${format}/tags/list`);
    expect(await answer.json()).toEqual({ name: `team/${format}`, tags: ['1'] });
    expect(plain.requests).toContainEqual({ method: 'GET', path: `/v2/team/${format}/tags/list`, status: 200 });
  });

  test('has lists of images', async () => {
    const images = { amd64: generateImage({ seed: 'a' }), arm64: generateImage({ seed: 'b', architecture: 'arm64' }) };
    const index = generateIndex(images);
    await fillWith(plain, 'multi', { images: Object.values(images), blobs: [index], tags: { latest: index } });
    expect(await rawManifest(plain, 'multi')).toBe(index.bytes.toString());
  });

  test('keeps its storage if it is told where', async () => {
    await fill(plain, 'kept');
    await using again = await startRegistry({ root: plain.storage });
    expect((await fetch(`${again.url}/v2/kept/tags/list`)).status).toBe(200);
  });

  test('asks for a password', async () => {
    await using registry = await startRegistry({ auth: 'htpasswd' });
    expect((await fetch(`${registry.url}/v2/`)).headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    await fill(registry, 'guarded');
    const authorization = (password: string): { headers: { authorization: string } } => ({
      headers: { authorization: `Basic ${Buffer.from(`${registry.user}:${password}`).toString('base64')}` },
    });
    expect((await fetch(`${registry.url}/v2/`, authorization('other'))).status).toBe(401);
    expect((await fetch(`${registry.url}/v2/`, authorization(registry.password))).status).toBe(200);
  });

  test('speaks TLS with a certificate of its own authority', async () => {
    await using registry = await startRegistry({ tls: true });
    await fill(registry, 'secure');
    const status = (ca?: Buffer): Promise<number | string | undefined> =>
      new Promise((resolve) => {
        const asked = tlsRequest(`${registry.url}/v2/secure/tags/list`, { ...(ca && { ca }), agent: false }, (answer) =>
          resolve(answer.resume().statusCode),
        );
        asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)).end();
      });
    expect(await status()).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(await status(readFileSync(registry.ca!))).toBe(200);
    expect(readFileSync(`${registry.certsDir()}/${registry.host}/ca.crt`)).toEqual(readFileSync(registry.ca!));
  });

  test('takes tokens of a server', async () => {
    await using registry = await startRegistry({ auth: 'token' });
    await fill(registry, 'team/tokens');
    expect(registry.tokens!.requests).toContainEqual({
      method: 'GET',
      service: 'registry.test',
      scopes: ['repository:team/tokens:pull,push'],
      offline: false,
      user: registry.user,
      status: 200,
    });
    expect((await fetch(`${registry.url}/v2/team/tokens/tags/list`)).status).toBe(401);
    const { realm, behaviour } = registry.tokens!;
    const url = `${realm}?service=registry.test&scope=repository:team/tokens:pull`;
    const basic = `Basic ${Buffer.from(`${registry.user}:${registry.password}`).toString('base64')}`;
    const listed = async (authorization?: string): Promise<number> => {
      const headers = authorization === undefined ? {} : { authorization };
      const { token } = (await (await fetch(url, { headers })).json()) as { token: string };
      const asked = await fetch(`${registry.url}/v2/team/tokens/tags/list`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return asked.status;
    };
    expect(await listed(basic)).toBe(200);
    expect(await listed()).toBe(401);
    behaviour.lifetime = -120;
    expect(await listed(basic)).toBe(401);
  });

  test('does not outlive who started it', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      spawn('setpriv', ['--pdeathsig', 'KILL', 'sleep', '60'], { stdio: 'ignore' }).on('spawn', function () {
        console.log(this.pid);
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200);
      });`;
    const pid = await runWell('sh', ['-c', `${process.execPath} -e "$0" || true`, script]);
    await expect.poll(() => alive(Number(pid))).toBe(false);
  });
});
