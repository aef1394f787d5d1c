// What /etc/hosts and /etc/resolv.conf of a container say.

import { readFileSync } from 'node:fs';

const LOCAL = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** The text of /etc/hosts. `extra` are lines of --add-host, each an address and a name. */
export function hostsFile(options: {
  /** With a domain, the name alone is written, too. */
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly extra?: readonly { readonly address: string; readonly name: string }[];
}): string {
  const { hostname, addresses, extra = [] } = options;
  const short = hostname.split('.')[0] ?? hostname;
  const names = short === hostname ? hostname : `${hostname} ${short}`;
  const own = addresses.map((address) => `${address}\t${names}`);
  return `${[...LOCAL, ...extra.map(({ address, name }) => `${address}\t${name}`), ...own].join('\n')}\n`;
}

/** What resolv.conf(5) says. */
export interface ResolverSettings {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads a resolv.conf; of `search` lines the last one counts, as for the resolver. */
export function parseResolvConf(text: string): ResolverSettings {
  const nameservers: string[] = [];
  const options: string[] = [];
  let search: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver' && values[0] !== undefined) nameservers.push(values[0]);
    else if (word === 'search' || word === 'domain') search = values;
    else if (word === 'options') options.push(...values);
  }
  return { nameservers, search, options };
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** The resolver of systemd answers at the host's loopback; this file names those that it asks itself. */
const BEHIND_SYSTEMD = '/run/systemd/resolve/resolv.conf';
const SYSTEMD = '127.0.0.53';

/** Where Docker and podman ask when the host's own servers are all out of reach. */
const PUBLIC = ['8.8.8.8', '8.8.4.4'];

function readSettings(path: string): ResolverSettings {
  try {
    return parseResolvConf(readFileSync(path, 'utf8'));
  } catch {
    return { nameservers: [], search: [], options: [] };
  }
}

/** How the host itself resolves names. */
export function hostResolver(): ResolverSettings {
  return readSettings('/etc/resolv.conf');
}

/**
 * How names are resolved in a network of its own, where the host's loopback is out of reach: as on the host, by the servers that
 * can be reached from there; by `ownServers`, those of the network, where there are any. A host that asks no server has none.
 */
export function reachableResolver(ownServers: readonly string[] = []): ResolverSettings {
  const settings = hostResolver();
  if (ownServers.length > 0) return { ...settings, nameservers: ownServers };
  const reachable = settings.nameservers.filter((address) => !isLoopback(address));
  if (reachable.length > 0 || settings.nameservers.length === 0) return { ...settings, nameservers: reachable };
  const behind = settings.nameservers.includes(SYSTEMD) ? readSettings(BEHIND_SYSTEMD).nameservers : [];
  const found = behind.filter((address) => !isLoopback(address));
  return { ...settings, nameservers: found.length > 0 ? found : PUBLIC };
}

/** Whether the host resolves names by a server that only the host can reach. */
export function resolvesAtLoopback(): boolean {
  const { nameservers } = hostResolver();
  return nameservers.length > 0 && nameservers.every(isLoopback);
}

/** The text of a resolv.conf. */
export function resolvConf({ nameservers, search, options }: ResolverSettings): string {
  const lines = [
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
