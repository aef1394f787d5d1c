// Requests to one endpoint: with what it wants to see (Authorization), where it sends us (redirects), as often as it takes.

import type { Endpoint } from './access/index.js';
import type { Authorization, Authorizer } from './authorizer.js';
import { parseChallenges } from './challenge.js';
import type { Connections } from './connections.js';
import { mayBePlain } from './connections.js';
import { misbehaviour, refusal, RegistryFailure } from './errors.js';
import { exchange, single } from './exchange.js';
import type { Content, Incoming, Method, Timeouts } from './exchange.js';
import { checkPlain, isRedirect, MAX_REDIRECTS, resolveLocation } from './redirect.js';
import { parseRetryAfter, withRetries } from './retry.js';
import type { RetryPolicy } from './retry.js';
import { userAgent } from './user-agent.js';

export interface TransportRequest {
  readonly method: Method;
  /** Below the repository (`blobs/uploads/`), below the host (`/v2/_catalog`), or, as a Location gave it, a whole URL. */
  readonly path?: string;
  readonly url?: URL;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Content | undefined;
  /** Of a body that is read on the way, in bytes. */
  readonly length?: number;
  readonly scope: 'pull' | 'push' | { readonly name: string };
  /** Other repositories of the same registry that are read from, for mounts. */
  readonly alsoPull?: readonly string[];
  /** Statuses that are answers; any other is thrown, as the registry words it. */
  readonly accept: readonly number[];
  readonly retry: boolean;
  readonly signal?: AbortSignal | undefined;
  /** What is to be had, for messages; by default the repository's name. */
  readonly subject?: string;
}

export type Reply = Incoming;

export interface Transport {
  /** The answer, whose body is to be read or discarded. */
  send(request: TransportRequest): Promise<Reply>;
  /** What `read` makes of the answer; an answer that is cut off on the way is asked for again. */
  take<T>(request: TransportRequest, read: (reply: Reply) => Promise<T>): Promise<T>;
}

/** What is known of hosts, for as long as a client lives. */
export class KnownHosts {
  readonly schemes = new Map<string, 'http' | 'https'>();
  /** Those that have answered anything. */
  readonly answering = new Set<string>();
}

export interface EndpointOptions {
  readonly endpoint: Endpoint;
  readonly connections: Connections;
  readonly hosts: KnownHosts;
  readonly authorizer: Authorizer;
  readonly policy: RetryPolicy;
  readonly timeouts: Timeouts;
  /** What messages name if a request does not. */
  readonly subject: string;
}

/** The first part of a body that explains an error. */
const MAX_EXPLANATION = 64 * 1024;
/** Without credentials; with those of before, which may have expired; with new ones. */
const MAX_ROUNDS = 3;

/** Docker Hub is known by one name and served at another. */
function hostOf(endpoint: Endpoint): string {
  return endpoint.origin === 'docker.io' ? 'registry-1.docker.io' : endpoint.origin;
}

export class EndpointTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly #options: EndpointOptions;
  readonly #host: string;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.#host = hostOf(options.endpoint);
  }

  send(request: TransportRequest): Promise<Reply> {
    return this.take(request, (reply) => Promise.resolve(reply));
  }

  take<T>(request: TransportRequest, read: (reply: Reply) => Promise<T>): Promise<T> {
    const { policy, endpoint } = this.#options;
    return withRetries(async () => read(await this.#attempt(request)), {
      policy: request.retry ? policy : { ...policy, attempts: 1 },
      registry: endpoint.credentialsOf.registry,
      signal: request.signal,
    });
  }

  async #attempt(request: TransportRequest): Promise<Reply> {
    const { authorizer } = this.#options;
    const scopes = this.#scopes(request);
    for (let round = 1; ; round += 1) {
      const authorization = await authorizer.authorization({
        scopes,
        subject: this.#subject(request),
        signal: request.signal,
      });
      const { reply, isOwn } = await this.#follow(request, authorization);
      if (request.accept.includes(reply.status)) return checkEncoding(this.#subject(request), reply);
      if (reply.status === 401 && isOwn && round < MAX_ROUNDS) {
        const challenges = parseChallenges(reply.headers['www-authenticate']);
        if (
          await authorizer.learn({ challenges, sent: authorization, from: reply.url, scopes, signal: request.signal })
        ) {
          reply.body.discard();
          continue;
        }
      }
      throw await this.#refusal(request, { reply, isOwn, authorization });
    }
  }

  /** Goes where the answers send us; `isOwn` if the last one is still the endpoint's own. */
  async #follow(
    request: TransportRequest,
    authorization: Authorization | undefined,
  ): Promise<{ reply: Reply; isOwn: boolean }> {
    const subject = this.#subject(request);
    const { endpoint } = this.#options;
    let { reply, isOwn } = await this.#first(request, authorization);
    const seen = new Set([reply.url.href]);
    while (isRedirect(reply.status) && !request.accept.includes(reply.status)) {
      const from = reply.url;
      reply.body.discard();
      const isReading = request.method === 'GET' || request.method === 'HEAD';
      if (!isReading && reply.status !== 307 && reply.status !== 308) {
        throw misbehaviour(
          subject,
          `${from.host} answers ${request.method} with a redirect (HTTP ${String(reply.status)})`,
        );
      }
      const url = resolveLocation(subject, single(reply.headers, 'location'), from);
      checkPlain(subject, endpoint, { url, from });
      if (seen.has(url.href)) throw misbehaviour(subject, `${from.host} redirects in a circle`);
      if (seen.size > MAX_REDIRECTS) throw misbehaviour(subject, `more than ${String(MAX_REDIRECTS)} redirects, the last one from ${from.host}`); // prettier-ignore
      seen.add(url.href);
      // Once it has been elsewhere it is a stranger's request, also if it comes back.
      isOwn &&= url.origin === from.origin;
      reply = await this.#exchange(url, { request, authorization: isOwn ? authorization : undefined });
    }
    return { reply, isOwn };
  }

  /** The endpoint's own answer. Where it may do without TLS and does, it is spoken to without. */
  async #first(
    request: TransportRequest,
    authorization: Authorization | undefined,
  ): Promise<{ reply: Reply; isOwn: boolean }> {
    const { hosts, endpoint } = this.#options;
    if (request.url !== undefined) {
      const own = this.#base(this.#knownScheme ?? 'https');
      checkPlain(this.#subject(request), endpoint, { url: request.url, from: own });
      const isOwn = request.url.origin === own.origin;
      const reply = await this.#exchange(request.url, { request, authorization: isOwn ? authorization : undefined });
      return { reply, isOwn };
    }
    const at = (scheme: 'http' | 'https'): Promise<Reply> =>
      this.#exchange(this.#url(request, scheme), { request, authorization });
    const known = this.#knownScheme;
    if (known !== undefined) return { reply: await at(known), isOwn: true };
    try {
      const reply = await at('https');
      hosts.schemes.set(this.#host, 'https');
      return { reply, isOwn: true };
    } catch (error) {
      if (!this.#mayTryPlain(error)) throw error;
    }
    const reply = await at('http');
    // What a server of TLS says to plain HTTP.
    if (reply.status !== 400) hosts.schemes.set(this.#host, 'http');
    return { reply, isOwn: true };
  }

  #mayTryPlain(error: unknown): boolean {
    if (!(error instanceof RegistryFailure) || !mayBePlain(this.endpoint, this.#base('https'))) return false;
    // Without a port, the two are at two ports.
    return error.connection === 'not-tls' || (error.connection === 'nobody' && !/:\d+$/.test(this.#host));
  }

  /** How the host was spoken to before; perhaps for an endpoint of the same host that may do without TLS. */
  get #knownScheme(): 'http' | 'https' | undefined {
    const known = this.#options.hosts.schemes.get(this.#host);
    return known === 'http' && !mayBePlain(this.endpoint, this.#base('http')) ? undefined : known;
  }

  async #exchange(
    url: URL,
    { request, authorization }: { request: TransportRequest; authorization: Authorization | undefined },
  ): Promise<Reply> {
    const { connections, timeouts, hosts, endpoint } = this.#options;
    const { method, body, length, signal } = request;
    const headers = {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': userAgent(),
      ...(length === undefined ? {} : { 'content-length': String(length) }),
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization: authorization.header }),
    };
    const way = connections.way(endpoint, { url, subject: this.#subject(request) });
    try {
      const reply = await exchange({ method, url, headers, body }, { ...way, timeouts, signal });
      hosts.answering.add(url.host);
      return reply;
    } catch (error) {
      // Who never was there is not waited for.
      const isStranger = error instanceof RegistryFailure && error.connection === 'nobody';
      throw isStranger && !hosts.answering.has(url.host) ? error.asFinal() : error;
    }
  }

  #base(scheme: 'http' | 'https'): URL {
    return new URL(`${scheme}://${this.#host}${this.endpoint.prefix}/`);
  }

  #url(request: TransportRequest, scheme: 'http' | 'https'): URL {
    const { path = '', query = {} } = request;
    const below = path.startsWith('/') ? path.slice(1) : `v2/${this.endpoint.repository}/${path}`;
    const url = new URL(below, this.#base(scheme));
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  #scopes({ scope, alsoPull = [] }: TransportRequest): string[] {
    if (typeof scope === 'object') return scope.name === '' ? [] : [scope.name];
    const own = `repository:${this.endpoint.repository}:${scope === 'push' ? 'pull,push' : 'pull'}`;
    return [own, ...alsoPull.map((other) => `repository:${other}:pull`)];
  }

  #subject(request: TransportRequest): string {
    return request.subject ?? this.#options.subject;
  }

  async #refusal(
    request: TransportRequest,
    { reply, isOwn, authorization }: { reply: Reply; isOwn: boolean; authorization: Authorization | undefined },
  ): Promise<RegistryFailure> {
    return refusal({
      subject: this.#subject(request),
      host: reply.url.host,
      elsewhere: isOwn ? undefined : 'redirect',
      status: reply.status,
      contentType: single(reply.headers, 'content-type'),
      body: await reply.body.beginning(MAX_EXPLANATION),
      secrets: authorization?.secrets ?? [],
      user: authorization?.user,
      registry: this.endpoint.credentialsOf.registry,
      retryAfter: parseRetryAfter(single(reply.headers, 'retry-after')),
    });
  }
}

/** Content is named by the digest of what is stored: an encoding of it for the way is not asked for, and not taken. */
function checkEncoding(subject: string, reply: Reply): Reply {
  const encoding = single(reply.headers, 'content-encoding');
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return reply;
  reply.body.discard();
  throw misbehaviour(subject, `${reply.url.host} sends it encoded, which was not asked for`);
}
