// A server of Bearer tokens as registries name them in their challenge: GET with Basic or nobody, POST with a refresh
// token or a password (https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/).

import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from './certificates.js';
import type { Certificates } from './certificates.js';

export interface TokenServerOptions {
  /** For its key. */
  readonly directory: string;
  readonly service: string;
  readonly users: Readonly<Record<string, string>>;
  /** Whether anybody may pull. */
  readonly anonymousPull?: boolean;
  /** Speaks TLS with this certificate. */
  readonly tls?: Certificates;
}

/** What was asked for, and what was given. */
export interface TokenRequest {
  readonly method: string;
  /** Of the query or the form. */
  readonly service: string;
  readonly scopes: readonly string[];
  readonly offline: boolean;
  readonly grantType?: string;
  /** Who proved to be one of the users. */
  readonly user?: string;
  readonly status: number;
}

export interface TokenServer {
  readonly host: string;
  readonly realm: string;
  readonly issuer: string;
  /** PEM that tokens verify with. */
  readonly certificate: string;
  readonly requests: TokenRequest[];
  /** Refresh token -> user: what it takes in a POST. */
  readonly refreshTokens: Map<string, string>;
  /** Changes what is answered from now on. */
  behaviour: {
    /** Seconds a token is good for, as registries see it; negative: it is expired already. They let it be 60 s late. */
    lifetime: number;
    /** `expires_in` of the answer, if it is to be another. */
    toldLifetime?: number;
    /** Answers a POST with this status: 404 and 405 are servers without OAuth2. */
    postStatus?: number;
    /** Answers everything with this. */
    answer?: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string };
    /** The name of the token's field. */
    field: 'token' | 'access_token';
  };
  stop(): Promise<void>;
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The only thing that docker-registry knows of the key: the certificate in `rootcertbundle`. */
function signer(certificates: Certificates, issuer: string): (claims: object) => string {
  const key = createPrivateKey(readFileSync(certificates.key));
  const chain = [certificates.cert, certificates.ca].map((file) =>
    new X509Certificate(readFileSync(file)).raw.toString('base64'),
  );
  const header = base64url({ typ: 'JWT', alg: 'ES256', x5c: chain });
  return (claims) => {
    const text = `${header}.${base64url({ iss: issuer, jti: randomUUID(), ...claims })}`;
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
}

/** `repository:library/x:pull,push`; the name may have a port, so the ends count. */
function accessOf(scope: string, only?: readonly string[]): object {
  const [type = '', ...rest] = scope.split(':');
  const actions = (rest.pop() ?? '').split(',').filter((action) => only?.includes(action) ?? true);
  return { type, name: rest.join(':'), actions };
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return new URLSearchParams(text);
}

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { service, users, anonymousPull = false, tls } = options;
  const issuer = 'the tokens of a test';
  const certificates = makeCertificates(options.directory);
  const signed = signer(certificates, issuer);
  const requests: TokenRequest[] = [];
  const refreshTokens = new Map<string, string>();

  const basicUser = (request: IncomingMessage): string | undefined => {
    const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
    if (scheme !== 'Basic') return undefined;
    const [, user = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString()) ?? [];
    return users[user] === password ? user : '';
  };
  const formUser = (form: URLSearchParams): string => {
    if (form.get('grant_type') === 'refresh_token') return refreshTokens.get(form.get('refresh_token') ?? '') ?? '';
    const user = form.get('username') ?? '';
    return users[user] !== undefined && users[user] === form.get('password') ? user : '';
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { behaviour } = self;
    const isPost = request.method === 'POST';
    const fields = isPost ? await formOf(request) : new URL(request.url ?? '', 'http://x').searchParams;
    const user = isPost ? formUser(fields) : basicUser(request);
    const scopes = fields.getAll('scope').flatMap((scope) => scope.split(' '));
    const send = (status: number, body: object | string, headers: Readonly<Record<string, string>> = {}): void => {
      requests.push({
        method: request.method ?? '',
        service: fields.get('service') ?? '',
        scopes,
        offline: fields.get('offline_token') === 'true' || fields.get('access_type') === 'offline',
        ...(fields.has('grant_type') ? { grantType: fields.get('grant_type') ?? '' } : {}),
        ...(user === undefined || user === '' ? {} : { user }),
        status,
      });
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    if (behaviour.answer !== undefined) {
      send(behaviour.answer.status, behaviour.answer.body, behaviour.answer.headers);
      return;
    }
    if (isPost && behaviour.postStatus !== undefined) {
      send(behaviour.postStatus, 'not here');
      return;
    }
    if (user === '' || (user === undefined && !anonymousPull && scopes.length === 0)) {
      send(401, { errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password', detail: null }] });
      return;
    }
    const now = Math.floor(Date.now() / 1000);
    const allowed = user !== undefined ? undefined : anonymousPull ? ['pull'] : [];
    const token = signed({
      sub: user ?? '',
      aud: fields.get('service') ?? service,
      iat: now - 600,
      nbf: now - 600,
      exp: now + behaviour.lifetime,
      access: scopes.map((scope) => accessOf(scope, allowed)),
    });
    const refresh =
      user !== undefined && fields.get('offline_token') === 'true' ? { refresh_token: `identity of ${user}` } : {};
    if (user !== undefined && 'refresh_token' in refresh) refreshTokens.set(`identity of ${user}`, user);
    send(200, {
      [behaviour.field]: token,
      expires_in: behaviour.toldLifetime ?? behaviour.lifetime,
      issued_at: new Date().toISOString(),
      ...refresh,
    });
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const server =
    tls === undefined
      ? createPlainServer(listener)
      : createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const self: TokenServer = {
    host,
    realm: `${tls === undefined ? 'http' : 'https'}://${host}/token`,
    issuer,
    certificate: certificates.ca,
    requests,
    refreshTokens,
    behaviour: { lifetime: 300, field: 'token' },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}
