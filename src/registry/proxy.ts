// Which proxy a request goes through, by the environment: the rules of Go's golang.org/x/net/http/httpproxy, as all other
// programs that speak to registries follow them.

import { BlockList, isIP } from 'node:net';
import { VeneerError } from '../core/index.js';
import { isLoopback } from './loopback.js';

export interface Proxy {
  /** Without user and password. */
  readonly url: URL;
  /** For Proxy-Authorization. */
  readonly authorization: string | undefined;
}

function named(env: NodeJS.ProcessEnv, name: string): { name: string; value: string } | undefined {
  const found = [name, name.toLowerCase()].find((it) => env[it] !== undefined && env[it] !== '');
  return found === undefined ? undefined : { name: found, value: env[found] ?? '' };
}

/** The proxy for a URL; undefined if it is spoken to directly. Throws `invalid` for a variable that names no proxy. */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): Proxy | undefined {
  const variable = named(env, url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (variable === undefined || isDirect(url, named(env, 'NO_PROXY')?.value ?? '')) return undefined;
  return parseProxy(variable);
}

/** The value may hold a password: it is not shown. */
function parseProxy({ name, value }: { name: string; value: string }): Proxy {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  try {
    const { protocol, origin, username, password } = new URL(text);
    if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError('no proxy of HTTP');
    const who = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const authorization = username === '' ? undefined : `Basic ${Buffer.from(who, 'utf8').toString('base64')}`;
    return { url: new URL(origin), authorization };
  } catch {
    throw new VeneerError('invalid', `${name} in the environment is not http[s]://[USER:PASSWORD@]HOST[:PORT]`);
  }
}

function isDirect(url: URL, exceptions: string): boolean {
  if (isLoopback(url.hostname)) return true;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return exceptions
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && isExcepted({ host, port }, entry));
}

function isExcepted({ host, port }: { host: string; port: string }, entry: string): boolean {
  if (entry === '*') return true;
  const [, network = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(network) !== 0) return isIP(host) !== 0 && isWithin(host, { network, bits: Number(bits) });
  const [, name = entry, only] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (only !== undefined && only !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
  if (isIP(bare) !== 0 || isIP(host) !== 0) return bare === host;
  // A name stands for what is below it, too; with a dot before it, only for that.
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`);
}

function isWithin(host: string, { network, bits }: { network: string; bits: number }): boolean {
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  if (bits > (family === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}
