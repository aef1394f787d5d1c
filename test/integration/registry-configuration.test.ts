// Certificates, mirrors, proxies, waits: where a registry is and how it is spoken to, as the user's files and flags say.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillWith, generateImage, startForwardProxy, startProxy, startRegistry } from '../helpers/registry/index.js';
import type { ProxiedRequest, TestRegistry } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { needs, pull, PullBox } from './registry-fixture.js';

const gate = requires('openssl');
const image = generateImage();
const content = { images: [image], tags: { 1: image.manifest, latest: image.manifest } };
const portOf = (host: string): string => host.slice(host.indexOf(':') + 1);

describe.skipIf(needs.skip || gate.skip)(needs.title('a registry with TLS'), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry({ tls: true });
    await fillWith(registry, 'team/app', content);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test('on this machine is trusted as it is', async () => {
    using box = new PullBox();
    await box.ok(pull(registry.host));
    box.expectImage(image);
  });

  test('is refused where verification is asked for and its authority is unknown', async () => {
    using box = new PullBox();
    const said = await box.fails(pull(registry.host, '--tls-verify'));
    expect(said).toMatch(/certificate/);
    expect(said).toMatch(/hint: [^\n]*(certs\.d|--cert-dir)/);
    box.expectNothing();
    await box.ok(pull(registry.host, '--tls-verify=false'));
  });

  test('is trusted by --cert-dir, by certs.d, and by NODE_EXTRA_CA_CERTS', async () => {
    for (const how of ['flag', 'home', 'environment', 'launcher']) {
      using box = new PullBox();
      const directory = path.join(registry.certsDir(), registry.host);
      if (how === 'home') {
        const mine = box.at(`home/.config/containers/certs.d/${registry.host}`);
        mkdirSync(mine, { recursive: true });
        copyFileSync(path.join(directory, 'ca.crt'), path.join(mine, 'ca.crt'));
      }
      const options = how === 'flag' ? ['--cert-dir', directory] : [];
      // The program's first lines start Node under the second name.
      const names = { environment: 'NODE_EXTRA_CA_CERTS', launcher: 'VENEER_EXTRA_CA_CERTS' };
      const env = how in names ? { [names[how as keyof typeof names]]: registry.ca! } : {};
      expect(await box.run(pull(registry.host, '--tls-verify', ...options), env)).toMatchObject({
        code: 0,
        stderr: '',
      });
    }
  });

  test('whose certificate is for another name is refused', async () => {
    await using forward = await startForwardProxy();
    using box = new PullBox();
    const name = `other.test:${portOf(registry.host)}`;
    const env = { HTTPS_PROXY: forward.url };
    const directory = path.join(registry.certsDir(), registry.host);
    const said = await box.fails(pull(name, '--cert-dir', directory), { env });
    expect(said).toContain('certificate');
    box.expectNothing();
  });

  test('may want a certificate of its users', async () => {
    await using strict = await startRegistry({ tls: true, clientCertificates: true });
    using box = new PullBox();
    const directory = path.join(strict.certsDir(), strict.host);
    const said = await box.fails(pull(strict.host, '--cert-dir', directory));
    expect(said).toContain(`${strict.host}/team/app:1: `);
    const { cert, key } = strict.certificates!;
    copyFileSync(cert, path.join(directory, 'me.cert'));
    // A certificate without its key is a mistake that is named.
    const half = await box.fails(pull(strict.host, '--cert-dir', directory));
    expect(half).toContain('me.key');
    copyFileSync(key, path.join(directory, 'me.key'));
    const missing = await box.fails(pull(strict.host, '--cert-dir', directory));
    expect(missing).toContain('manifest unknown');
  });

  test('is not spoken to without TLS, and plain HTTP not by default elsewhere', async () => {
    await using plain = await startProxy('http://127.0.0.1:1', () => ({ answer: { status: 200, body: '{}' } }));
    await using forward = await startForwardProxy();
    using box = new PullBox();
    const env = { HTTPS_PROXY: forward.url, HTTP_PROXY: forward.url };
    const said = await box.fails(pull(`registry.test:${portOf(plain.host)}`), { env });
    expect(said).toMatch(/hint: [^\n]*--tls-verify=false/);
    expect(plain.requests).toEqual([]);
    const local = await box.fails(pull(plain.host, '--tls-verify'));
    expect(local).toMatch(/does not speak TLS\n {2}hint: [^\n]*--tls-verify=false/);
    expect(plain.requests).toEqual([]);
  });

  test('is reached through HTTPS_PROXY, with its credentials, but not where NO_PROXY says', async () => {
    await using forward = await startForwardProxy();
    const name = `registry.test:${portOf(registry.host)}`;
    const directory = path.join(registry.certsDir(), registry.host);
    for (const variable of ['HTTPS_PROXY', 'https_proxy']) {
      using box = new PullBox();
      const env = { [variable]: forward.url.replace('//', '//me:my%20secret@') };
      await box.ok(pull(name, '--cert-dir', directory), env);
      box.expectImage(image);
      const basic = `Basic ${Buffer.from('me:my secret').toString('base64')}`;
      expect(forward.requests).toContainEqual({ line: `CONNECT ${name}`, authorization: basic });
      const count = forward.requests.length;
      const said = await box.fails(pull(name, '--cert-dir', directory), { env: { ...env, NO_PROXY: 'registry.test' } });
      expect(said).toContain('registry.test');
      expect(forward.requests).toHaveLength(count);
      // What is on this machine never goes through a proxy.
      await box.ok(pull(registry.host), env);
      expect(forward.requests).toHaveLength(count);
    }
  });
});

describe.skipIf(needs.skip)(needs.title('registries.conf'), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    await fillWith(registry, 'library/app', content);
    await fillWith(registry, 'team/app', content);
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  const configure = (box: PullBox, text: string): void => writeFileSync(box.at('registries.conf'), text);

  test('sends docker.io elsewhere', async () => {
    using box = new PullBox();
    configure(box, `[[registry]]\nprefix = "docker.io"\nlocation = "${registry.host}"\n`);
    expect(await box.ok(['pull', '-q', 'app'])).toBe('docker.io/library/app:latest');
    box.expectImage(image);
  });

  test('sends a part of a registry to a path', async () => {
    using box = new PullBox();
    configure(box, `[[registry]]\nprefix = "example.org/old"\nlocation = "${registry.host}/team"\n`);
    expect(await box.ok(['pull', '-q', 'example.org/old/app:1'])).toBe('example.org/old/app:1');
  });

  test.each<[string, Parameters<typeof startProxy>[1]]>([
    ['has it', () => undefined],
    ['does not have it', () => ({ answer: { status: 404, body: '' } })],
    ['wants a password', () => ({ answer: { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } } })],
    ['is broken', () => ({ answer: { status: 500, body: '' } })],
    ['says nothing', () => ({ close: true })],
    [
      'has only the manifest',
      ({ path: target }) => (target.includes('/blobs/') ? { answer: { status: 404 } } : undefined),
    ],
    ['cuts every blob', ({ path: target }) => (target.includes('/blobs/') ? { cutAfter: 10 } : undefined)],
    ['lies about manifests', ({ path: target }) => (target.includes('/manifests/') ? { corruptAt: 10 } : undefined)],
  ])('names a mirror, which %s', async (what, rules) => {
    await using mirror = await startProxy(registry.url, rules);
    await using origin = await startProxy(registry.url);
    using box = new PullBox();
    configure(
      box,
      `[[registry]]\nprefix = "example.org"\nlocation = "${origin.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`,
    );
    const result = await box.run(['pull', '-q', '--retry', '1', '--retry-delay', '1ms', 'example.org/team/app:1']);
    expect(result).toMatchObject({ code: 0, stdout: 'example.org/team/app:1\n' });
    box.expectImage(image);
    expect(mirror.requests.length).toBeGreaterThan(0);
    expect(origin.requests.length > 0).toBe(what !== 'has it');
  });

  test('names a mirror, whose wrong bytes are refused', async () => {
    const isBlob = (target: string): boolean => target.includes('/blobs/');
    await using mirror = await startProxy(registry.url, ({ path: target }) =>
      isBlob(target) ? { corruptAt: 10 } : undefined,
    );
    using box = new PullBox();
    configure(box, `[[registry]]\nlocation = "${registry.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`);
    const said = await box.fails(['pull', '-q', `${registry.host}/team/app:1`]);
    expect(said).toMatch(/^veneer: [\d.:]+\/team\/app:1: configuration sha256:\w+ is not what its digest says/);
    box.expectNothing();
  });

  test('blocks a registry', async () => {
    using box = new PullBox();
    configure(box, `[[registry]]\nlocation = "example.org"\nblocked = true\n`);
    const said = await box.fails(['pull', '-q', 'example.org/team/app']);
    expect(said).toMatch(/block/);
  });

  test('that is malformed is named', async () => {
    using box = new PullBox();
    configure(box, `[[registry]\n`);
    const said = await box.fails(['pull', '-q', 'example.org/team/app']);
    expect(said).toContain(box.at('registries.conf'));
  });
});

describe.skipIf(needs.skip)(needs.title('a registry that is busy'), () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    await fillWith(registry, 'team/app', content);
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  const pull = (host: string, ...options: string[]): string[] => ['pull', '-q', ...options, `${host}/team/app:1`];

  test.each([429, 500, 502, 503, 504, 408])('with HTTP %i is asked again', async (status) => {
    await using proxy = await startProxy(registry.url, ({ nth }) =>
      nth < 2 ? { answer: { status, body: '' } } : undefined,
    );
    using box = new PullBox();
    expect(await box.run(pull(proxy.host, '--retry-delay', '1ms'))).toMatchObject({ code: 0 });
    box.expectImage(image);
  });

  test('says when to come again, and is not asked before', async () => {
    for (const form of ['seconds', 'date']) {
      let [asked, until] = [0, 0];
      await using proxy = await startProxy(registry.url, ({ nth, path: target }) => {
        if (!target.includes('/manifests/')) return undefined;
        asked = Date.now();
        if (nth > 0) return undefined;
        // A date has no parts of a second.
        until = Math.ceil((asked + 1000) / 1000) * 1000;
        const after = form === 'date' ? new Date(until).toUTCString() : '2';
        return { answer: { status: 429, headers: { 'retry-after': after } } };
      });
      using box = new PullBox();
      const { code, stderr } = await box.run(['pull', '--retry-delay', '1ms', `${proxy.host}/team/app:1`]);
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/^[\d.:]+: rate limit, next try in [12] s$/m) as string,
      });
      expect(asked).toBeGreaterThanOrEqual(until);
    }
  });

  test('that says to come again tomorrow is not waited for', async () => {
    const answer = {
      status: 429,
      headers: { 'retry-after': '86400' },
      body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}',
    };
    await using proxy = await startProxy(registry.url, () => ({ answer }));
    using box = new PullBox();
    const said = await box.fails(pull(proxy.host));
    expect(said).toContain('You have reached your pull rate limit.');
    expect(proxy.requests.filter(({ path: target }) => target.includes('manifests'))).toHaveLength(1);
    box.expectNothing();
  });

  test.each<[string, ProxiedRequest | { status: number; body: string }, RegExp]>([
    [
      'denied',
      { status: 403, body: '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}' },
      /the registry says: [^\n]*requested access to the resource is denied\n {2}hint: [^\n]*veneer login/,
    ],
    [
      'unknown',
      {
        status: 404,
        body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":"unknown tag=1"}]}',
      },
      /the registry says: manifest unknown\n {2}hint: [^\n]*veneer tags/,
    ],
    ['teapot', { status: 418, body: '' }, /HTTP 418/],
  ])('or refuses is quoted (%s)', async (_, answer, expected) => {
    await using proxy = await startProxy(registry.url, () => ({ answer: answer as { status: number; body: string } }));
    using box = new PullBox();
    expect(await box.fails(pull(proxy.host))).toMatch(expected);
    box.expectNothing();
  });

  test('or not there is said', async () => {
    using box = new PullBox();
    await using gone = await startProxy(registry.url);
    await gone.stop();
    for (const host of [gone.host, 'registry.invalid']) {
      const said = await box.fails(pull(host, '--retry', '0'));
      expect(said).toContain(host);
    }
    box.expectNothing();
  });
});
