// What to prove who one is with: nothing until an endpoint asks for it, from then on what it asked for.

import { orAborted } from '../core/index.js';
import type { Credential, CredentialSource, Endpoint } from './access/index.js';
import { basic } from './basic.js';
import type { Sent } from './basic.js';
import type { Challenge } from './challenge.js';
import type { GrantedToken } from './token-request.js';
import type { Tokens } from './tokens.js';

export interface Authorization extends Sent {
  /** Who is proved to be asking. */
  readonly user?: string | undefined;
  readonly token?: GrantedToken;
}

export interface AuthorizationRequest {
  readonly scopes: readonly string[];
  readonly subject: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Rejection {
  readonly challenges: readonly Challenge[];
  /** What was sent; undefined if nothing was. */
  readonly sent: Authorization | undefined;
  readonly from: URL;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** How an endpoint wants it. */
type Demand =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly isPlain: boolean;
    };

export interface AuthorizerOptions {
  readonly endpoint: Endpoint;
  readonly credentials: CredentialSource;
  readonly tokens: Tokens;
  /** Token servers are asked for a token that may be kept instead of the password. */
  readonly isLogin?: boolean;
}

export class Authorizer {
  readonly #options: AuthorizerOptions;
  #demand: Demand | undefined;
  /** Scopes that the endpoint asked for besides ours, by ours. */
  readonly #wanted = new Map<string, readonly string[]>();
  #credential: Promise<Credential | undefined> | undefined;
  #identity: string | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The token to be kept instead of the password, if one was given. */
  get identity(): string | undefined {
    return this.#identity;
  }

  /** What to send with a request; undefined before anything was asked for. */
  async authorization({ scopes, subject, signal }: AuthorizationRequest): Promise<Authorization | undefined> {
    const demand = this.#demand;
    if (demand === undefined) return undefined;
    const credential = await this.#ask(signal);
    if (demand.kind === 'basic') {
      if (credential?.kind !== 'basic') return undefined;
      const { username, password } = credential;
      return { ...basic(username, password.reveal()), user: username };
    }
    const { realm, service, isPlain } = demand;
    const { endpoint, tokens, isLogin = false } = this.#options;
    const wanted = this.#wanted.get(scopes.join(' ')) ?? [];
    const who = { endpoint, credential, subject, signal, isLogin };
    const token = await tokens.get({ ...who, realm, service, isPlain, scopes: [...scopes, ...wanted] });
    this.#identity = token.identity;
    return { header: `Bearer ${token.value}`, secrets: [token.value], token, user: credential?.username };
  }

  /** Learns from a 401. False if what could be sent now would be no better than what was. */
  async learn({ challenges, sent, from, scopes, signal }: Rejection): Promise<boolean> {
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined,
    );
    if (bearer !== undefined) return this.#learnBearer(bearer, { sent, from, scopes });
    if (!challenges.some(({ scheme }) => scheme === 'basic') || sent?.header.startsWith('Basic ') === true)
      return false;
    this.#demand = { kind: 'basic' };
    return (await this.#ask(signal))?.kind === 'basic';
  }

  #learnBearer({ parameters }: Challenge, { sent, from, scopes }: Omit<Rejection, 'challenges'>): boolean {
    const realm = parameters['realm'] ?? '';
    const service = parameters['service'];
    const before = this.#demand;
    const isNew = before?.kind !== 'bearer' || before.realm !== realm || before.service !== service;
    this.#demand = { kind: 'bearer', realm, service, isPlain: from.protocol === 'http:' };
    const asksForMore = this.#learnScopes(parameters['scope'] ?? '', scopes);
    if (sent?.token === undefined) return true;
    const isWorn = this.#options.tokens.forget(sent.token);
    return isNew || asksForMore || isWorn;
  }

  /** A registry may know scopes of its own; those of our own resources we know better. */
  #learnScopes(scope: string, scopes: readonly string[]): boolean {
    const resources = new Set(scopes.map(resourceOf));
    const wanted = scope.split(' ').filter((one) => one !== '' && !resources.has(resourceOf(one)));
    const key = scopes.join(' ');
    const known = this.#wanted.get(key) ?? [];
    const all = [...new Set([...known, ...wanted])];
    // A registry that asks for more each time is not followed far.
    if (all.length === known.length || all.length > 10) return false;
    this.#wanted.set(key, all);
    return true;
  }

  /** Asked for once: it may run a program. */
  #ask(signal: AbortSignal | undefined): Promise<Credential | undefined> {
    const { credentials, endpoint } = this.#options;
    this.#credential ??= credentials.find(endpoint.credentialsOf);
    this.#credential.catch(() => (this.#credential = undefined));
    return orAborted(this.#credential, signal);
  }
}

/** `repository:NAME` of `repository:NAME:pull`. */
function resourceOf(scope: string): string {
  return scope.slice(0, Math.max(scope.lastIndexOf(':'), 0));
}
