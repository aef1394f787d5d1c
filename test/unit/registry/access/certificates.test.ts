import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadRegistryConfig } from '../../../../src/registry/index.js';
import type { EndpointTls } from '../../../../src/registry/index.js';
import { tempDir } from '../../../helpers/tmp.js';

const pem = (label: string): string => `-----BEGIN CERTIFICATE-----\n${label}\n-----END CERTIFICATE-----\n`;

/** What a connection to `reg.x:5000` gets on a machine with these files; `certDir` and variables are paths on it. */
function tlsWith(
  names: readonly string[],
  options: { certDir?: string; env?: Readonly<Record<string, string>>; content?: string } = {},
): EndpointTls {
  using temp = tempDir('certs');
  const at = (name: string): string => path.join(temp.path, name);
  for (const name of ['system.pem', ...names]) {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), options.content ?? pem(name));
  }
  const env = Object.fromEntries(Object.entries(options.env ?? {}).map(([name, file]) => [name, at(file)]));
  const config = loadRegistryConfig({
    env: { SSL_CERT_FILE: at('system.pem'), ...env },
    home: at('home'),
    etc: at('etc'),
    certDir: options.certDir === undefined ? undefined : at(options.certDir),
  });
  const [endpoint] = config.endpoints({ registry: 'reg.x:5000', repository: 'r' }, {});
  return endpoint?.tls ?? { verify: undefined };
}

const DOCKER = 'etc/docker/certs.d/reg.x:5000';
const CONTAINERS = 'etc/containers/certs.d/reg.x:5000';
const USER = 'home/.config/containers/certs.d/reg.x:5000';

describe('what a host is trusted by', () => {
  test.each([
    ['the system alone', [], {}, ['system.pem']],
    ["docker's directory", [`${DOCKER}/ca.crt`], {}, ['system.pem', `${DOCKER}/ca.crt`]],
    ['several files', [`${DOCKER}/b.crt`, `${DOCKER}/a.crt`], {}, ['system.pem', `${DOCKER}/a.crt`, `${DOCKER}/b.crt`]],
    [
      "containers' directory before docker's",
      [`${DOCKER}/ca.crt`, `${CONTAINERS}/ca.crt`],
      {},
      ['system.pem', `${CONTAINERS}/ca.crt`],
    ],
    [
      "the user's before the machine's",
      [`${CONTAINERS}/ca.crt`, `${USER}/ca.crt`],
      {},
      ['system.pem', `${USER}/ca.crt`],
    ],
    ['not what is there for another port', ['etc/docker/certs.d/reg.x/ca.crt'], {}, ['system.pem']],
    [
      '--cert-dir in the place of all',
      [`${USER}/ca.crt`, 'mine/my.crt'],
      { certDir: 'mine' },
      ['system.pem', 'mine/my.crt'],
    ],
    [
      '--cert-dir by host',
      ['mine/reg.x:5000/ca.crt', 'mine/other/ca.crt'],
      { certDir: 'mine' },
      ['system.pem', 'mine/reg.x:5000/ca.crt'],
    ],
    ['NODE_EXTRA_CA_CERTS', ['extra.pem'], { env: { NODE_EXTRA_CA_CERTS: 'extra.pem' } }, ['system.pem', 'extra.pem']],
  ] as const)('%s', (_what, names, options, expected) => {
    expect(tlsWith(names, options)).toEqual({ verify: undefined, ca: expected.map(pem) });
  });

  test('without a system bundle, what Node trusts', () => {
    const { ca } = tlsWith([`${DOCKER}/ca.crt`], { env: { SSL_CERT_FILE: 'none' } });
    expect(ca?.length).toBeGreaterThan(100);
    expect(ca?.at(-1)).toBe(pem(`${DOCKER}/ca.crt`));
    expect(tlsWith([], { env: { SSL_CERT_FILE: 'none' } })).toEqual({ verify: undefined });
    const extra = tlsWith(['extra.pem'], { env: { SSL_CERT_FILE: 'none', NODE_EXTRA_CA_CERTS: 'extra.pem' } });
    expect(extra.ca?.length).toBeGreaterThan(100);
    expect(extra.ca?.at(-1)).toBe(pem('extra.pem'));
  });

  test("the client's own certificate", () => {
    const tls = tlsWith([`${DOCKER}/client.cert`, `${DOCKER}/client.key`]);
    expect(tls).toMatchObject({ cert: pem(`${DOCKER}/client.cert`), key: pem(`${DOCKER}/client.key`) });
  });

  test.each([
    ['a certificate without key', [`${DOCKER}/a.cert`], /\/a.cert' has no key beside it: 'a.key'$/],
    ['a key without certificate', [`${DOCKER}/a.key`], /\/a.key' has no certificate beside it: 'a.cert'$/],
  ])('%s is named', (_what, names, message) => {
    expect(() => tlsWith(names)).toThrow(message);
  });

  test('what is not PEM, and a directory that is not there, are named', () => {
    expect(() => tlsWith([`${DOCKER}/ca.crt`], { content: 'DER' })).toThrow(/\/ca.crt' is not in PEM/);
    expect(() => tlsWith([], { certDir: 'none' })).toThrow(/^--cert-dir: there is no directory '.*none'$/);
    expect(() => tlsWith(['mine/ca.pem'], { certDir: 'mine' })).toThrow(
      /^--cert-dir: there is no certificate in '.*mine'$/,
    );
  });
});
