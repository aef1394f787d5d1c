// Proxies that the environment names, and what certificates are for.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connections, mayBePlain } from '../../../src/registry/connections.js';
import type { Endpoint } from '../../../src/registry/index.js';
import {
  directConfig,
  fill,
  makeCertificates,
  startForwardProxy,
  startRegistry,
  testClient,
} from '../../helpers/registry/index.js';
import type { Certificates, ForwardProxy, GeneratedImage, TestRegistry } from '../../helpers/registry/index.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';
import type { TempDir } from '../../helpers/tmp.js';

const gate = requires('docker-registry', 'openssl', 'skopeo', 'setpriv');

const endpoint = (verify: boolean | undefined, origin = 'r.example'): Endpoint => ({
  ...directConfig().endpoints({ registry: origin, repository: 'a' }, {})[0]!,
  tls: { verify },
});

describe('mayBePlain', () => {
  test.each([
    [undefined, 'https://r.example/', false],
    [undefined, 'http://127.0.0.1:5000/', true],
    [undefined, 'http://127.1:5000/', true],
    [undefined, 'http://localhost:5000/', true],
    [undefined, 'http://[::1]:5000/', true],
    [undefined, 'http://localhost.example/', false],
    [undefined, 'http://127.0.0.1.example/', false],
    [undefined, 'http://[::ffff:1.2.3.4]/', false],
    [true, 'http://127.0.0.1:5000/', false],
    [false, 'http://r.example/', true],
  ])('verify %s, %s: %s', (verify, url, may) => {
    expect(mayBePlain(endpoint(verify), new URL(url))).toBe(may);
  });
});

test('a certificate of our own that cannot be read is told of', async () => {
  const tls = { verify: true, cert: 'x', key: 'secret' };
  await using client = testClient({ config: { endpoints: () => [{ ...endpoint(true), tls }] } });
  const reading = client.repository({ registry: 'r.example', repository: 'a' }).manifest('1');
  await expect(reading).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(/^the certificates for r\.example cannot be used: error:(?!.*secret)/) as unknown,
  });
});

test('connections are shared where they are made alike', async () => {
  await using connections = new Connections({ connectTimeout: 1000, env: {} });
  const at = (url: string, of = endpoint(undefined)): unknown => connections.dispatcher(of, new URL(url));
  expect(at('https://r.example/a')).toBe(at('https://r.example:5000/b'));
  // The client's certificate is not for others.
  expect(at('https://other.example/a')).not.toBe(at('https://r.example/a'));
  expect(at('https://r.example/a', endpoint(false))).not.toBe(at('https://r.example/a'));
});

describe.skipIf(gate.skip)(gate.title("the client's certificate"), () => {
  const seen: string[] = [];
  /** Ports of connections that came with a certificate. */
  const certified = new Set<number | undefined>();
  let temp: TempDir;
  let files: Certificates;
  let server: Server;
  let port: string;
  beforeAll(async () => {
    temp = tempDir('certificates');
    files = makeCertificates(path.join(temp.path, 'tls'));
    const [key, cert] = [readFileSync(files.key), readFileSync(files.cert)];
    server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false }, (request, response) => {
      seen.push(
        `${request.headers.host?.split(':')[0] ?? ''} ${certified.has(request.socket.remotePort) ? 'sees it' : 'does not see it'}`,
      );
      if (request.url?.startsWith('/v2/') === true)
        response.writeHead(307, { location: `https://localhost:${port}/` }).end();
      else response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end('{}');
    });
    server.on('secureConnection', (socket) => {
      if (Object.keys(socket.getPeerCertificate()).length > 0) certified.add(socket.remotePort);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = String((server.address() as AddressInfo).port);
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
    temp.remove();
  });

  test('is shown to the host that it is for', async () => {
    const [ca, cert, key] = [files.ca, files.cert, files.key].map((file) => readFileSync(file, 'utf8')) as [
      string,
      string,
      string,
    ];
    const registry = `127.0.0.1:${port}`;
    const [base] = directConfig().endpoints({ registry, repository: 'a' }, {});
    const config = { endpoints: () => [{ ...base!, tls: { verify: true, ca: [ca], cert, key } }] };
    await using client = testClient({ config });
    await client.repository({ registry, repository: 'a' }).manifest('1');
    expect(seen).toEqual(['127.0.0.1 sees it', 'localhost does not see it']);
  });
});

describe.skipIf(gate.skip)(gate.title('a proxy'), () => {
  let registry: TestRegistry;
  let secure: TestRegistry;
  let image: GeneratedImage;
  let proxy: ForwardProxy;
  beforeAll(async () => {
    [registry, secure, proxy] = await Promise.all([startRegistry(), startRegistry({ tls: true }), startForwardProxy()]);
    image = await fill(registry, 'image:1');
    await fill(secure, 'image:1');
  });
  afterAll(async () => {
    for (const one of [registry, secure, proxy]) await one[Symbol.asyncDispose]();
  });

  const portOf = ({ host }: { host: string }): string => host.split(':')[1] ?? '';

  test('is asked for plain HTTP, and makes tunnels for TLS', async () => {
    const url = proxy.url.replace('//', '//me:open%20sesame@');
    const env = { HTTP_PROXY: url, HTTPS_PROXY: url };
    const ca = [readFileSync(secure.ca!, 'utf8')];
    await using plain = testClient({ env, config: directConfig({ verify: false }) });
    const name = { registry: `registry.test:${portOf(registry)}`, repository: 'image' };
    const { digest } = await plain.repository(name).manifest('1');
    expect(digest).toBe(image.manifest.digest);
    const authorization = `Basic ${Buffer.from('me:open sesame').toString('base64')}`;
    expect(proxy.requests.map(({ line }) => line)).toContain(`GET http://${name.registry}/v2/image/manifests/1`);
    expect(proxy.requests.every((request) => request.authorization === authorization)).toBe(true);

    await using tunnelled = testClient({ env, config: directConfig({ ca }) });
    const behind = { registry: `registry.test:${portOf(secure)}`, repository: 'image' };
    expect((await tunnelled.repository(behind).manifest('1')).digest).toBe(image.manifest.digest);
    expect(proxy.requests.at(-1)).toEqual({ line: `CONNECT ${behind.registry}`, authorization });
  });

  test('sees nothing of what stays on the machine', async () => {
    const before = proxy.requests.length;
    await using client = testClient({ env: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url } });
    await client.repository({ registry: registry.host, repository: 'image' }).manifest('1');
    expect(proxy.requests.length).toBe(before);
  });

  test('that is not there is told of', async () => {
    await using gone = await startForwardProxy();
    await gone[Symbol.asyncDispose]();
    await using client = testClient({ env: { HTTPS_PROXY: gone.url.replace('//', '//me:open%20sesame@') } });
    const error: unknown = await client
      .repository({ registry: 'registry.test', repository: 'image' })
      .manifest('1')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unavailable' });
    const { host } = new URL(gone.url);
    expect(String(error)).toContain(`registry.test, by way of the proxy ${host}: connection refused (ECONNREFUSED)`);
    expect(String(error)).not.toContain('sesame');
  });
});
