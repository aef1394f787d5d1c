// Token servers: asked for what is needed, told no more than they must know, not always honest.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../src/core/index.js';
import { Secret } from '../../../src/registry/index.js';
import type { Credential } from '../../../src/registry/index.js';
import { basicCredential, testClient } from '../../helpers/registry/index.js';
import { answerJson, serve } from './serve.js';
import type { Handler, SeenRequest, Served } from './serve.js';

const MANIFEST = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' };
const BASIC = `Basic ${Buffer.from('me:open sesame').toString('base64')}`;
const me = basicCredential('me', 'open sesame');

const tokenOf = ({ headers }: SeenRequest): string => (headers.authorization ?? '').replace('Bearer ', '');

interface Pair extends AsyncDisposable {
  readonly registry: Served;
  readonly server: Served;
}

interface PairOptions {
  /** How the token server answers; by default with t1, t2, … */
  readonly give?: Handler;
  /** Whether the registry takes a token; by default all but the empty one. */
  readonly takes?: (token: string, request: SeenRequest) => boolean;
  readonly challenge?: (realm: string, request: SeenRequest) => string | string[];
}

/** A registry that wants tokens, and a server that has them. */
async function pair({ give, takes = (token) => token !== '', challenge }: PairOptions = {}): Promise<Pair> {
  let given = 0;
  const server = await serve((request, response) => {
    if (give === undefined) answerJson(response, { token: `t${String((given += 1))}` });
    else give(request, response);
  });
  const registry = await serve((request, response) => {
    if (takes(tokenOf(request), request)) {
      response.writeHead(200, { 'content-type': MANIFEST.mediaType }).end(JSON.stringify(MANIFEST));
      return;
    }
    const wanted = `Bearer realm="${server.url}/token",service="reg"`;
    response.writeHead(401, { 'www-authenticate': challenge?.(`${server.url}/token`, request) ?? wanted }).end();
  });
  return {
    registry,
    server,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function ask({ registry }: Pair, credential?: Credential, times = 1): Promise<void> {
  await using client = testClient({ ...(credential && { credential }), retry: { attempts: 2, delay: 1 } });
  const repository = client.repository({ registry: registry.host, repository: 'team/a' });
  for (let nth = 0; nth < times; nth += 1) await repository.manifest('1');
}

const queryOf = ({ path }: SeenRequest): Record<string, string[]> => {
  const { searchParams } = new URL(path, 'http://x');
  return Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]));
};

afterEach(() => vi.useRealTimers());

describe('a token', () => {
  test('is asked for with who one is, for what is needed', async () => {
    await using both = await pair();
    await ask(both, me);
    expect(both.server.requests).toHaveLength(1);
    expect(queryOf(both.server.requests[0]!)).toEqual({
      service: ['reg'],
      scope: ['repository:team/a:pull'],
      account: ['me'],
    });
    expect(both.server.sent('authorization')).toEqual([BASIC]);
    // The password itself is not for the registry.
    expect(both.registry.sent('authorization')).toEqual([undefined, 'Bearer t1']);
  });

  test('is given to anybody by some', async () => {
    await using both = await pair();
    await ask(both);
    expect(both.server.sent('authorization')).toEqual([undefined]);
    expect(both.registry.sent('authorization')).toEqual([undefined, 'Bearer t1']);
  });

  test('is used again, without being asked for one', async () => {
    await using both = await pair();
    await ask(both, me, 3);
    expect(both.registry.sent('authorization')).toEqual([undefined, ...Array<string>(3).fill('Bearer t1')]);
    expect(both.server.requests).toHaveLength(1);
  });

  test('is shared by requests at the same time', async () => {
    await using both = await pair();
    await using client = testClient({ credential: me });
    const repository = client.repository({ registry: both.registry.host, repository: 'team/a' });
    await Promise.all(['1', '2', '3', '4'].map((tag) => repository.manifest(tag)));
    expect(both.server.requests).toHaveLength(1);
  });

  test('whose asker gives up is still there for the others', async () => {
    const abort = new AbortController();
    await using both = await pair({
      give: (_, response) => {
        abort.abort(new Error('stop'));
        setTimeout(() => answerJson(response, { token: 't' }), 30);
      },
    });
    await using client = testClient();
    const repository = client.repository({ registry: both.registry.host, repository: 'team/a' });
    const first = repository.manifest('1', { signal: abort.signal });
    const second = repository.manifest('1');
    await expect(first).rejects.toThrow('stop');
    expect((await second).digest).toBe(digestOf(JSON.stringify(MANIFEST)));
  });

  test('lives as long as its server says, and a minute at least', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const [life, seconds, count] of [
      [300, 299, 1],
      [300, 301, 2],
      [1, 59, 1],
      [undefined, 61, 2],
      [-5, 59, 1],
    ] as const) {
      await using both = await pair({
        give: (_, response) => answerJson(response, { access_token: 't', expires_in: life }),
      });
      await using client = testClient();
      const repository = client.repository({ registry: both.registry.host, repository: 'team/a' });
      await repository.manifest('1');
      vi.setSystemTime(Date.now() + seconds * 1000);
      await repository.manifest('1');
      expect([life, seconds, both.server.requests.length]).toEqual([life, seconds, count]);
    }
  });

  test('that is not taken any more is replaced', async () => {
    let uses = 0;
    await using both = await pair({
      takes: (token) => token === 't2' || (token === 't1' && (uses += 1) <= 2),
    });
    await ask(both, me, 4);
    expect(both.server.requests).toHaveLength(2);
    expect(both.registry.sent('authorization').slice(1)).toEqual(['t1', 't1', 't1', 't2', 't2'].map((it) => `Bearer ${it}`)); // prettier-ignore
  });

  test('that is new and not taken is the end of it', async () => {
    await using both = await pair({ takes: () => false });
    await expect(ask(both, me)).rejects.toMatchObject({ code: 'permission' });
    expect(both.server.requests).toHaveLength(1);
  });

  test('is asked for again with what the registry wants besides', async () => {
    const wanted = 'repository:team/a:pull,push,delete registry:catalog:* repository:base/b:pull';
    await using both = await pair({ challenge: (realm) => `Bearer realm="${realm}?a=1",scope="${wanted}"` });
    await ask(both);
    expect(queryOf(both.server.requests[0]!)).toEqual({
      a: ['1'],
      scope: ['repository:team/a:pull', 'registry:catalog:*', 'repository:base/b:pull'],
    });
  });

  test('is preferred to sending the password', async () => {
    await using both = await pair({ challenge: (realm) => ['Basic realm="x"', `Bearer realm="${realm}"`] });
    await ask(both, me);
    expect(both.registry.sent('authorization')).toEqual([undefined, 'Bearer t1']);
  });
});

describe('a token kept instead of the password', () => {
  const identity: Credential = { kind: 'identity-token', token: new Secret('long-lived'), username: 'me' };

  test('is posted', async () => {
    await using both = await pair();
    await ask(both, identity);
    const [request] = both.server.requests;
    expect([request?.method, request?.path, request?.headers.authorization]).toEqual(['POST', '/token', undefined]);
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'veneer',
      refresh_token: 'long-lived',
      service: 'reg',
      scope: 'repository:team/a:pull',
    });
  });

  test.each([404, 405])('is sent as a password where posting is HTTP %i', async (status) => {
    await using both = await pair({
      give: (request, response) =>
        request.method === 'POST' ? answerJson(response, {}, status) : answerJson(response, { token: 't' }),
    });
    await ask(both, identity);
    expect(both.server.sent('authorization')).toEqual([
      undefined,
      `Basic ${Buffer.from('me:long-lived').toString('base64')}`,
    ]);
  });

  test('is not sent to a registry that wants a password', async () => {
    await using both = await pair({ challenge: () => 'Basic realm="x"' });
    await expect(ask(both, identity)).rejects.toMatchObject({ code: 'permission' });
    expect(both.registry.sent('authorization')).toEqual([undefined]);
  });

  test('is what a login may give', async () => {
    await using both = await pair({
      give: (_, response) => answerJson(response, { token: 't', refresh_token: 'long-lived' }),
    });
    await using client = testClient();
    const { identityToken } = await client.login(both.registry.host, me);
    expect(identityToken?.reveal()).toBe('long-lived');
    expect(queryOf(both.server.requests[0]!)).toMatchObject({ offline_token: ['true'], client_id: ['veneer'] });
  });
});

test('a login is not believed by a web page', async () => {
  await using portal = await serve(
    (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('x'),
  );
  await using client = testClient();
  await expect(client.login(portal.host, me)).rejects.toThrow(`${portal.host} answers with a web page`);
  await using open = await serve((_, response) => answerJson(response, {}));
  expect(await client.login(open.host, me)).toEqual({});
});

describe('a token server that', () => {
  test.each([
    ['file:///etc/passwd', 'by a URL that cannot be used'],
    ['https://me:secret@auth.example/', 'by a URL that cannot be used'],
    ['/token', 'that is no URL'],
    ['', 'that is no URL'],
    ['http://192.0.2.1/token', 'without TLS, 192.0.2.1, which is refused'],
  ])('is at %j is not asked', async (realm, message) => {
    await using both = await pair({ challenge: () => `Bearer realm="${realm}"` });
    await expect(ask(both, me)).rejects.toMatchObject({
      code: 'unavailable',
      message: `${both.registry.host}/team/a:1: ${both.registry.host} names a token server ${message}`,
    });
  });

  test('sends us elsewhere is followed on its own host only', async () => {
    await using other = await serve((_, response) => answerJson(response, { token: 'stolen' }));
    await using moved = await pair({
      give: (request, response) =>
        request.path === '/other'
          ? answerJson(response, { token: 't' })
          : void response.writeHead(307, { location: '/other' }).end(),
    });
    await ask(moved, me);
    expect(moved.server.sent('authorization')).toEqual([BASIC, BASIC]);
    await using leaving = await pair({
      give: (_, response) => void response.writeHead(307, { location: `${other.url}/` }).end(),
    });
    await expect(ask(leaving, me)).rejects.toThrow('redirects to');
    expect(other.requests).toEqual([]);
  });

  test.each<[string, (response: Parameters<Handler>[1]) => void, string]>([
    ['gives HTML', (r) => void r.writeHead(200).end('<html>'), 'answers with something else than a token'],
    ['gives null', (r) => answerJson(r, null), 'answers with something else than a token'],
    ['gives nothing', (r) => answerJson(r, {}), 'gives no token'],
    ['gives a number', (r) => answerJson(r, { token: 5 }), 'gives no token'],
    ['gives two lines', (r) => answerJson(r, { token: 'a\r\nX-Evil: 1' }), 'gives no token'],
    ['gives no end of it', (r) => void r.writeHead(200).end(Buffer.alloc(2 << 20, 0x20)), 'sends a token of more than'],
  ])('%s is no help', async (_what, give, message) => {
    await using both = await pair({ give: (_, response) => give(response) });
    await expect(ask(both, me)).rejects.toThrow(message);
  });

  test('does not know us says so, and nothing of what it was sent', async () => {
    await using both = await pair({
      give: (request, response) => {
        const sent = (request.headers.authorization ?? '').slice(6);
        answerJson(response, { details: `${Buffer.from(sent, 'base64').toString()} (${sent}) is wrong` }, 401);
      },
    });
    await expect(ask(both, me)).rejects.toMatchObject({
      code: 'permission',
      message: `${both.registry.host}/team/a:1: the token server ${both.server.host} says: me:*** (***) is wrong`,
    });
    expect(both.server.requests).toHaveLength(1);
  });

  test('is not where it was said to be gives no access', async () => {
    await using both = await pair({ give: (_, response) => answerJson(response, {}, 404) });
    await using client = testClient({ credential: me });
    const repository = client.repository({ registry: both.registry.host, repository: 'team/a' });
    // Not: there is no such image.
    await expect(repository.head('1')).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining(`the token server ${both.server.host} answers HTTP 404`) as unknown,
    });
  });

  test('is busy is asked again, so many times and no more', async () => {
    let left = 1;
    const give: Handler = (_, response) => answerJson(response, { token: 't' }, (left -= 1) >= 0 ? 503 : 200);
    await using both = await pair({ give });
    await ask(both, me);
    expect(both.server.requests).toHaveLength(2);
    left = 9;
    await expect(ask(both, me)).rejects.toMatchObject({ code: 'unavailable' });
    expect(both.server.requests).toHaveLength(4);
  });
});
