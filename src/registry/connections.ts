// Connections by how they are made: which certificates are trusted and shown, through which proxy.

import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import { messageOf, VeneerError } from '../core/index.js';
import type { Endpoint } from './access/index.js';
import type { Party } from './connection-errors.js';
import { shownText } from './errors.js';
import { isLoopback } from './loopback.js';
import { proxyFor } from './proxy.js';
import type { Proxy } from './proxy.js';

/** Whether a URL may be spoken to without TLS, or with TLS that proves nothing. */
export function mayBePlain(endpoint: Endpoint, url: URL): boolean {
  return endpoint.tls.verify === undefined ? isLoopback(url.hostname) : !endpoint.tls.verify;
}

interface TlsSetup {
  readonly rejectUnauthorized: boolean;
  readonly secureContext: SecureContext;
}

/** Our own certificate is for the endpoint's host alone; whom its authorities vouch for is trusted wherever it sends us. */
function isItself(endpoint: Endpoint, url: URL): boolean {
  return url.hostname === new URL(`https://${endpoint.origin}`).hostname;
}

function tlsFor(endpoint: Endpoint, url: URL): TlsSetup {
  const { ca, cert, key } = endpoint.tls;
  const showsOwn = cert !== undefined && key !== undefined && isItself(endpoint, url);
  const rejectUnauthorized = !mayBePlain(endpoint, url);
  // Reading a system's certificates takes 20 to 40 ms: where none is asked to vouch, none is read.
  const authorities = rejectUnauthorized ? ca : [];
  try {
    const secureContext = createSecureContext({
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
      ...(showsOwn ? { cert, key } : {}),
    });
    return { rejectUnauthorized, secureContext };
  } catch (error) {
    const reason = shownText(messageOf(error));
    throw new VeneerError('invalid', `the certificates for ${endpoint.origin} cannot be used: ${reason}`);
  }
}

export interface Way {
  readonly dispatcher: Dispatcher;
  readonly party: Party;
}

export interface ConnectionsOptions {
  /** Milliseconds until a connection stands. */
  readonly connectTimeout: number;
  /** For the proxies that it names. */
  readonly env: NodeJS.ProcessEnv;
}

export class Connections implements AsyncDisposable {
  readonly #dispatchers = new Map<string, Dispatcher>();
  readonly #options: ConnectionsOptions;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** One for all connections that are made alike. */
  dispatcher(endpoint: Endpoint, url: URL): Dispatcher {
    const proxy = proxyFor(url, this.#options.env);
    // All that the certificates of an endpoint depend on.
    const tls = [endpoint.origin, endpoint.tls.verify, isItself(endpoint, url), mayBePlain(endpoint, url)];
    const key = JSON.stringify([url.protocol === 'https:' && tls, proxy]);
    const known = this.#dispatchers.get(key);
    if (known !== undefined) return known;
    const timeout = this.#options.connectTimeout;
    const options = { timeout, ...(url.protocol === 'https:' ? tlsFor(endpoint, url) : {}) };
    const made = proxy === undefined ? new Agent({ connect: options }) : through(proxy, options);
    this.#dispatchers.set(key, made);
    return made;
  }

  /** How to go to a URL that the endpoint has, or has sent us to, for `exchange`. */
  way(endpoint: Endpoint, { url, subject }: { readonly url: URL; readonly subject: string }): Way {
    const via = proxyFor(url, this.#options.env)?.url.host;
    const party = { subject, host: url.host, via, registry: endpoint.origin };
    return { dispatcher: this.dispatcher(endpoint, url), party };
  }

  /** Ends all connections, whatever goes over them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }
}

function through({ url, authorization }: Proxy, connect: { readonly timeout: number }): Dispatcher {
  return new ProxyAgent({
    uri: url.href,
    requestTls: connect,
    proxyTls: { timeout: connect.timeout },
    // As all do: only what is encrypted goes through a tunnel.
    proxyTunnel: false,
    ...(authorization === undefined ? {} : { token: authorization }),
  });
}
