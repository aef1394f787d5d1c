// What Node, OpenSSL and undici throw when a connection fails, in words. None of their objects is kept as a cause: they hold
// what was received, and URLs.

import { RegistryFailure, shownText } from './errors.js';

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
const NOT_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'];
const HUNG_UP = 'before secure TLS connection was established';

function field(error: unknown, name: 'code' | 'message'): string {
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

/** Nobody is there, or not now. */
const NOBODY = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'];

function isNotTls(error: unknown): boolean {
  return NOT_TLS.includes(field(error, 'code')) || field(error, 'message').includes(HUNG_UP);
}

/** A connection that failed, as a failure of `host`; `subject` is what was to be had over it. */
export function connectionFailure(subject: string, host: string, error: unknown): RegistryFailure {
  const inner = innermost(error);
  const code = field(inner, 'code');
  const untrusted = UNTRUSTED[code];
  if (untrusted !== undefined) {
    return new RegistryFailure('unavailable', `${subject}: ${host} cannot be trusted: ${untrusted} (${code})`, {
      hint: `put the CA's certificate into /etc/containers/certs.d/${host}/ca.crt, or use --tls-verify=false`,
    });
  }
  if (isNotTls(inner)) {
    return new RegistryFailure('unavailable', `${subject}: ${host} does not speak TLS`, {
      hint: 'a registry without TLS is spoken to with --tls-verify=false',
      connection: 'not-tls',
    });
  }
  const passing = PASSING[code];
  const hint = HINTS[code] === undefined ? {} : { hint: HINTS[code] };
  if (passing !== undefined) {
    const connection = NOBODY.includes(code) ? 'nobody' : undefined;
    return new RegistryFailure('unavailable', `${subject}: ${host}: ${passing} (${code})`, {
      passing,
      connection,
      ...hint,
    });
  }
  if (inner instanceof Error && inner.name === 'HTTPParserError') {
    return new RegistryFailure('unavailable', `${subject}: ${host} does not speak HTTP`);
  }
  const words = LASTING[code] ?? shownText(field(inner, 'message'));
  const suffix = code === '' ? '' : ` (${shownText(code)})`;
  return new RegistryFailure('unavailable', `${subject}: ${host}: ${words}${suffix}`, hint);
}
