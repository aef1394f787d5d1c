// The links of the bridge: itself, and the cables that lead from it into network namespaces.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import { BRIDGE } from './firewall.js';
import type { NetworkNamespace } from './namespace.js';
import { addAddress, addBridge, addCable, addDefaultRoute, findLink, indexOf } from './netlink/links.js';
import { removeLink, setDown, setUp, turnAround } from './netlink/links.js';
import { RouteSocket } from './netlink/route-socket.js';
import { gatewayOf, parseAddress } from './subnet.js';
import type { Subnet } from './subnet.js';

/** A made-up one, the same for the same address: what neighbours remember stays right. */
export function macOf(address: string): string {
  const bytes = parseAddress(address).toString(16).padStart(8, '0').match(/../g) ?? [];
  return `02:42:${bytes.join(':')}`;
}

/** In this network namespace: /sys may show those of another one. */
export function exists(device: string): boolean {
  return existsSync(`/proc/sys/net/ipv4/conf/${device}`);
}

const USUAL_MTU = 1500;

/** A container's interface takes no more at a time than the way out of the host: what is larger would be lost on the way. */
function mtuOfDefaultRoute(): number {
  const routes = readFileSync('/proc/net/route', 'latin1').split('\n').slice(1);
  const [device] = routes.map((line) => line.split('\t')).find(([, destination]) => destination === '00000000') ?? [];
  if (device === undefined) return USUAL_MTU;
  try {
    return Math.min(USUAL_MTU, Number(readFileSync(`/proc/sys/net/ipv6/conf/${device}/mtu`, 'latin1')));
  } catch {
    // A host without IPv6 tells it in /sys alone, which may be another network's.
    return USUAL_MTU;
  }
}

function setSysctl(name: string, value: string): void {
  const path = `/proc/sys/net/ipv4/${name}`;
  if (readFileSync(path, 'latin1').trim() === value) return;
  writeFileSync(path, value);
}

/** Makes it anew where there is one. */
export function makeBridge(routes: RouteSocket, subnet: Subnet): void {
  if (exists(BRIDGE)) routes.ask(removeLink(BRIDGE));
  // Given one, it keeps it: else it has the lowest of its ports', and neighbours remember the wrong one when ports come and go.
  routes.ask(addBridge(BRIDGE, macOf(gatewayOf(subnet))));
  routes.ask(addAddress(indexIn(routes, BRIDGE), `${gatewayOf(subnet)}/${String(subnet.prefix)}`));
  setSysctl('ip_forward', '1');
  // A published port of the host's loopback leads to the bridge.
  setSysctl(`conf/${BRIDGE}/route_localnet`, '1');
}

function indexIn(routes: RouteSocket, device: string): number {
  const [link] = routes.ask(findLink(device));
  if (link === undefined) throw new VeneerError('unavailable', `the kernel does not show ${device}`);
  return indexOf(link);
}

/** The index of `lo` in each network namespace (loopback_net_init, drivers/net/loopback.c). */
const LOOPBACK = 1;

interface Ends {
  /** In the host. */
  readonly device: string;
  /** In the container. */
  readonly name: string;
  readonly address4: string;
  readonly gateway4: string;
  readonly mac: string;
}

/** A cable from the bridge into the namespace of a container, and what it takes to use it there. */
export function plugIn(host: RouteSocket, { fd, routes }: NetworkNamespace, ends: Ends): void {
  const { device, name, address4, gateway4, mac } = ends;
  const peer = { name, mac, namespaceFd: fd };
  host.ask(
    addCable({ device, mtu: mtuOfDefaultRoute(), master: indexIn(host, BRIDGE), peer }),
    // A container that asks for its own published port gets its frames back (br_nf_pre_routing_finish, net/bridge).
    turnAround(device),
  );
  const index = indexIn(routes, name);
  routes.ask(setUp(LOOPBACK), addAddress(index, address4), setUp(index), addDefaultRoute(gateway4));
}

/** A network namespace takes its interfaces along, but later, and not while somebody keeps it: who has the address next is not disturbed. */
export function unplug(devices: readonly string[]): void {
  const there = devices.filter(exists);
  if (there.length === 0) return;
  using routes = new RouteSocket();
  for (const device of there) {
    try {
      routes.ask(setDown(device));
    } catch (error) {
      // Gone by now.
      if (exists(device)) throw error;
    }
  }
}
