import { describe, expect, test } from 'vitest';
import { proxyFor } from '../../../src/registry/proxy.js';

const through = (url: string, env: Record<string, string>): string | undefined => proxyFor(new URL(url), env)?.url.href;

describe('proxyFor', () => {
  const env = { HTTP_PROXY: 'http://plain:1', https_proxy: 'http://secure:2' };

  test('goes by the scheme, in either case', () => {
    expect(through('http://r.example/v2/', env)).toBe('http://plain:1/');
    expect(through('https://r.example/v2/', env)).toBe('http://secure:2/');
    expect(through('https://r.example/', { HTTP_PROXY: 'http://plain:1' })).toBeUndefined();
    expect(through('https://r.example/', { HTTPS_PROXY: '', https_proxy: 'proxy:3' })).toBe('http://proxy:3/');
  });

  test.each(['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])('is never used for %s', (host) => {
    expect(through(`https://${host}:5000/`, env)).toBeUndefined();
  });

  test.each([
    ['*', 'https://r.example/', true],
    ['r.example', 'https://r.example/', true],
    ['r.example', 'https://a.r.example/', true],
    ['R.Example', 'https://r.example/', true],
    ['r.example', 'https://other.example/', false],
    ['r.example', 'https://your.example/', false],
    ['.r.example', 'https://r.example/', false],
    ['.r.example', 'https://a.r.example/', true],
    ['*.r.example', 'https://a.r.example/', true],
    ['a, b ,r.example', 'https://r.example/', true],
    ['r.example:5000', 'https://r.example:5000/', true],
    ['r.example:443', 'https://r.example/', true],
    ['r.example:5000', 'https://r.example/', false],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.0.0.0/99', 'https://10.1.2.3/', false],
    ['10.1.2.3', 'https://10.1.2.3:5000/', true],
    ['0.1.2.3', 'https://10.1.2.3/', false],
    ['fd00::/8', 'https://[fd00::1]:5000/', true],
    ['[fd00::1]', 'https://[fd00::1]/', true],
    ['fd00::1', 'https://[fd00::1]/', true],
    ['', 'https://r.example/', false],
    [',', 'https://r.example/', false],
  ])('NO_PROXY=%s and %s', (exceptions, url, isDirect) => {
    expect(through(url, { ...env, NO_PROXY: exceptions }) === undefined).toBe(isDirect);
  });

  test('takes user and password out of the URL', () => {
    const proxy = proxyFor(new URL('http://r.example/'), { HTTP_PROXY: 'http://me:se%40cret@proxy:3128/' });
    expect(proxy?.url.href).toBe('http://proxy:3128/');
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from('me:se@cret').toString('base64')}`);
  });

  test.each([
    'socks5://me:secret@proxy',
    'http://me:secret@',
    'http://me:%zzsecret@proxy',
    'http://me:secret@proxy:99999',
  ])('names the variable, not the value %s', (value) => {
    expect(() => proxyFor(new URL('http://r.example/'), { http_proxy: value })).toThrow(
      /^http_proxy in the environment is not http\[s\]:\/\/\[USER:PASSWORD@\]HOST\[:PORT\]$/,
    );
  });
});
