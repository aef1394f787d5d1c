// Connections by how they are made: which certificates are trusted and shown, through which proxy.

import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import type { Endpoint } from './access/index.js';

/** Go's rule, too: what never leaves the machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

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

export class Connections implements AsyncDisposable {
  readonly #dispatchers = new Map<string, Dispatcher>();
  readonly #connectTimeout: number;

  constructor(options: { readonly connectTimeout: number }) {
    this.#connectTimeout = options.connectTimeout;
  }

  /** For a URL that the endpoint has, or has sent us to. */
  dispatcher(endpoint: Endpoint, url: URL): Dispatcher {
    const tls = tlsFor(endpoint, url);
    const key = JSON.stringify(tls);
    const known = this.#dispatchers.get(key);
    if (known !== undefined) return known;
    const made = new Agent({ connect: { ...tls, timeout: this.#connectTimeout } });
    this.#dispatchers.set(key, made);
    return made;
  }

  /** Ends all connections, whatever goes over them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }
}
