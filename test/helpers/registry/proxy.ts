// A proxy in front of a registry that does what networks and attackers do. It writes down all that comes by.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificates } from './certificates.js';

/** What happens to one request; without any of these it passes and so does its answer. */
export interface Behaviour {
  /** Closes the connection without a word. */
  readonly close?: boolean;
  /** Reads so much of the request's body, then closes the connection: the registry sees a cut upload. */
  readonly cutRequestAfter?: number;
  /** Passes the request on, and closes the connection instead of giving its answer. */
  readonly closeInsteadOfAnswer?: boolean;
  /** Waits for this before anything else. */
  readonly after?: Promise<unknown>;
  /** Is answered here; the registry sees nothing. */
  readonly answer?: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  };
  /** The registry does not see these headers of the request. */
  readonly withoutRequestHeaders?: readonly string[];
  /** Changes headers of the answer; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly status?: number;
  /** Gives another body, and its length. */
  readonly replace?: (body: Buffer) => Uint8Array;
  /** Changes the byte at this offset of the body. */
  readonly corruptAt?: number;
  /** After so many bytes of the body: closes the connection. */
  readonly cutAfter?: number;
  /** After so many bytes of the body: says nothing any more. */
  readonly stallAfter?: number;
  /** After the body comes another one that does not end; there is no Content-Length. */
  readonly endless?: boolean;
  /** The body comes in pieces of so many bytes, with so long between them. */
  readonly slow?: { readonly bytes: number; readonly milliseconds: number };
}

export interface ProxiedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** How many with this method and path came before. */
  readonly nth: number;
  /** What was answered; 0 until then and when it was cut off before. */
  status: number;
  /** Bytes of a body that were given. */
  sent: number;
  /** Bytes of a body that came with it. */
  received: number;
}

export type Rules = (request: ProxiedRequest) => Behaviour | undefined;

export interface HostileProxy extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  readonly requests: ProxiedRequest[];
  /** May be replaced at any time. */
  rules: Rules;
  /** Requests of this method whose path matches, in the order they came. */
  seen(method: string, pattern: RegExp): ProxiedRequest[];
  stop(): Promise<void>;
}

export interface ProxyOptions {
  /** Speaks TLS with this certificate; to the registry it speaks HTTP all the same. */
  readonly tls?: Certificates;
}

/** Until a stream that is full takes more, or is gone. */
async function drained(stream: Writable): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race(['drain', 'close'].map((event) => once(stream, event, { signal }).catch(() => undefined)));
  waiting.abort();
}

async function write(response: ServerResponse, entry: ProxiedRequest, bytes: Uint8Array): Promise<void> {
  if (response.destroyed) return;
  entry.sent += bytes.length;
  if (!response.write(bytes)) await drained(response);
}

/** Closes the connection once what was written has left, as RST would take it back from the other side. */
async function cut(response: ServerResponse): Promise<void> {
  response.flushHeaders();
  const { socket } = response;
  await new Promise<void>((resolve) => {
    if (socket === null || socket.destroyed) resolve();
    else socket.write('', () => resolve());
  });
  socket?.destroySoon();
}

function bounded(chunk: Buffer, offset: number, limit: number | undefined): Buffer {
  return limit === undefined ? chunk : chunk.subarray(0, Math.max(0, limit - offset));
}

const ZEROS = Buffer.alloc(64 << 10);

async function giveBody(
  response: ServerResponse,
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  { behaviour, entry }: { behaviour: Behaviour; entry: ProxiedRequest },
): Promise<void> {
  const { corruptAt = -1, cutAfter, stallAfter, slow, endless = false } = behaviour;
  const limit = cutAfter ?? stallAfter;
  for await (const whole of body) {
    const start = entry.sent;
    const chunk = bounded(whole, start, limit);
    if (corruptAt >= start && corruptAt < start + chunk.length) chunk[corruptAt - start]! ^= 0xff;
    const step = slow?.bytes ?? chunk.length;
    for (let at = 0; at < chunk.length; at += step) {
      await write(response, entry, chunk.subarray(at, at + step));
      if (slow !== undefined) await sleep(slow.milliseconds, undefined, { ref: false });
      if (response.destroyed) return;
    }
    if (limit !== undefined && entry.sent >= limit) break;
  }
  if (cutAfter !== undefined && entry.sent >= cutAfter) {
    await cut(response);
    return;
  }
  if (stallAfter !== undefined && entry.sent >= stallAfter) {
    response.flushHeaders();
    return;
  }
  while (endless && !response.destroyed) await write(response, entry, ZEROS);
  response.end();
}

async function wholeOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** `target` is `http://HOST`. */
export async function startProxy(
  target: string,
  rules: Rules = () => undefined,
  options: ProxyOptions = {},
): Promise<HostileProxy> {
  const requests: ProxiedRequest[] = [];
  const { hostname, port } = new URL(target);
  const scheme = options.tls === undefined ? 'http' : 'https';

  async function pass(request: IncomingMessage, response: ServerResponse, entry: ProxiedRequest): Promise<void> {
    const behaviour = proxy.rules(entry) ?? {};
    await behaviour.after;
    const hangUp = (): void => response.socket?.destroySoon();
    if (behaviour.close === true) {
      hangUp();
      return;
    }
    if (behaviour.answer !== undefined) {
      const { status, headers = {}, body = '' } = behaviour.answer;
      const bytes = Buffer.from(body);
      // What it sends is read, or the connection could not be used again.
      request.resume();
      entry.status = status;
      const sized = 'content-length' in headers || behaviour.endless === true ? {} : { 'content-length': bytes.length };
      response.writeHead(status, { ...sized, ...headers });
      await giveBody(response, request.method === 'HEAD' ? [] : [bytes], { behaviour, entry });
      return;
    }
    // The address that it was asked at is what the registry writes into its answers.
    const hidden = behaviour.withoutRequestHeaders ?? [];
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hidden.includes(name)));
    headers['x-forwarded-proto'] = scheme;
    const asked = ask({ hostname, port, method: entry.method, path: entry.path, headers, agent: false });
    response.once('close', () => asked.destroy());
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      asked.once('response', resolve).on('error', reject),
    );
    answered.catch(() => undefined);
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const part = bounded(chunk, entry.received, behaviour.cutRequestAfter);
      entry.received += part.length;
      if (part.length > 0 && !asked.write(part)) await drained(asked);
      if (entry.received >= (behaviour.cutRequestAfter ?? Infinity)) {
        asked.destroy();
        hangUp();
        return;
      }
    }
    asked.end();
    const answer = await answered;
    if (behaviour.closeInsteadOfAnswer === true) {
      answer.resume();
      hangUp();
      return;
    }
    const body = behaviour.replace === undefined ? undefined : Buffer.from(behaviour.replace(await wholeOf(answer)));
    entry.status = behaviour.status ?? answer.statusCode ?? 0;
    const given: Record<string, string | string[] | undefined> = { ...answer.headers };
    if (body !== undefined) given['content-length'] = String(body.length);
    if (behaviour.endless === true) delete given['content-length'];
    Object.assign(given, behaviour.headers);
    for (const [name, value] of Object.entries(given)) if (value !== undefined) response.setHeader(name, value);
    response.writeHead(entry.status);
    const whole = body === undefined ? (answer as AsyncIterable<Buffer>) : [body];
    await giveBody(response, request.method === 'HEAD' ? [] : whole, { behaviour, entry });
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url: address = '' } = request;
    const nth = requests.filter((other) => other.method === method && other.path === address).length;
    const entry: ProxiedRequest = {
      method,
      path: address,
      headers: request.headers,
      nth,
      status: 0,
      sent: 0,
      received: 0,
    };
    requests.push(entry);
    response.on('error', () => undefined);
    // Either side may have gone away.
    pass(request, response, entry).catch(() => response.destroy());
  };
  const { tls } = options;
  const server: Server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }, listener);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const proxy: HostileProxy = {
    host,
    url: `${scheme}://${host}`,
    requests,
    rules,
    seen: (method, pattern) => requests.filter((entry) => entry.method === method && pattern.test(entry.path)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return proxy;
}
