// Requests to a registry that is not well, or not well-meaning.

import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { describe, expect, test } from 'vitest';
import { exchange } from '../../../src/registry/exchange.js';
import type { Endpoint, Repository, Wait } from '../../../src/registry/index.js';
import { basicCredential, directConfig, testClient } from '../../helpers/registry/index.js';
import { answerJson, serve } from './serve.js';
import type { Handler, Served } from './serve.js';

const MANIFEST = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' };
const giveManifest: Handler = (_, response) =>
  void response.writeHead(200, { 'content-type': MANIFEST.mediaType }).end(JSON.stringify(MANIFEST));

const isBlob = (path: string): boolean => path.includes('/blobs/');

type ClientOptions = NonNullable<Parameters<typeof testClient>[0]>;

/** Asks a server for a manifest, as all else is asked for. */
async function ask(server: { host: string }, options: ClientOptions = {}, signal?: AbortSignal): Promise<unknown> {
  await using client = testClient(options);
  const repository: Repository = client.repository({ registry: server.host, repository: 'a' });
  const { bytes } = await repository.manifest('1', { signal });
  return JSON.parse(bytes.toString());
}

const redirecting =
  (location: string | (() => string), status = 307): Handler =>
  (_, response) =>
    void response.writeHead(status, { location: typeof location === 'string' ? location : location() }).end();

/** Wants Basic, then does as `then` does. */
const guarded =
  (then: Handler): Handler =>
  (request, response) => {
    if (request.headers.authorization !== undefined) then(request, response);
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  };

const credential = basicCredential('me', 'open sesame');
const BASIC = `Basic ${Buffer.from('me:open sesame').toString('base64')}`;

describe('a redirect', () => {
  test('is followed, with what was asked for', async () => {
    await using other = await serve(giveManifest);
    await using registry = await serve(redirecting(`${other.url}/elsewhere?signature=1`));
    expect(await ask(registry)).toEqual(MANIFEST);
    expect(other.requests[0]).toMatchObject({ method: 'GET', path: '/elsewhere?signature=1' });
    expect(other.sent('accept')[0]).toContain(MANIFEST.mediaType);
  });

  test('takes credentials to its own origin only', async () => {
    await using other = await serve(giveManifest);
    await using registry = await serve(
      guarded((request, response) =>
        request.path.endsWith('/1')
          ? void response.writeHead(302, { location: '/v2/again' }).end()
          : void response.writeHead(307, { location: `${other.url}/x` }).end(),
      ),
    );
    expect(await ask(registry, { credential })).toEqual(MANIFEST);
    expect(registry.sent('authorization')).toEqual([undefined, BASIC, BASIC]);
    expect(other.sent('authorization')).toEqual([undefined]);
  });

  test('takes none back to the origin either', async () => {
    let back = '';
    await using other = await serve(redirecting(() => back));
    await using registry = await serve(
      guarded((request, response) =>
        request.path === '/back' ? giveManifest(request, response) : redirecting(`${other.url}/x`)(request, response),
      ),
    );
    back = `${registry.url}/back`;
    await expect(ask(registry, { credential })).rejects.toMatchObject({ code: 'permission' });
    expect(registry.sent('authorization')).toEqual([undefined, BASIC, undefined]);
  });

  test('to another host cannot ask for credentials', async () => {
    await using other = await serve(guarded(giveManifest));
    await using registry = await serve(redirecting(`${other.url}/x`));
    await expect(ask(registry, { credential })).rejects.toMatchObject({
      code: 'permission',
      message: `${registry.host}/a:1: ${other.host} answers HTTP 401 Unauthorized`,
    });
    expect(other.sent('authorization')).toEqual([undefined]);
  });

  test.each([
    ['file:///etc/passwd', "redirects to a 'file:' URL"],
    ['ftp://r.example/', "redirects to a 'ftp:' URL"],
    ['http://[', 'redirects to what is no URL'],
    ['https://me:secret@r.example/', 'redirects to a URL with a password in it'],
    ['http://192.0.2.1/', 'redirects to 192.0.2.1 without TLS, which is refused'],
  ])('to %s is refused', async (location, message) => {
    await using registry = await serve(redirecting(location));
    await expect(ask(registry)).rejects.toThrow(`${registry.host}/a:1: ${registry.host} ${message}`);
  });

  test('to nowhere is refused', async () => {
    await using registry = await serve((_, response) => void response.writeHead(302).end());
    await expect(ask(registry)).rejects.toThrow('redirects to nowhere');
  });

  test('in a circle, or without end, is refused', async () => {
    await using circle = await serve((request, response) =>
      redirecting(request.path.endsWith('b') ? '/a' : '/b')(request, response),
    );
    await expect(ask(circle)).rejects.toThrow('redirects in a circle');
    let nth = 0;
    await using endless = await serve(redirecting(() => `/${String((nth += 1))}`));
    await expect(ask(endless)).rejects.toThrow('more than 10 redirects');
    expect(nth).toBe(11);
  });
});

describe('a registry that fails', () => {
  const failing = (times: number, fail: Handler): Promise<Served> => {
    let left = times;
    return serve((request, response) => ((left -= 1) >= 0 ? fail(request, response) : giveManifest(request, response)));
  };

  test.each([408, 429, 500, 502, 503, 504])('with HTTP %i is asked again', async (status) => {
    await using registry = await failing(2, (_, response) => void response.writeHead(status).end());
    const waits: Wait[] = [];
    expect(await ask(registry, { onWait: (wait) => waits.push(wait) })).toEqual(MANIFEST);
    const reason = status === 429 ? 'rate limit' : `HTTP ${String(status)}`;
    expect(waits.map((wait) => [wait.registry, wait.reason])).toEqual(Array(2).fill([registry.host, reason]));
  });

  test('by closing the connection is asked again', async () => {
    await using registry = await failing(2, (_, response) => void response.destroy());
    expect(await ask(registry)).toEqual(MANIFEST);
  });

  test('in the middle of a manifest is asked again', async () => {
    await using registry = await failing(1, (_, response) => {
      response.writeHead(200, { 'content-type': MANIFEST.mediaType, 'content-length': '100' }).write('{');
      setTimeout(() => response.destroy(), 10);
    });
    expect(await ask(registry)).toEqual(MANIFEST);
  });

  test('is asked so many times and no more', async () => {
    await using registry = await failing(9, (_, response) =>
      answerJson(response, { errors: [{ code: 'UNAVAILABLE', message: 'down for repairs' }] }, 503),
    );
    await expect(ask(registry, { retry: { attempts: 3, delay: 1 } })).rejects.toMatchObject({
      code: 'unavailable',
      message: `${registry.host}/a:1: the registry says: unavailable: down for repairs`,
    });
    expect(registry.requests).toHaveLength(3);
  });

  test('and says when to come again is believed', async () => {
    await using registry = await failing(
      1,
      (_, response) => void response.writeHead(429, { 'retry-after': '86400' }).end(),
    );
    await expect(ask(registry)).rejects.toMatchObject({
      code: 'unavailable',
      hint: 'the registry asks to come again in 24 hours',
    });
  });

  test.each([400, 404, 405, 410, 451, 501])('with HTTP %i is not', async (status) => {
    await using registry = await failing(9, (_, response) => void response.writeHead(status).end());
    await expect(ask(registry)).rejects.toThrow(`answers HTTP ${String(status)}`);
    expect(registry.requests).toHaveLength(1);
  });

  test('where nobody is, it is not waited for', async () => {
    await using gone = await serve(giveManifest);
    await gone[Symbol.asyncDispose]();
    const waits: Wait[] = [];
    await expect(ask(gone, { onWait: (wait) => waits.push(wait) })).rejects.toThrow(
      `${gone.host}/a:1: ${gone.host}: connection refused (ECONNREFUSED)`,
    );
    expect(waits).toEqual([]);
  });
});

describe('an answer', () => {
  test('that does not come is not waited for without end', async () => {
    await using registry = await serve(() => undefined);
    const timeouts = { connect: 20, headers: 60 };
    await expect(ask(registry, { timeouts, retry: { attempts: 2, delay: 1 } })).rejects.toThrow('does not answer');
    expect(registry.requests).toHaveLength(2);
  });

  test('that stops in the middle is not waited for without end', async () => {
    await using registry = await serve((_, response) => {
      response.writeHead(200, { 'content-type': MANIFEST.mediaType }).write('{');
    });
    const timeouts = { idle: 60 };
    await expect(ask(registry, { timeouts, retry: { attempts: 2, delay: 1 } })).rejects.toThrow('nothing came for');
    expect(registry.requests).toHaveLength(2);
  });

  test('that is HTML is not shown', async () => {
    await using registry = await serve(
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>please log in</html>'),
    );
    await expect(ask(registry)).rejects.toThrow(
      `${registry.host}/a:1: ${registry.host} sends text/html that is not JSON as a manifest`,
    );
  });

  test('of any length is read so far and no further', async () => {
    await using registry = await serve((_, response) => {
      response.writeHead(200, { 'content-type': MANIFEST.mediaType });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
      };
      response.on('drain', more);
      more();
    });
    await expect(ask(registry)).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('manifest of more than 8388608 bytes') as unknown,
    });
  });

  test('of an error is read so far and no further', async () => {
    await using registry = await serve((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 0x20)));
      };
      response.on('drain', more);
      more();
    });
    await expect(ask(registry)).rejects.toThrow('answers HTTP 400 Bad Request and a body of application/json');
  });

  test('that is encoded is refused', async () => {
    await using registry = await serve(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    );
    await expect(ask(registry)).rejects.toThrow('sends it encoded, which was not asked for');
    expect(registry.sent('accept-encoding')).toEqual(['identity']);
  });

  test('does not bring back what was sent', async () => {
    await using registry = await serve(
      guarded((request, response) => {
        const [, sent = ''] = (request.headers.authorization ?? '').split(' ');
        const message = `you are ${Buffer.from(sent, 'base64').toString()}, by ${sent}\x1b[2J`;
        answerJson(response, { errors: [{ code: 'DENIED', message }] }, 403);
      }),
    );
    await expect(ask(registry, { credential })).rejects.toMatchObject({
      message: `${registry.host}/a:1: the registry says: denied: you are me:***, by ***\\x1b[2J`,
    });
  });

  test('that is no HTTP is told of', async () => {
    const server = createServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    await expect(ask({ host })).rejects.toThrow(`${host} does not speak HTTP`);
    server.close();
  });
});

describe('a signal', () => {
  const stop = new Error('stop');

  test.each<[string, Handler]>([
    ['before the answer', () => undefined],
    ['in the middle of it', (_, response) => void response.writeHead(200).write('{')],
    ['between attempts', (_, response) => void response.writeHead(503).end()],
  ])('ends a request %s', async (_when, handler) => {
    const abort = new AbortController();
    await using registry = await serve((request, response) => {
      handler(request, response);
      setTimeout(() => abort.abort(stop), 30);
    });
    await expect(ask(registry, { retry: { delay: 60_000 } }, abort.signal)).rejects.toBe(stop);
  });

  test('that is aborted already lets nothing be sent', async () => {
    await using registry = await serve(giveManifest);
    await expect(ask(registry, {}, AbortSignal.abort(stop))).rejects.toBe(stop);
    expect(registry.requests).toEqual([]);
  });
});

describe('without TLS', () => {
  test('only what may be is spoken to', async () => {
    await using registry = await serve(giveManifest);
    await expect(ask(registry, { config: directConfig({ verify: true }) })).rejects.toMatchObject({
      code: 'unavailable',
      message: `${registry.host}/a:1: ${registry.host} does not speak TLS`,
      hint: 'a registry without TLS is spoken to with --tls-verify=false',
    });
    expect(registry.requests).toEqual([]);
    expect(await ask(registry, { config: directConfig({ verify: false }) })).toEqual(MANIFEST);
  });

  test('a host is not spoken to only because it was for an endpoint that may', async () => {
    await using registry = await serve(giveManifest);
    const [base] = directConfig().endpoints({ registry: registry.host, repository: 'a' }, {});
    const verifying = (verify: boolean): Endpoint => ({ ...base!, tls: { verify }, isMirror: !verify });
    const config = { endpoints: (_: unknown, { reference = '' }) => [verifying(reference !== 'careless')] };
    await using client = testClient({ config });
    const repository = client.repository({ registry: registry.host, repository: 'a' });
    await repository.manifest('careless');
    await expect(repository.manifest('strict')).rejects.toThrow('does not speak TLS');
    expect(registry.requests).toHaveLength(1);
  });

  test('TLS is tried once, not before each request', async () => {
    let handshakes = 0;
    await using registry = await serve(giveManifest);
    const door = createServer((socket) => {
      socket.once('data', (first: Buffer) => {
        if (first[0] === 0x16) handshakes += 1;
        const behind = connect(Number(registry.host.split(':')[1]), '127.0.0.1');
        behind.write(first);
        socket.pipe(behind).pipe(socket);
        for (const one of [socket, behind]) one.on('error', () => undefined);
      });
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    await using client = testClient();
    const repository = client.repository({
      registry: `127.0.0.1:${String((door.address() as AddressInfo).port)}`,
      repository: 'a',
    });
    for (const tag of ['1', '2', '3']) await repository.manifest(tag);
    expect(handshakes).toBe(1);
    door.close();
  });
});

describe('a name', () => {
  test.each(['https://r.example', 'r.example/a', 'me:secret@r.example', 'r.example:x', '', '[::1', 'r example'])(
    'of a registry is not %j',
    async (registry) => {
      await using client = testClient();
      const problem = { code: 'invalid', message: 'the name of a registry is HOST[:PORT]' };
      expect(() => client.repository({ registry, repository: 'a' })).toThrow(expect.objectContaining(problem) as Error);
      await expect(client.login(registry, credential)).rejects.toMatchObject(problem);
    },
  );

  test.each(['..', '../a', 'a/../b', 'a//b', '/a', 'a/', 'a?b', 'a#b', 'a%2fb', 'A', ''])(
    'of a repository is not %j',
    async (repository) => {
      await using client = testClient();
      expect(() => client.repository({ registry: 'r.example', repository })).toThrow('is not the name of a repository');
    },
  );

  test.each(['localhost', '127.0.0.1:5000', '[::1]:5000', 'r_1.example', 'R.example'])(
    'may be %s',
    async (registry) => {
      await using client = testClient();
      expect(client.repository({ registry, repository: 'a/b__c/d-e.f' }).name.registry).toBe(registry);
    },
  );
});

describe('content to send', () => {
  const stream = async function* (): AsyncGenerator<Uint8Array, void> {
    for (let nth = 0; nth < 1000; nth += 1) {
      await sleep(1);
      yield Buffer.alloc(64 << 10);
    }
  };

  /** Sends a stream of 64 MB to a server that does not wait for its end. */
  async function send(server: { host: string }, signal?: AbortSignal): Promise<number> {
    const dispatcher = new Agent();
    try {
      const url = new URL(`http://${server.host}/`);
      const timeouts = { connect: 1000, headers: 1000, idle: 1000 };
      const reply = await exchange(
        { method: 'PUT', url, headers: { 'content-length': String(1000 * (64 << 10)) }, body: stream },
        { party: { subject: 'x', host: server.host }, dispatcher, timeouts, signal },
      );
      reply.body.discard();
      return reply.status;
    } finally {
      await dispatcher.destroy();
    }
  }

  const raw = async (onData: (socket: Socket) => void): Promise<{ host: string; close: () => void }> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => onData(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, close: () => server.close() };
  };

  test('is not sent on after an answer', async () => {
    const server = await raw((socket) => void socket.write('HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n'));
    expect(await send(server)).toBe(401);
    server.close();
  });

  test('whose taker goes away is a connection that failed', async () => {
    const server = await raw((socket) => void socket.destroy());
    await expect(send(server)).rejects.toMatchObject({ code: 'unavailable' });
    server.close();
  });

  test('is not sent on after its signal', async () => {
    const abort = new AbortController();
    const server = await raw(() => abort.abort(new Error('stop')));
    await expect(send(server, abort.signal)).rejects.toThrow('stop');
    server.close();
  });

  test('nobody takes is not offered without end', async () => {
    const server = await raw((socket) => void socket.pause());
    await expect(send(server)).rejects.toThrow('does not answer within 1 s');
    server.close();
  });
});

test('a token that is waited for does not outlive the client', async () => {
  await using registry = await serve((request, response) => {
    if (request.path.startsWith('/token')) response.writeHead(503, { 'retry-after': '200' }).end();
    else
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host ?? ''}/token"` })
        .end();
  });
  const client = testClient({ onWait: () => void client[Symbol.asyncDispose]() });
  const repository = client.repository({ registry: registry.host, repository: 'a' });
  await expect(repository.manifest('1')).rejects.toThrow('the connections to registries were closed');
});

test('a client that is disposed of leaves nothing behind', async () => {
  await using registry = await serve((request, response) => {
    if (isBlob(request.path)) response.writeHead(200).write('x');
    else giveManifest(request, response);
  });
  const client = testClient();
  const repository = client.repository({ registry: registry.host, repository: 'a' });
  const digest = (await repository.manifest('1')).digest;
  const blob = repository.blob({ digest, size: 1000 }).read()[Symbol.asyncIterator]();
  await blob.next();
  const rest = blob.next();
  rest.catch(() => undefined);
  await client[Symbol.asyncDispose]();
  await expect(rest).rejects.toThrow();
  await sleep(1);
});
