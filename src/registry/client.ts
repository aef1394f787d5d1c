// The way to registries: repositories to read from and write to, logging in, catalogs.

import { VeneerError } from '../core/index.js';
import { Secret } from './access/index.js';
import type { Credential, CredentialSource, Endpoint, RegistryConfig } from './access/index.js';
import { Authorizer } from './authorizer.js';
import { Connections } from './connections.js';
import { misbehaviour, RegistryFailure, shownText } from './errors.js';
import { single } from './exchange.js';
import { listed } from './pages.js';
import { RemoteRepository } from './repository.js';
import type { Repository, RepositoryName, RequestOptions } from './repository.js';
import type { RetryPolicy, Wait } from './retry.js';
import { Tokens } from './tokens.js';
import { EndpointTransport, KnownHosts } from './transport.js';

export interface RegistryClientOptions {
  readonly config: RegistryConfig;
  readonly credentials: CredentialSource;
  /** `attempts` in all, default 5; `delay`: milliseconds before the second (default 1000), doubled with jitter, at most 30 s. */
  readonly retry?: { readonly attempts?: number; readonly delay?: number };
  /** Milliseconds: to connect (30 s), to the head of an answer (120 s), without a byte of a body (60 s). */
  readonly timeouts?: { readonly connect?: number; readonly headers?: number; readonly idle?: number };
  readonly onWait?: (wait: Wait) => void;
  /** For HTTP_PROXY, HTTPS_PROXY and NO_PROXY; default process.env. */
  readonly env?: NodeJS.ProcessEnv;
}

const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;
/** Part of a path: nothing that would lead out of it. The grammar proper is the reference parser's. */
const REPOSITORY = /^(?:[a-z0-9]+(?:[._-]+[a-z0-9]+)*\/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;

/** What is no host is not shown: it may be a URL with a password. */
function checkHost(registry: string): void {
  if (HOST.test(registry)) return;
  throw new VeneerError('invalid', 'the name of a registry is HOST[:PORT]', {
    hint: 'leave out https:// and any path',
  });
}

const MAX_JSON = 4 * 1024 * 1024;

export class RegistryClient implements AsyncDisposable {
  readonly #config: RegistryConfig;
  readonly #credentials: CredentialSource;
  readonly #policy: RetryPolicy;
  readonly #timeouts: { readonly connect: number; readonly headers: number; readonly idle: number };
  readonly #connections: Connections;
  readonly #tokens: Tokens;
  readonly #hosts = new KnownHosts();
  /** Aborted when the client is disposed of. */
  readonly #ended = new AbortController();
  readonly #unwellMirrors = new Set<string>();
  readonly #authorizers = new Map<string, Authorizer>();

  constructor({ config, credentials, retry = {}, timeouts = {}, onWait, env = process.env }: RegistryClientOptions) {
    this.#config = config;
    this.#credentials = credentials;
    this.#policy = { attempts: retry.attempts ?? 5, delay: retry.delay ?? 1000, onWait };
    const { connect = 30_000, headers = 120_000, idle = 60_000 } = timeouts;
    this.#timeouts = { connect, headers, idle };
    this.#connections = new Connections({ connectTimeout: connect, env });
    this.#tokens = this.#newTokens();
  }

  /** Throws `invalid` for what cannot be the name of a repository. */
  repository(name: RepositoryName): Repository {
    checkHost(name.registry);
    if (!REPOSITORY.test(name.repository)) throw new VeneerError('invalid', `'${shownText(name.repository)}' is not the name of a repository`); // prettier-ignore
    return new RemoteRepository({
      name: { registry: name.registry, repository: name.repository },
      config: this.#config,
      policy: this.#policy,
      unwell: this.#unwellMirrors,
      transport: (endpoint, subject) => this.#transport(endpoint, subject),
    });
  }

  /** Whether a registry answers and takes a credential. Throws `permission` if it does not take it. */
  async login(
    registry: string,
    credential: Credential,
    { signal }: RequestOptions = {},
  ): Promise<{ readonly identityToken?: Secret }> {
    const endpoint = this.#registry(registry, { write: true });
    // Nothing that was learnt or given with other credentials.
    const credentials = { find: () => Promise.resolve(credential) };
    const authorizer = new Authorizer({ endpoint, credentials, tokens: this.#newTokens(), isLogin: true });
    const transport = this.#transport(endpoint, registry, authorizer);
    try {
      const request = { method: 'GET', path: '/v2/', scope: { name: '' }, accept: [200], retry: true, signal } as const;
      const reply = await transport.send(request);
      reply.body.discard();
      // A network's own login page, for one, is no registry that takes everybody.
      if (/^text\/html\b/i.test(single(reply.headers, 'content-type') ?? '')) {
        throw misbehaviour(registry, `${reply.url.host} answers with a web page`);
      }
    } catch (error) {
      throw isUnauthorized(error) ? notTaken(registry, error) : error;
    }
    return authorizer.identity === undefined ? {} : { identityToken: new Secret(authorizer.identity) };
  }

  /** The repositories of a registry, as the pages come. */
  catalog(registry: string, { signal }: RequestOptions = {}): AsyncGenerator<string, void> {
    const transport = this.#transport(this.#registry(registry, {}), registry);
    const request = { path: '/v2/_catalog', scope: { name: 'registry:catalog:*' }, signal } as const;
    return listed({ transport, request, field: 'repositories', subject: registry });
  }

  /** A JSON document, of at most 4 MiB, at a path of the registry's host. */
  json(
    registry: string,
    path: string,
    { signal, query = {} }: RequestOptions & { readonly query?: Readonly<Record<string, string>> } = {},
  ): Promise<unknown> {
    const endpoint = this.#registry(registry, {});
    // Docker Hub's images are at one host, all else is at another.
    const transport = this.#transport(endpoint.origin === 'docker.io' ? { ...endpoint, origin: 'index.docker.io' } : endpoint, registry); // prettier-ignore
    return transport.take(
      { method: 'GET', path, query, scope: { name: '' }, accept: [200], retry: true, signal },
      async (reply) => {
        const bytes = await reply.body.bytes(MAX_JSON, 'document');
        try {
          return JSON.parse(bytes.toString('utf8')) as unknown;
        } catch {
          throw misbehaviour(registry, `${reply.url.host} answers with something else than JSON`);
        }
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new VeneerError('unavailable', 'the connections to registries were closed'));
    await this.#connections[Symbol.asyncDispose]();
  }

  #newTokens(): Tokens {
    const shared = { connections: this.#connections, policy: this.#policy, timeouts: this.#timeouts };
    return new Tokens({ ...shared, signal: this.#ended.signal });
  }

  #registry(registry: string, use: { readonly write?: boolean }): Endpoint {
    checkHost(registry);
    const endpoint = this.#config.endpoints({ registry, repository: '' }, use).at(-1);
    if (endpoint === undefined) throw misbehaviour(registry, 'no place is configured for it');
    return endpoint;
  }

  #transport(endpoint: Endpoint, subject: string, authorizer = this.#authorizer(endpoint)): EndpointTransport {
    // A mirror gives way at once.
    const policy = endpoint.isMirror ? { ...this.#policy, attempts: 1 } : this.#policy;
    const shared = { connections: this.#connections, hosts: this.#hosts, timeouts: this.#timeouts };
    return new EndpointTransport({ ...shared, endpoint, authorizer, policy, subject });
  }

  #authorizer(endpoint: Endpoint): Authorizer {
    const key = JSON.stringify([endpoint.origin, endpoint.prefix, endpoint.credentialsOf]);
    const known = this.#authorizers.get(key);
    if (known !== undefined) return known;
    const made = new Authorizer({ endpoint, credentials: this.#credentials, tokens: this.#tokens });
    this.#authorizers.set(key, made);
    return made;
  }
}

function isUnauthorized(error: unknown): error is RegistryFailure {
  return error instanceof RegistryFailure && (error.status === 401 || error.status === 403);
}

/** For whom is logging in, "log in" is no help. */
function notTaken(registry: string, error: RegistryFailure): RegistryFailure {
  const why = error.message.startsWith(`${registry}: `) ? error.message.slice(registry.length + 2) : error.message;
  return new RegistryFailure('permission', `${registry} does not take this user name and password: ${why}`, {
    status: error.status,
  });
}
