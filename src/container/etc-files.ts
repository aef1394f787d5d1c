// The files of /etc that a container has from its host: hosts, hostname, resolv.conf. They lie beside its tree, and are mounted in it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../core/index.js';
import { hostResolver, hostsFile, reachableResolver, resolvConf } from '../network/index.js';
import type { NetworkState, ResolverSettings } from '../network/index.js';
import type { ContainerConfig, EtcFiles, HostConfig } from '../runtime/index.js';

export interface EtcFilesInput {
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  readonly hostname: string;
  readonly network: NetworkState;
  readonly onWarning: (message: string) => void;
}

export function etcFilesIn(directory: string): EtcFiles {
  const below = (name: string): string => join(directory, name);
  return { hosts: below('hosts'), hostname: below('hostname'), resolvConf: below('resolv.conf') };
}

/** Writes them into the container's directory. */
export function writeEtcFiles(directory: string, input: EtcFilesInput): EtcFiles {
  const files = etcFilesIn(directory);
  const write = (path: string, text: string): void => {
    writeFileSync(path, text, { mode: 0o644 });
  };
  write(files.hosts, hostsText(input));
  write(files.hostname, `${input.hostname}\n`);
  write(files.resolvConf, resolvConf(resolverOf(input)));
  return files;
}

/** With the host's network, what the host knows is true there, too. */
function hostsText(input: EtcFilesInput): string {
  const { config, hostname, network } = input;
  const extra = extraHosts(input);
  if (network.mode === 'host') {
    const lines = extra.map(({ address, name }) => `${address}\t${name}\n`);
    return readText('/etc/hosts') + lines.join('');
  }
  const addresses = network.interfaces.flatMap(({ address4 }) => address4?.split('/')[0] ?? []);
  const { Domainname = '' } = config;
  return hostsFile({ hostname: Domainname === '' ? hostname : `${hostname}.${Domainname}`, addresses, extra });
}

function readText(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    return text === '' || text.endsWith('\n') ? text : `${text}\n`;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

/** Docker's word for the host's address as the container sees it. */
const GATEWAY = 'host-gateway';

function extraHosts({ host, network, onWarning }: EtcFilesInput): { address: string; name: string }[] {
  return host.ExtraHosts.flatMap((entry) => {
    const colon = entry.indexOf(':');
    const [name, address] = [entry.slice(0, colon), entry.slice(colon + 1)];
    if (address !== GATEWAY) return [{ name, address }];
    const gateway = network.mode === 'host' ? '127.0.0.1' : network.interfaces[0]?.gateway4;
    if (gateway !== undefined) return [{ name, address: gateway }];
    onWarning(`--add-host ${entry}: this network has no way to the host, the name is left out`);
    return [];
  });
}

function resolverOf({ host, network }: EtcFilesInput): ResolverSettings {
  const own = network.mode === 'host' ? hostResolver() : reachableResolver(network.dns);
  const { Dns, DnsSearch, DnsOptions } = host;
  return {
    nameservers: Dns.length > 0 ? Dns : own.nameservers,
    // `--dns-search .` is none, as with docker.
    search: DnsSearch.length > 0 ? DnsSearch.filter((domain) => domain !== '.') : own.search,
    options: DnsOptions.length > 0 ? DnsOptions : own.options,
  };
}
