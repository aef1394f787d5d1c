// Connections by how they are made: which certificates are trusted and shown, through which proxy.

import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import type { Endpoint } from './access/index.js';
import { isLoopback } from './loopback.js';
import { proxyFor } from './proxy.js';
import type { Proxy } from './proxy.js';

/** Whether a URL may be spoken to without TLS, or with TLS that proves nothing. */
export function mayBePlain(endpoint: Endpoint, url: URL): boolean {
  return endpoint.tls.verify === undefined ? isLoopback(url.hostname) : !endpoint.tls.verify;
}

interface TlsSetup {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

/** The authorities of an endpoint vouch for whom it sends us to as well; our own certificate is for its host alone. */
function tlsFor(endpoint: Endpoint, url: URL): TlsSetup {
  const { ca, cert, key } = endpoint.tls;
  const isItself = url.hostname === new URL(`https://${endpoint.origin}`).hostname;
  return {
    rejectUnauthorized: !mayBePlain(endpoint, url),
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(cert === undefined || key === undefined || !isItself ? {} : { cert, key }),
  };
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

  /** For a URL that the endpoint has, or has sent us to. */
  dispatcher(endpoint: Endpoint, url: URL): Dispatcher {
    const tls = tlsFor(endpoint, url);
    const proxy = proxyFor(url, this.#options.env);
    const key = JSON.stringify([tls, proxy]);
    const known = this.#dispatchers.get(key);
    if (known !== undefined) return known;
    const made = proxy === undefined ? this.#direct(tls) : this.#through(proxy, tls);
    this.#dispatchers.set(key, made);
    return made;
  }

  #direct(tls: TlsSetup): Dispatcher {
    return new Agent({ connect: { ...tls, timeout: this.#options.connectTimeout } });
  }

  #through({ url, authorization }: Proxy, tls: TlsSetup): Dispatcher {
    const timeout = this.#options.connectTimeout;
    return new ProxyAgent({
      uri: url.href,
      requestTls: { ...tls, timeout },
      proxyTls: { timeout },
      // As all do: only what is encrypted goes through a tunnel.
      proxyTunnel: false,
      ...(authorization === undefined ? {} : { token: authorization }),
    });
  }

  /** Ends all connections, whatever goes over them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }
}
