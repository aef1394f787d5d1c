// The bridge: an interface of the host that all containers with addresses of their own hang on. It is made with the first of them and
// taken away with the last.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import { identityOf, isRunning } from '../sys/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import { hostResolver } from './etc-files.js';
import { BRIDGE, addForwards, removeRules, writeRules } from './firewall.js';
import type { Forward } from './firewall.js';
import { resolvePorts } from './host-ports.js';
import { hasLedger, openLedger, withLedger } from './ledger.js';
import type { Lease, Ledger } from './ledger.js';
import { runProgram, tryProgram } from './run-program.js';
import { formatSubnet, freeAddress, freeSubnet, gatewayOf, hostRoutes, parseAddress, parseSubnet } from './subnet.js';
import type { Subnet } from './subnet.js';
import type { NetworkRequest, NetworkState } from './types.js';

/** The host's end of a pair: another one for each start, as the one before goes away when the kernel has the time. */
const newHostEnd = (): string => `veth${randomBytes(5).toString('hex')}`;

/** A made-up one, the same for the same address: what neighbours remember stays right. */
function macOf(address: string): string {
  const bytes = parseAddress(address).toString(16).padStart(8, '0').match(/../g) ?? [];
  return `02:42:${bytes.join(':')}`;
}

/** In this network namespace: /sys may show those of another one. */
function exists(device: string): boolean {
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

async function makeBridge(subnet: Subnet): Promise<void> {
  const commands = [
    ...(exists(BRIDGE) ? [`link delete ${BRIDGE}`] : []),
    // Given one, it keeps it: else it has the lowest of its ports', and neighbours remember the wrong one when ports come and go.
    `link add ${BRIDGE} address ${macOf(gatewayOf(subnet))} type bridge`,
    `address add ${gatewayOf(subnet)}/${String(subnet.prefix)} dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
  ];
  await runProgram('ip', ['-batch', '-'], lines(commands));
  setSysctl('ip_forward', '1');
  // A published port of the host's loopback leads to the bridge.
  setSysctl(`conf/${BRIDGE}/route_localnet`, '1');
}

const lines = (commands: readonly string[]): string => commands.map((one) => `${one}\n`).join('');

const forwardsOf = (leases: readonly Lease[]): Forward[] =>
  leases.flatMap(({ address, ports }) => ports.map((port) => ({ ...port, address })));

/** Drops the leases of containers that have ended with nobody there to clean up, and returns them. */
function dropDead(ledger: Ledger): Lease[] {
  const dead = ledger.leases().filter(({ owner }) => !isRunning(owner));
  for (const { id } of dead) ledger.remove(id);
  return dead;
}

function refuseIPv6(request: NetworkRequest): void {
  const found = request.ports.find(({ hostIp }) => hostIp.includes(':'));
  if (found === undefined) return;
  throw new VeneerError('unsupported', `the bridge publishes no ports at IPv6 addresses: '${found.hostIp}'`, {
    hint: 'publish at an IPv4 address, or choose --network private',
  });
}

/** This process: until it has connected the container, or died. */
function ourselves(): ProcessIdentity {
  const identity = identityOf(process.pid);
  if (identity === undefined) throw new Error('/proc does not show this process');
  return identity;
}

/**
 * Gives a container an address and its ports, and makes the bridge where there is none. Only `connectBridge`
 * gives it an interface. Throws as `resolvePorts`, and `unavailable`.
 */
export async function prepareBridge(request: NetworkRequest): Promise<NetworkState> {
  refuseIPv6(request);
  return withLedger(async (ledger) => {
    const dead = dropDead(ledger);
    const others = ledger.leases().filter(({ id }) => id !== request.id);
    const known = ledger.subnet();
    const subnet =
      known === undefined ? freeSubnet(hostRoutes(BRIDGE), hostResolver().nameservers) : parseSubnet(known);
    const isMade = known !== undefined && exists(BRIDGE);
    const ports = await resolvePorts(request.ports, others);
    const address = freeAddress(subnet, new Set(others.map((one) => one.address)));
    const { id, name } = request;
    const lease = { id, name, address, device: newHostEnd(), ports, owner: ourselves() };
    ledger.put(lease);
    try {
      const rules = { subnet: formatSubnet(subnet), forwards: forwardsOf([...others, lease]) };
      if (!isMade) {
        await allDone([makeBridge(subnet), writeRules(rules)]);
        // Written last: without it all is made anew.
        ledger.setSubnet(rules.subnet);
      } else if (dead.some((one) => one.ports.length > 0)) await writeRules(rules);
      else if (ports.length > 0) await addForwards(rules, forwardsOf([lease]));
    } catch (error) {
      await give(ledger, [lease]);
      throw error;
    }
    const gateway4 = gatewayOf(subnet);
    const address4 = `${address}/${String(subnet.prefix)}`;
    return {
      mode: request.mode,
      interfaces: [{ name: 'eth0', address4, gateway4, mac: macOf(address) }],
      ports,
      dns: [],
    };
  });
}

/** Waits for all, also when one fails, whose error is thrown then. */
async function allDone(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Connects the network namespace of a process to the bridge, as prepared. The lease is that process's from now on. */
export async function connectBridge(request: NetworkRequest, state: NetworkState, pid: number): Promise<void> {
  const [own] = state.interfaces;
  const owner = identityOf(pid);
  if (own === undefined || owner === undefined) {
    throw new VeneerError('unavailable', `container ${request.name} ended before it got a network`);
  }
  const ledger = openLedger();
  const lease = ledger.lease(request.id);
  if (lease === undefined)
    throw new VeneerError('unavailable', `the network of container ${request.name} was taken away`);
  const mtu = `mtu ${String(mtuOfDefaultRoute())}`;
  const pair = `link add ${lease.device} up ${mtu} master ${BRIDGE} type veth`;
  const peer = `peer name ${own.name} address ${own.mac ?? ''} ${mtu} netns ${String(pid)}`;
  // A container that asks for its own published port gets its frames back (br_nf_pre_routing_finish, net/bridge).
  const hairpin = `link set ${lease.device} type bridge_slave hairpin on`;
  await runProgram('ip', ['-batch', '-'], lines([`${pair} ${peer}`, hairpin]));
  const inside = [
    'link set lo up',
    `address add ${own.address4 ?? ''} dev ${own.name}`,
    `link set ${own.name} up`,
    `route add default via ${own.gateway4 ?? ''}`,
  ];
  await runProgram('nsenter', [`--net=/proc/${String(pid)}/ns/net`, 'ip', '-batch', '-'], lines(inside));
  ledger.put({ ...lease, owner });
}

/** Gives leases up: the rules of the others, or nothing at all, hold then. */
async function give(ledger: Ledger, given: readonly Lease[]): Promise<void> {
  for (const { id } of given) ledger.remove(id);
  const left = ledger.leases();
  const subnet = ledger.subnet();
  // A network namespace takes its interfaces along, but later, and not while somebody keeps it.
  const work = given.map(({ device }) => removeDevice(device));
  if (left.length === 0 || subnet === undefined) {
    await allDone([...work, removeDevice(BRIDGE), removeRules()]);
    ledger.forgetBridge();
  } else {
    const published = given.some(({ ports }) => ports.length > 0);
    await allDone([...work, ...(published ? [writeRules({ subnet, forwards: forwardsOf(left) })] : [])]);
  }
}

async function removeDevice(device: string): Promise<void> {
  if (!exists(device)) return;
  const ran = await tryProgram('ip', ['link', 'delete', device]);
  if (ran?.code !== 0 && exists(device))
    throw new VeneerError('unavailable', `cannot remove ${device}: ${ran?.complaint ?? 'no ip'}`);
}

/** Takes back what a container has of the bridge, also twice, and whatever was killed before. */
export async function disconnectBridge(id: string): Promise<void> {
  if (!hasLedger()) return;
  await withLedger(async (ledger) => {
    const lease = ledger.lease(id);
    if (lease !== undefined) ledger.remove(id);
    await give(ledger, [...(lease === undefined ? [] : [lease]), ...dropDead(ledger)]);
  });
}
