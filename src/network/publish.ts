// -p and --expose, as Docker writes them.

import { isIP } from 'node:net';
import { VeneerError } from '../core/index.js';
import type { PortBinding } from './types.js';

type Protocol = PortBinding['protocol'];

export interface ExposedPort {
  readonly protocol: Protocol;
  readonly port: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

const MAX_PORT = 65535;

function invalid(text: string, why: string): VeneerError {
  return new VeneerError('invalid', `invalid port '${text}': ${why}`, {
    hint: 'write [[ADDRESS:]HOST_PORT:]CONTAINER_PORT[/tcp|/udp], ports from 1 to 65535 or ranges of them: 8080:80',
  });
}

function parseRange(part: string, text: string): Range {
  const matched = /^(\d+)(?:-(\d+))?$/.exec(part);
  if (matched === null) throw invalid(text, `'${part}' is no port`);
  const first = Number(matched[1]);
  const last = matched[2] === undefined ? first : Number(matched[2]);
  if (first < 1 || last > MAX_PORT) throw invalid(text, 'a port is a number from 1 to 65535');
  if (last < first) throw invalid(text, 'the range ends before it begins');
  return { first, last };
}

function splitProtocol(text: string): { ports: string; protocol: Protocol } {
  const [ports = '', protocol = 'tcp', ...rest] = text.split('/');
  const lower = protocol.toLowerCase();
  if (rest.length > 0 || (lower !== 'tcp' && lower !== 'udp')) throw invalid(text, 'a protocol is tcp or udp');
  return { ports, protocol: lower };
}

/** The address before the last two colons, an IPv6 one in brackets or not. */
function splitAddress(ports: string, text: string): { hostIp: string; host: string; container: string } {
  const parts = ports.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const address = parts.join(':').replace(/^\[(.*)\]$/, '$1');
  if (address !== '' && isIP(address) === 0) throw invalid(text, `'${address}' is no IP address`);
  return { hostIp: address === '0.0.0.0' ? '' : address, host, container };
}

const size = ({ first, last }: Range): number => last - first;

/**
 * Reads one value of -p: `80`, `8080:80`, `127.0.0.1:8080:80/udp`, `127.0.0.1::80`, `[::1]:8080:80`, `8000-8010:80-90`. A host
 * port that is not given, or is 0, is 0 in the result. Throws `invalid`. A range of host ports for one port of the container means
 * the first of them.
 */
export function parsePublish(text: string): PortBinding[] {
  const { ports, protocol } = splitProtocol(text);
  const { hostIp, host, container } = splitAddress(ports, text);
  const inside = parseRange(container, text);
  const outside = host === '' || host === '0' ? undefined : parseRange(host, text);
  if (outside !== undefined && size(inside) > 0 && size(outside) !== size(inside)) {
    throw invalid(text, 'both ranges must have the same length');
  }
  return Array.from({ length: size(inside) + 1 }, (_, index) => ({
    protocol,
    containerPort: inside.first + index,
    hostIp,
    hostPort: outside === undefined ? 0 : outside.first + index,
  }));
}

/** Reads one value of --expose or EXPOSE: `80`, `80/udp`, `8000-8010`. Throws `invalid`. */
export function parseExpose(text: string): ExposedPort[] {
  const { ports, protocol } = splitProtocol(text);
  const { first, last } = parseRange(ports, text);
  return Array.from({ length: last - first + 1 }, (_, index) => ({ protocol, port: first + index }));
}

/** What -P adds: a chosen host port for every exposed port that is not published. */
export function publishAll(exposed: readonly ExposedPort[], published: readonly PortBinding[]): PortBinding[] {
  const isPublished = ({ protocol, port }: ExposedPort): boolean =>
    published.some((one) => one.protocol === protocol && one.containerPort === port);
  return exposed
    .filter((one) => !isPublished(one))
    .map(({ protocol, port }) => ({ protocol, containerPort: port, hostIp: '', hostPort: 0 }));
}
