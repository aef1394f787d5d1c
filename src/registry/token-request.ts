// Asking a token server (distribution's docs/spec/auth/token.md and oauth.md).

import type { Credential, Endpoint } from './access/index.js';
import { basic } from './basic.js';
import { mayBePlain } from './connections.js';
import type { Connections } from './connections.js';
import { misbehaviour, refusal } from './errors.js';
import { exchange, single } from './exchange.js';
import type { Incoming, Outgoing, Timeouts } from './exchange.js';
import { isRedirect, MAX_REDIRECTS, resolveLocation } from './redirect.js';
import { parseRetryAfter } from './retry.js';
import { userAgent } from './user-agent.js';

export interface TokenRequest {
  readonly endpoint: Endpoint;
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  /** The endpoint that asks for it was spoken to without TLS. */
  readonly isPlain: boolean;
  readonly credential: Credential | undefined;
  /** What it is for, in messages. */
  readonly subject: string;
  readonly signal?: AbortSignal | undefined;
  /** Also asks for a token to be kept instead of the password. */
  readonly isLogin: boolean;
}

export interface GrantedToken {
  readonly value: string;
  /** Milliseconds it may be used. */
  readonly life: number;
  /** What may be kept instead of a password. */
  readonly identity: string | undefined;
}

export interface TokenConnection {
  readonly connections: Connections;
  readonly timeouts: Timeouts;
}

const CLIENT_ID = 'veneer';
/** Seconds a token lives if its server does not say, and at least. */
const LEAST_LIFE = 60;
/** Longer ones are asked for anew. */
const MOST_LIFE = 24 * 3600;
const MAX_ANSWER = 1024 * 1024;
const MAX_EXPLANATION = 64 * 1024;
/** What may stand in a header. */
const TOKEN = /^[\x21-\x7e]+$/;

/** One request, without a second attempt. */
export async function requestToken(request: TokenRequest, connection: TokenConnection): Promise<GrantedToken> {
  const realm = realmUrl(request);
  const { credential } = request;
  if (credential?.kind !== 'identity-token') {
    const sent = credential === undefined ? undefined : basic(credential.username, credential.password.reveal());
    return readToken(request, await ask(request, connection, byGet(request, realm, sent?.header)), sent?.secrets ?? []);
  }
  const identity = credential.token.reveal();
  const posted = await ask(request, connection, byPost(request, realm, identity));
  if (posted.status !== 404 && posted.status !== 405) return readToken(request, posted, [identity]);
  // A server that knows no OAuth2 may take it for a password.
  posted.body.discard();
  const sent = basic(credential.username ?? '<token>', identity);
  return readToken(request, await ask(request, connection, byGet(request, realm, sent.header)), sent.secrets);
}

/** The registry chooses the realm, another host as a rule: credentials do not go there in the clear. */
function realmUrl({ realm, endpoint, isPlain, subject }: TokenRequest): URL {
  let url: URL;
  try {
    url = new URL(realm);
  } catch {
    throw misbehaviour(subject, `${endpoint.origin} names a token server that is no URL`);
  }
  const isSound = (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '';
  if (!isSound) throw misbehaviour(subject, `${endpoint.origin} names a token server by a URL that cannot be used`);
  if (url.protocol === 'http:' && !(isPlain && mayBePlain(endpoint, url))) {
    throw misbehaviour(subject, `${endpoint.origin} names a token server without TLS, ${url.host}, which is refused`);
  }
  url.hash = '';
  return url;
}

function byGet({ service, scopes, isLogin, credential }: TokenRequest, realm: URL, authorization?: string): Outgoing {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credential?.kind === 'basic') url.searchParams.set('account', credential.username);
  if (isLogin) {
    url.searchParams.set('client_id', CLIENT_ID);
    url.searchParams.set('offline_token', 'true');
  }
  return { method: 'GET', url, headers: authorization === undefined ? {} : { authorization } };
}

function byPost({ service, scopes }: TokenRequest, url: URL, identity: string): Outgoing {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: identity });
  if (service !== undefined) form.set('service', service);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, headers, body: Buffer.from(form.toString()) };
}

/** Redirects are followed on the server itself: what is sent is for nobody else. */
async function ask(
  request: TokenRequest,
  { connections, timeouts }: TokenConnection,
  first: Outgoing,
): Promise<Incoming> {
  const { subject, endpoint, signal } = request;
  let outgoing = first;
  for (let hops = 0; ; hops += 1) {
    const headers = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': userAgent() };
    const reply = await exchange(
      { ...outgoing, headers: { ...headers, ...outgoing.headers } },
      { ...connections.way(endpoint, { url: outgoing.url, subject }), timeouts, signal },
    );
    if (!isRedirect(reply.status)) return reply;
    reply.body.discard();
    const url = resolveLocation(subject, single(reply.headers, 'location'), reply.url);
    if (url.origin !== first.url.origin) throw misbehaviour(subject, `the token server ${reply.url.host} redirects to ${url.host}, which is refused`); // prettier-ignore
    if (hops >= MAX_REDIRECTS) throw misbehaviour(subject, `the token server ${reply.url.host} redirects without end`);
    outgoing = { ...outgoing, url };
  }
}

async function readToken(request: TokenRequest, reply: Incoming, secrets: readonly string[]): Promise<GrantedToken> {
  const { subject, endpoint } = request;
  const { host } = reply.url;
  const contentType = single(reply.headers, 'content-type');
  if (reply.status !== 200) {
    throw refusal({
      subject,
      host: `the token server ${host}`,
      elsewhere: 'token-server',
      status: reply.status,
      meaning: reply.status === 400 || reply.status === 404 ? 401 : undefined,
      contentType,
      body: await reply.body.beginning(MAX_EXPLANATION),
      secrets,
      user: request.credential?.username,
      registry: endpoint.credentialsOf.registry,
      retryAfter: parseRetryAfter(single(reply.headers, 'retry-after')),
    });
  }
  const document = parseObject(await reply.body.bytes(MAX_ANSWER, 'token'));
  if (document === undefined)
    throw misbehaviour(subject, `the token server ${host} answers with something else than a token`);
  const value = document['token'] ?? document['access_token'];
  if (typeof value !== 'string' || !TOKEN.test(value))
    throw misbehaviour(subject, `the token server ${host} gives no token`);
  const seconds = document['expires_in'];
  const life = typeof seconds === 'number' && seconds > LEAST_LIFE ? Math.min(seconds, MOST_LIFE) : LEAST_LIFE;
  const identity = document['refresh_token'];
  return { value, life: life * 1000, identity: typeof identity === 'string' && identity !== '' ? identity : undefined };
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
