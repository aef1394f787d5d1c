// What Docker's daemon.json says of registries: where Docker Hub's images can be had besides, and which hosts need no certificate.

import { BlockList, isIP } from 'node:net';
import { VeneerError } from '../../core/index.js';
import { FieldReader } from './fields.js';
import { parseJsonFile } from './small-file.js';

export interface HubMirror {
  /** Host, with its port if there is one. */
  readonly origin: string;
  /** The path before `/v2/`, without a slash at its end. */
  readonly prefix: string;
  readonly isPlain: boolean;
}

export interface DaemonJson {
  readonly mirrors: readonly HubMirror[];
  isInsecure(origin: string): boolean;
}

export const NO_DAEMON_JSON: DaemonJson = { mirrors: [], isInsecure: () => false };

function readMirror(text: string, file: string): HubMirror {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  // The text itself may hold a password.
  if (
    url === undefined ||
    !isHttp ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw new VeneerError(
      'invalid',
      `malformed '${file}': one of 'registry-mirrors' is not http[s]://HOST[:PORT][/PATH]`,
    );
  return { origin: url.host, prefix: url.pathname.replace(/\/+$/, ''), isPlain: url.protocol === 'http:' };
}

/** An address without port and brackets; undefined for a name. */
export function addressOf(origin: string): string | undefined {
  const host = origin.startsWith('[') ? origin.slice(1, origin.indexOf(']')) : origin.replace(/:[0-9]+$/, '');
  return isIP(host) === 0 ? undefined : host;
}

/** Hosts, which must be spelled as the registry is, and networks, to which addresses belong but no names. */
function insecureHosts(entries: readonly string[], file: string): (origin: string) => boolean {
  const hosts = new Set<string>();
  const networks = new BlockList();
  for (const entry of entries.map((it) => it.replace(/^https?:\/\//, '').replace(/\/+$/, ''))) {
    const [, address = '', bits = ''] = /^(.+)\/([0-9]{1,3})$/.exec(entry) ?? [];
    const family = isIP(address);
    if (family === 0) hosts.add(entry);
    else if (Number(bits) > (family === 4 ? 32 : 128))
      throw new VeneerError('invalid', `malformed '${file}': 'insecure-registries' has no network '${entry}'`);
    else networks.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  return (origin) => {
    const address = addressOf(origin);
    return (
      hosts.has(origin) || (address !== undefined && networks.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'))
    );
  };
}

/** Throws `invalid`, naming the file. */
export function parseDaemonJson(text: string, file: string): DaemonJson {
  const root = new FieldReader(parseJsonFile(text, file), `'${file}'`);
  return {
    mirrors: root.texts('registry-mirrors').map((mirror) => readMirror(mirror, file)),
    isInsecure: insecureHosts(root.texts('insecure-registries'), file),
  };
}
