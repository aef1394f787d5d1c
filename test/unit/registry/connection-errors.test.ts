import { describe, expect, test } from 'vitest';
import { connectionFailure } from '../../../src/registry/connection-errors.js';

const coded = (code: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { code }, more);
const party = { subject: 'r.example/a:1', host: 'cdn.example', registry: 'r.example' };
const EPROTO = 'write EPROTO 40E7:error:0A00010B:SSL routines:ssl3_get_record:';

describe('connectionFailure', () => {
  test.each([
    [
      'a reset',
      coded('ECONNRESET', 'read ECONNRESET'),
      'cdn.example: connection reset (ECONNRESET)',
      'connection reset',
    ],
    [
      'one inside another',
      new Error('outer', { cause: coded('EPIPE', 'x') }),
      'cdn.example: connection closed (EPIPE)',
      'connection closed',
    ],
    [
      'several addresses',
      new AggregateError([coded('ECONNREFUSED', 'x')]),
      'cdn.example: connection refused (ECONNREFUSED)',
      'connection refused',
    ],
    ['no such host', coded('ENOTFOUND', 'getaddrinfo ENOTFOUND'), 'cdn.example: no such host (ENOTFOUND)', undefined],
    [
      'an answer without TLS',
      coded('EPROTO', `${EPROTO}wrong version number:`),
      'cdn.example does not speak TLS',
      undefined,
    ],
    [
      'a handshake that is hung up on',
      coded('ECONNRESET', 'Client network socket disconnected before secure TLS connection was established'),
      'cdn.example does not speak TLS',
      undefined,
    ],
    [
      'an alert',
      coded('EPROTO', `${EPROTO}handshake failure:`, { reason: 'ssl/tls alert handshake failure' }),
      'cdn.example: TLS fails: ssl/tls alert handshake failure (EPROTO)',
      undefined,
    ],
    [
      'an alert by its own code',
      coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'x', { reason: 'certificate required' }),
      'cdn.example: TLS fails: certificate required (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)',
      undefined,
    ],
    [
      'what is no HTTP',
      Object.assign(new Error('x'), { name: 'HTTPParserError', data: 'received' }),
      'cdn.example does not speak HTTP',
      undefined,
    ],
    ['what else there is', new Error('a\nb\x1b'), 'cdn.example: a b\\x1b', undefined],
    ['no error at all', 'text', 'cdn.example: ', undefined],
  ])('words %s', (_what, error, words, passing) => {
    const failure = connectionFailure(party, error);
    expect(failure.message).toBe(`r.example/a:1: ${words}`);
    expect([failure.code, failure.passing, failure.cause]).toEqual(['unavailable', passing, undefined]);
  });

  test('says where the certificate of a CA is looked for', () => {
    const failure = connectionFailure(party, coded('SELF_SIGNED_CERT_IN_CHAIN', 'x'));
    expect(failure.message).toMatch(/^r\.example\/a:1: cdn\.example cannot be trusted: its certificate is signed/);
    expect(failure.hint).toContain('/etc/containers/certs.d/r.example/ca.crt');
  });

  test.each([
    [coded('ECONNREFUSED', 'x'), 'connection refused (ECONNREFUSED)'],
    [coded('UND_ERR_ABORTED', 'Proxy response (503) !== 200 when HTTP Tunneling'), 'the proxy answers HTTP 503'],
    [coded('UND_ERR_INVALID_ARG', 'Proxy Authentication Required (407)'), 'the proxy answers HTTP 407'],
  ])('names the proxy in between: %s', (error, words) => {
    expect(connectionFailure({ ...party, via: 'proxy:3128' }, error).message).toBe(
      `r.example/a:1: cdn.example, by way of the proxy proxy:3128: ${words}`,
    );
  });
});
