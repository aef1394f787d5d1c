// Searching: Docker Hub's search (a server of our own, to which a proxy leads), and the catalog of a real registry.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  fillWith,
  generateImage,
  makeCertificates,
  startForwardProxy,
  startRegistry,
} from '../helpers/registry/index.js';
import type { ForwardProxy, TestRegistry } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { runCli, startCli } from '../helpers/run-cli.js';
import type { CliResult } from '../helpers/run-cli.js';
import { tempDir } from '../helpers/tmp.js';

const hubGate = requires('build', 'openssl');
const gate = requires('build', 'docker-registry', 'skopeo', 'setpriv');

const LONG = 'An  image with a description that is longer than the forty-five columns of docker, and goes on';
const RESULTS = [
  { name: 'debian', description: LONG, star_count: 5000, is_official: true, is_automated: false },
  {
    name: 'team/debian',
    description: 'evil\u001b[31m\u202eof theirs',
    star_count: 12,
    is_official: false,
    is_automated: true,
  },
  { name: 'other/debian', description: null, star_count: -1.5 },
  { name: 7 },
  'x',
];

/** What answers in the place of index.docker.io. */
interface Hub extends AsyncDisposable {
  readonly requests: string[];
  search(...args: string[]): Promise<CliResult>;
}

async function startHub(answer: unknown, status = 200): Promise<Hub> {
  const temp = tempDir('hub');
  const at = (name: string): string => path.join(temp.path, name);
  const certificates = makeCertificates(at('tls'));
  const requests: string[] = [];
  const server = createServer(
    { key: readFileSync(certificates.key), cert: readFileSync(certificates.cert) },
    (request, response) => {
      requests.push(`${request.headers.host ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? '-'}`);
      response.writeHead(status, { 'content-type': typeof answer === 'string' ? 'text/html' : 'application/json' });
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: ForwardProxy = await startForwardProxy({ port: (server.address() as AddressInfo).port });
  mkdirSync(at('certs/docker.io'), { recursive: true });
  writeFileSync(at('certs/docker.io/ca.crt'), readFileSync(certificates.ca));
  writeFileSync(at('registries.conf'), '');
  const env = {
    CONTAINERS_REGISTRIES_CONF: at('registries.conf'),
    HTTPS_PROXY: proxy.url,
    DOCKER_CONFIG: at('docker'),
  };
  return {
    requests,
    search: (...args) => startCli(['search', '--retry', '0', '--cert-dir', at('certs'), ...args], { env }).ended,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await proxy[Symbol.asyncDispose]();
      temp.remove();
    },
  };
}

describe.skipIf(hubGate.skip)(hubGate.title('veneer search on Docker Hub'), () => {
  test("prints docker's table", async () => {
    await using hub = await startHub({ num_results: 3, results: RESULTS });
    const { code, stdout, stderr } = await hub.search('debian');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'NAME           DESCRIPTION                                     STARS     OFFICIAL',
      'debian         An image with a description that is longer t…   5000      [OK]',
      'team/debian    evil\\x1b[31m\\u202eof theirs                     12',
      'other/debian                                                   0',
      '',
    ]);
    expect(hub.requests).toEqual(['index.docker.io /v1/search?q=debian&n=25 -']);
  });

  test('takes limits, filters and formats', async () => {
    await using hub = await startHub({ results: RESULTS });
    const names = async (...args: string[]): Promise<string> =>
      (await hub.search('--format', '{{.Name}}', ...args)).stdout.trim().replaceAll('\n', ' ');
    expect(await names('--limit', '2', 'docker.io/library/debian')).toBe('debian team/debian');
    expect(hub.requests).toEqual(['index.docker.io /v1/search?q=debian&n=2 -']);
    expect(await names('-f', 'stars=12', 'team/debian')).toBe('debian team/debian');
    expect(hub.requests.at(-1)).toContain('?q=team%2Fdebian&n=25');
    expect(await names('-f', 'is-official=true', 'x')).toBe('debian');
    expect(await names('-f', 'is-official=false', '-f', 'stars=1', 'x')).toBe('team/debian');
    expect(await names('-f', 'is-automated=true', 'x')).toBe('team/debian');
    const [json = ''] = (await hub.search('--format', 'json', 'x')).stdout.split('\n');
    expect(JSON.parse(json)).toEqual({
      Name: 'debian',
      Description: LONG.replace('  ', ' '),
      StarCount: '5000',
      IsOfficial: 'true',
      IsAutomated: 'false',
    });
    const { stdout } = await hub.search('--no-trunc', '--format', '{{.Description}}|{{.IsOfficial}}', 'x');
    expect(stdout.split('\n')[0]).toBe(`${LONG.replace('  ', ' ')}|true`);
  });

  test.each([
    ['HTML', '<html>secret page</html>', 200, /something else than JSON/],
    ['no list', { results: 'secret' }, 200, /what it answers to a search is no list of results/],
    ['an error', { message: 'no more today' }, 500, /no more today/],
  ])('says that the answer is %s', async (_what, answer, status, message) => {
    await using hub = await startHub(answer, status);
    const { code, stdout, stderr } = await hub.search('x');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^veneer: docker\.io: [^\n]+\n( {2}hint: [^\n]+\n)?$/);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('secret');
  });
});

describe.skipIf(gate.skip)(gate.title('veneer search in a catalog'), () => {
  let registry: TestRegistry | undefined;
  let host = '';
  beforeAll(async () => {
    registry = await startRegistry();
    host = registry.host;
    const image = generateImage({ layers: 1 });
    for (const name of ['app', 'team/app', 'team/base', 'zoo'])
      await fillWith(registry, name, { images: [image], tags: { latest: image.manifest } });
  });
  afterAll(async () => registry?.[Symbol.asyncDispose]());

  const found = (...args: string[]): string[] => {
    const { code, stdout, stderr } = runCli(['search', '--format', '{{.Name}}', ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.split('\n').slice(0, -1);
  };

  test('finds names to pull by', () => {
    expect(found(`${host}/app`)).toEqual([`${host}/app`, `${host}/team/app`]);
    expect(found(`${host}/team/`)).toEqual([`${host}/team/app`, `${host}/team/base`]);
    expect(found(`${host}/`)).toHaveLength(4);
    expect(found('--limit', '1', `${host}/`)).toEqual([`${host}/app`]);
    expect(found(`${host}/none`)).toEqual([]);
    expect(found('-f', 'stars=1', `${host}/app`)).toEqual([]);
  });

  test('says that nobody is there', () => {
    const { code, stderr } = runCli(['search', '127.0.0.1:1/x']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^veneer: 127\.0\.0\.1:1: [^\n]+\n( {2}hint: [^\n]+\n)?$/);
  });
});
