// What Node, OpenSSL and undici throw when a connection fails, in words. None of their objects is kept as a cause: they hold
// what was received, and URLs.

import { RegistryFailure, shownText } from './errors.js';
import type { FailureDetail } from './errors.js';

/** The connection may work the next time. */
const PASSING: Readonly<Record<string, string>> = {
  ECONNRESET: 'connection reset',
  ECONNABORTED: 'connection aborted',
  ECONNREFUSED: 'connection refused',
  EPIPE: 'connection closed',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network down',
  EAI_AGAIN: 'no answer from the name server',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection closed',
};

/** Nothing is wrong with what is there: it is not there. */
const CHECK_PORT = 'does the registry run, and is its port right?';
const CHECK_NAME = "check the registry's name, and the network";
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: CHECK_PORT,
  ENOTFOUND: CHECK_NAME,
  EAI_AGAIN: CHECK_NAME,
  EHOSTUNREACH: CHECK_NAME,
  ENETUNREACH: CHECK_NAME,
  ETIMEDOUT: CHECK_NAME,
  UND_ERR_CONNECT_TIMEOUT: CHECK_NAME,
};

const LASTING: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host',
  UND_ERR_HEADERS_OVERFLOW: 'answers with too many headers',
  UND_ERR_DESTROYED: 'the connections were closed',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'the content to send is not as long as announced',
};

const UNTRUSTED: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an authority that is not trusted',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate has been revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

/** What OpenSSL says of an answer that is no TLS, and Node of a server that hangs up on a handshake. */
const NOT_TLS = /wrong version number|packet length too long|unknown protocol|http request/i;
const HUNG_UP = 'before secure TLS connection was established';

/** How undici tells of a proxy that makes no tunnel, and of one that does not pass a request on. */
const PROXY_REFUSES = /^Proxy response \((\d+)\)|^Proxy Authentication Required \((407)\)/;

/** Whom a connection was for, in messages. */
export interface Party {
  /** What was to be had over it. */
  readonly subject: string;
  readonly host: string;
  /** The host of the proxy in between. */
  readonly via?: string | undefined;
  /** The registry whose certs.d says who is trusted; by default the host itself. */
  readonly registry?: string | undefined;
}

function field(error: unknown, name: 'code' | 'message' | 'reason'): string {
  if (typeof error !== 'object' || error === null || !(name in error)) return '';
  const value: unknown = (error as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : '';
}

/** The error itself, or the one it wraps that says more: undici and happy eyeballs both wrap. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (error instanceof Error && field(error, 'code') === '' && error.cause !== undefined) return innermost(error.cause);
  return error;
}

/** No connection came about: nobody is there, or not now. */
const NOBODY = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'];

function isNotTls(error: unknown): boolean {
  const text = field(error, 'message');
  return (isOfTls(field(error, 'code')) && NOT_TLS.test(text)) || text.includes(HUNG_UP);
}

function isOfTls(code: string): boolean {
  return code === 'EPROTO' || code.startsWith('ERR_SSL_');
}

/** A connection that failed. */
export function connectionFailure(party: Party, error: unknown): RegistryFailure {
  const { subject, host, via, registry = host } = party;
  const inner = innermost(error);
  const code = field(inner, 'code');
  const fail = (what: string, detail: FailureDetail = {}): RegistryFailure =>
    new RegistryFailure('unavailable', `${subject}: ${what}`, detail);
  const untrusted = UNTRUSTED[code];
  if (untrusted !== undefined) {
    return fail(`${host} cannot be trusted: ${untrusted} (${code})`, {
      hint: `put the CA's certificate into /etc/containers/certs.d/${registry}/ca.crt, or use --tls-verify=false`,
    });
  }
  if (isNotTls(inner)) {
    const hint = 'a registry without TLS is spoken to with --tls-verify=false';
    return fail(`${host} does not speak TLS`, { hint, connection: 'not-tls' });
  }
  const where = via === undefined ? host : `${host}, by way of the proxy ${via}`;
  const passing = PASSING[code];
  const hint = HINTS[code] === undefined || via !== undefined ? {} : { hint: HINTS[code] };
  if (passing !== undefined) {
    const connection = NOBODY.includes(code) ? 'nobody' : undefined;
    return fail(`${where}: ${passing} (${code})`, { passing, connection, ...hint });
  }
  if (inner instanceof Error && inner.name === 'HTTPParserError') return fail(`${host} does not speak HTTP`);
  const refused = PROXY_REFUSES.exec(field(inner, 'message'));
  if (refused !== null) return fail(`${where}: the proxy answers HTTP ${refused[1] ?? refused[2] ?? ''}`);
  const words = isOfTls(code) ? `TLS fails: ${shownText(field(inner, 'reason'))}` : LASTING[code];
  const suffix = code === '' ? '' : ` (${shownText(code)})`;
  return fail(`${where}: ${words ?? shownText(field(inner, 'message'))}${suffix}`, hint);
}
