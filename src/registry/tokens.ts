// Tokens that were given: shared by all who need the same, until they expire or are not taken any more.

import { orAborted } from '../core/index.js';
import type { Connections } from './connections.js';
import { RegistryFailure } from './errors.js';
import type { Timeouts } from './exchange.js';
import { withRetries } from './retry.js';
import type { RetryPolicy } from './retry.js';
import { requestToken } from './token-request.js';
import type { GrantedToken, TokenRequest } from './token-request.js';

interface Entry {
  readonly granted: Promise<GrantedToken>;
  token: GrantedToken | undefined;
  /** Date.now() from which on it is not used any more. */
  expires: number;
  uses: number;
}

export interface TokensOptions {
  readonly connections: Connections;
  readonly policy: RetryPolicy;
  readonly timeouts: Timeouts;
  /** Ends all requests for tokens. */
  readonly signal: AbortSignal;
}

export class Tokens {
  readonly #options: TokensOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  /** One that is as good as new, or a new one; who asks at the same time as another gets the same. */
  async get(request: TokenRequest): Promise<GrantedToken> {
    const { realm, service, scopes, endpoint, signal } = request;
    const key = JSON.stringify([realm, service, [...scopes].sort(), endpoint.credentialsOf]);
    const known = this.#entries.get(key);
    const entry = known !== undefined && known.expires > Date.now() ? known : this.#enter(key, request);
    entry.uses += 1;
    return orAborted(entry.granted, signal);
  }

  /** One that was not taken. True if it had been used before, so that another may be taken. */
  forget(token: GrantedToken): boolean {
    const found = [...this.#entries].find(([, entry]) => entry.token === token);
    // Somebody else has seen the same already.
    if (found === undefined) return true;
    this.#entries.delete(found[0]);
    return found[1].uses > 1;
  }

  #enter(key: string, request: TokenRequest): Entry {
    // Several wait for it: the signal of one must not end it for all.
    const granted = this.#request({ ...request, signal: this.#options.signal });
    const entry: Entry = { granted, token: undefined, expires: Infinity, uses: 0 };
    this.#entries.set(key, entry);
    granted.then(
      (token) => {
        entry.token = token;
        entry.expires = Date.now() + token.life;
      },
      () => this.#entries.delete(key),
    );
    return entry;
  }

  async #request(request: TokenRequest): Promise<GrantedToken> {
    const { connections, policy, timeouts, signal } = this.#options;
    const { registry } = request.endpoint.credentialsOf;
    try {
      return await withRetries(() => requestToken(request, { connections, timeouts }), { policy, registry, signal });
    } catch (error) {
      // Has been tried as often as it may be: who needs the token does not begin all over.
      throw error instanceof RegistryFailure ? error.asFinal() : error;
    }
  }
}
