// Passwords and tokens: who gets them, who does not, and what is said where they are wrong.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fillWith, generateImage, startProxy, startRegistry } from '../helpers/registry/index.js';
import type { HostileProxy, Rules, TestRegistry } from '../helpers/registry/index.js';
import { requires } from '../helpers/requires.js';
import { needs, pull, PullBox } from './registry-fixture.js';

const gate = requires('openssl');
const image = generateImage();
const content = { images: [image], tags: { 1: image.manifest } };
const basic = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64');

/** What `docker login` leaves. */
function writeDockerConfig(box: PullBox, auths: Record<string, object>): void {
  mkdirSync(box.at('home/.docker'), { recursive: true });
  writeFileSync(box.at('home/.docker/config.json'), JSON.stringify({ auths }));
}

describe.skipIf(needs.skip)(needs.title('a registry with passwords'), () => {
  let registry: TestRegistry;
  let creds: string;
  beforeAll(async () => {
    registry = await startRegistry({ auth: 'htpasswd' });
    creds = `${registry.user}:${registry.password}`;
    await fillWith(registry, 'team/app', content);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test('says who may come in, and lets in who has the password', async () => {
    using box = new PullBox();
    for (const options of [[], ['--creds', 'someone:wrong'], ['--creds', 'nobody:x']]) {
      const said = await box.fails(pull(registry.host, ...options));
      expect(said).toContain(`veneer login ${registry.host}`);
      box.expectNothing();
    }
    await box.ok(pull(registry.host, '--creds', creds));
    box.expectImage(image);
  });

  test('is logged in to and out of', async () => {
    using box = new PullBox();
    const file = box.at('home/.docker/config.json');
    const login = (password: string, ...options: string[]) =>
      box.start(['login', '-u', registry.user, '--password-stdin', ...options, registry.host], {}, `${password}\n`)
        .ended;
    const refused = await login('wrong');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).not.toContain('wrong:');
    expect(existsSync(file)).toBe(false);
    const taken = await login(registry.password);
    expect(taken).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
    expect(`${taken.stdout}${taken.stderr}`).not.toContain(registry.password);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      auths: { [registry.host]: { auth: basic(registry.user, registry.password) } },
    });
    await box.ok(pull(registry.host));
    box.expectImage(image);
    expect(await box.run(['logout', registry.host])).toMatchObject({ code: 0 });
    await box.ok(['rmi', `${registry.host}/team/app:1`]);
    await box.fails(pull(registry.host));
  });

  test('does not show a password in what it reports, whatever the registry sends back', async () => {
    await using proxy = await startProxy(registry.url, (request) => {
      const sent = request.headers.authorization ?? '';
      const decoded = Buffer.from(sent.replace(/^Basic /, ''), 'base64').toString();
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message: `you sent ${sent}, which is ${decoded}` }] });
      return sent === '' ? undefined : { answer: { status: 403, body } };
    });
    using box = new PullBox();
    const { stderr } = await box.run(['--debug', ...pull(proxy.host, '--creds', creds)]);
    expect(stderr).toContain('you sent');
    expect(await box.fails(pull(proxy.host, '--creds', creds))).toContain('you sent');
  });

  describe('that redirects', () => {
    let other: HostileProxy;
    beforeEach(async () => {
      other = await startProxy(registry.url, () => ({ answer: { status: 200, body: image.layers[1]!.bytes } }));
      return () => other[Symbol.asyncDispose]();
    });
    const redirecting =
      (location: () => string, status = 307): Rules =>
      ({ path: target }) =>
        target.endsWith(image.layers[1]!.digest)
          ? { answer: { status, headers: { location: location() } } }
          : undefined;

    test.each([301, 302, 303, 307, 308])('to another host (HTTP %i): its credentials stay behind', async (status) => {
      await using proxy = await startProxy(
        registry.url,
        redirecting(() => `${other.url}/storage/blob?Signature=very-secret`, status),
      );
      using box = new PullBox();
      await box.ok(pull(proxy.host, '--creds', creds));
      box.expectImage(image);
      expect(other.requests).toMatchObject([{ method: 'GET', path: '/storage/blob?Signature=very-secret' }]);
      expect(other.requests[0]!.headers).not.toHaveProperty('authorization');
      expect(other.requests[0]!.headers).not.toHaveProperty('cookie');
      expect(proxy.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(true);
    });

    test('to another host that fails: the signature of the URL is not told', async () => {
      other.rules = () => ({
        answer: {
          status: 403,
          headers: { 'content-type': 'application/xml' },
          body: '<Error><Code>AccessDenied</Code></Error>',
        },
      });
      await using proxy = await startProxy(
        registry.url,
        redirecting(() => `${other.url}/storage/blob?Signature=very-secret`),
      );
      using box = new PullBox();
      const said = await box.fails(pull(proxy.host, '--creds', creds));
      expect(said).toMatch(new RegExp(`: ${other.host} answers HTTP 403 Forbidden and a body of application/xml\n$`));
      const { stderr } = await box.run(['--debug', ...pull(proxy.host, '--creds', creds)]);
      expect(stderr).not.toContain('very-secret');
      box.expectNothing();
    });

    test('to another host that asks for a password: it gets none', async () => {
      other.rules = ({ headers }) =>
        headers.authorization === undefined
          ? { answer: { status: 401, headers: { 'www-authenticate': 'Basic realm="give it to me"' } } }
          : undefined;
      await using proxy = await startProxy(
        registry.url,
        redirecting(() => `${other.url}/storage/blob`),
      );
      using box = new PullBox();
      const said = await box.fails(pull(proxy.host, '--creds', creds));
      expect(said).toMatch(new RegExp(`: ${other.host} answers HTTP 401 Unauthorized\n$`));
      expect(other.requests.map(({ headers }) => headers.authorization)).toEqual(other.requests.map(() => undefined));
      box.expectNothing();
    });

    test('to another name of its own: it gets them not, either', async () => {
      await using proxy = await startProxy(registry.url);
      const port = proxy.host.slice(proxy.host.indexOf(':') + 1);
      proxy.rules = (request) => {
        if (request.path === '/there') return { answer: { status: 200, body: image.layers[1]!.bytes } };
        return redirecting(() => `http://localhost:${port}/there`)(request);
      };
      using box = new PullBox();
      await box.ok(pull(proxy.host, '--creds', creds));
      expect(proxy.seen('GET', /^\/there$/).map(({ headers }) => headers.authorization)).toEqual([undefined]);
    });
  });
});

describe.skipIf(needs.skip || gate.skip)(needs.title('a registry with tokens'), () => {
  let registry: TestRegistry;
  let creds: string;
  beforeAll(async () => {
    registry = await startRegistry({ auth: 'token', anonymousPull: true });
    creds = `${registry.user}:${registry.password}`;
    await fillWith(registry, 'team/app', content);
  });
  beforeEach(() => {
    const { tokens } = registry;
    tokens!.requests.length = 0;
    tokens!.refreshTokens.clear();
    tokens!.behaviour = { lifetime: 300, field: 'token' };
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  const asked = { method: 'GET', service: 'registry.test', scopes: ['repository:team/app:pull'], status: 200 };

  test('gives one to anybody who pulls, and one is enough', async () => {
    using box = new PullBox();
    await box.ok(pull(registry.host));
    box.expectImage(image);
    expect(registry.tokens!.requests).toEqual([{ ...asked, offline: false }]);
  });

  test('gives one to who has the password, and says where it is wrong', async () => {
    using box = new PullBox();
    const said = await box.fails(pull(registry.host, '--creds', 'someone:wrong'));
    expect(said).toMatch(/incorrect username or password\n {2}hint: [^\n]*veneer login/);
    registry.tokens!.requests.length = 0;
    await box.ok(pull(registry.host, '--creds', creds));
    expect(registry.tokens!.requests).toEqual([{ ...asked, offline: false, user: registry.user }]);
  });

  test('takes access_token for its name, too', async () => {
    registry.tokens!.behaviour.field = 'access_token';
    using box = new PullBox();
    await box.ok(pull(registry.host));
  });

  test('is asked for another one when the first has expired', async () => {
    let expired = false;
    await using proxy = await startProxy(registry.url, ({ path: target }) => {
      if (!target.includes('/blobs/') || expired) return undefined;
      expired = true;
      return {
        answer: {
          status: 401,
          headers: {
            'www-authenticate': `Bearer realm="${registry.tokens!.realm}",service="registry.test",scope="repository:team/app:pull",error="invalid_token"`,
          },
        },
      };
    });
    using box = new PullBox();
    await box.ok(pull(proxy.host));
    box.expectImage(image);
    expect(registry.tokens!.requests).toHaveLength(2);
  });

  test('that gives none that is good is not asked for ever', async () => {
    registry.tokens!.behaviour.lifetime = -120;
    registry.tokens!.behaviour.toldLifetime = 300;
    using box = new PullBox();
    const said = await box.fails(pull(registry.host));
    expect(said).toContain('unauthorized');
    expect(registry.tokens!.requests.length).toBeLessThanOrEqual(2);
    box.expectNothing();
  });

  test('takes the identity token of a login, by POST and where there is none by GET', async () => {
    using box = new PullBox();
    registry.tokens!.refreshTokens.set('an identity', registry.user);
    writeDockerConfig(box, { [registry.host]: { auth: basic('<token>', ''), identitytoken: 'an identity' } });
    await box.ok(pull(registry.host));
    expect(registry.tokens!.requests).toMatchObject([
      { method: 'POST', grantType: 'refresh_token', scopes: asked.scopes, user: registry.user, status: 200 },
    ]);
  });

  test.each<[string, { status: number; headers?: Record<string, string>; body: string }]>([
    ['HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['an error', { status: 500, body: '{"errors":[{"code":"UNKNOWN","message":"the database is on fire"}]}' }],
    [
      'an error as OAuth2 words it',
      { status: 400, body: '{"error":"invalid_grant","error_description":"the grant is void"}' },
    ],
    ['no token', { status: 200, body: '{"expires_in":300}' }],
    ['a token with a new line', { status: 200, body: '{"token":"a\\r\\nX-Other: y"}' }],
    ['a huge token', { status: 200, body: JSON.stringify({ token: 'x'.repeat(9 << 20) }) }],
    ['a redirect to a file', { status: 302, headers: { location: 'file:///etc/passwd' }, body: '' }],
  ])('whose server answers %s is an error that names it', async (_, answer) => {
    registry.tokens!.behaviour.answer = answer;
    using box = new PullBox();
    const said = await box.fails(pull(registry.host, '--creds', creds));
    expect(said).toContain(registry.tokens!.host);
    box.expectNothing();
  });

  test.each<[string, (secure: TestRegistry, realm: string) => string]>([
    ['plain HTTP', (_, realm) => realm.replace('https:', 'http:')],
    ['a file', () => 'file:///etc/passwd'],
    ['no URL', () => 'nonsense'],
  ])('over TLS whose realm is %s gets no password', async (_, realmOf) => {
    await using listener = await startProxy('http://127.0.0.1:1', () => ({
      answer: { status: 200, body: '{"token":"x"}' },
    }));
    await using secure = await startRegistry({ tls: true });
    const realm = realmOf(secure, `${listener.url}/token`);
    await using proxy = await startProxy(
      'http://127.0.0.1:1',
      () => ({
        answer: { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="x"` }, body: '' },
      }),
      { tls: secure.certificates! },
    );
    mkdirSync(path.join(secure.certsDir(), proxy.host));
    writeFileSync(path.join(secure.certsDir(), proxy.host, 'ca.crt'), readFileSync(secure.ca!));
    using box = new PullBox();
    const said = await box.fails(pull(proxy.host, '--tls-verify', '--creds', creds, '--cert-dir', secure.certsDir()));
    expect(said).toContain(`${proxy.host} names a token server`);
    expect(listener.requests).toEqual([]);
  });
});
