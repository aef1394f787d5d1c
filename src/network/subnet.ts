// IPv4 networks and addresses as numbers: which network is free, which address in it.

import { readFileSync } from 'node:fs';
import { VeneerError } from '../core/index.js';

export interface Subnet {
  readonly network: number;
  readonly prefix: number;
}

export function parseAddress(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => String(Math.floor(address / 2 ** shift) % 256)).join('.');
}

/** Of CIDR. */
export function parseSubnet(cidr: string): Subnet {
  const [address = '', prefix = '32'] = cidr.split('/');
  return { network: parseAddress(address), prefix: Number(prefix) };
}

export function formatSubnet({ network, prefix }: Subnet): string {
  return `${formatAddress(network)}/${String(prefix)}`;
}

const sizeOf = ({ prefix }: Subnet): number => 2 ** (32 - prefix);

function overlap(a: Subnet, b: Subnet): boolean {
  return a.network < b.network + sizeOf(b) && b.network < a.network + sizeOf(a);
}

/** The networks that the host has a route to, but for the default route and those through `except`: the text of /proc/net/route. */
export function parseRoutes(text: string, except: string): Subnet[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([name, destination]) => name !== except && destination !== undefined)
    .map(([, destination = '', , , , , , mask = '']) => ({
      network: littleEndian(destination),
      prefix: littleEndian(mask).toString(2).replace(/0/g, '').length,
    }))
    .filter(({ prefix }) => prefix > 0);
}

/** Addresses stand there as the kernel has them in memory: bytes in the order of the network, read as a number. */
function littleEndian(hex: string): number {
  const bytes = hex.match(/../g) ?? [];
  return parseInt(bytes.reverse().join(''), 16);
}

/** 10.89.0.0/16 and what follows it. */
const CANDIDATES: readonly Subnet[] = Array.from({ length: 166 }, (_, index) => ({
  network: parseAddress(`10.${String(89 + index)}.0.0`),
  prefix: 16,
}));

/** A network that nothing on the host has a route to; `avoid` are addresses that must stay reachable. */
export function freeSubnet(routes: readonly Subnet[], avoid: readonly string[] = []): Subnet {
  const used = [...routes, ...avoid.map((address) => ({ network: parseAddress(address), prefix: 32 }))];
  const found = CANDIDATES.find((one) => used.every((other) => !overlap(one, other)));
  if (found !== undefined) return found;
  throw new VeneerError(
    'unavailable',
    'no network is free for the bridge: the host has routes to all of 10.89.0.0 to 10.254.0.0',
    {
      hint: 'choose --network private',
    },
  );
}

/** The routes of this network namespace. */
export function hostRoutes(except: string): Subnet[] {
  return parseRoutes(readFileSync('/proc/net/route', 'latin1'), except);
}

/** The host's end of the bridge: the first address. */
export function gatewayOf({ network }: Subnet): string {
  return formatAddress(network + 1);
}

/** The lowest address after the gateway's that nobody has. */
export function freeAddress(subnet: Subnet, taken: ReadonlySet<string>): string {
  const last = subnet.network + sizeOf(subnet) - 2;
  for (let address = subnet.network + 2; address <= last; address += 1) {
    const text = formatAddress(address);
    if (!taken.has(text)) return text;
  }
  throw new VeneerError('unavailable', `all addresses of ${formatSubnet(subnet)} are in use`);
}
