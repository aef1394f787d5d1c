// The bridge: an interface of the host that all containers with addresses of their own hang on. It is made with the first of them and
// taken away with the last.

import { randomBytes } from 'node:crypto';
import { VeneerError } from '../core/index.js';
import { identityOf, isRunning } from '../sys/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import { exists, macOf, makeBridge, plugIn, unplug } from './cables.js';
import { hostResolver } from './etc-files.js';
import { BRIDGE, addForwards, rewriteForwards, writeRules } from './firewall.js';
import type { Forward } from './firewall.js';
import { resolvePorts } from './host-ports.js';
import { LockedLedger, openLedger } from './ledger.js';
import type { Lease, Ledger } from './ledger.js';
import { NetworkNamespace } from './namespace.js';
import { RouteSocket } from './netlink/route-socket.js';
import { formatSubnet, freeAddress, freeSubnet, gatewayOf, hostRoutes, parseSubnet } from './subnet.js';
import { switchOff } from './switch-off.js';
import type { NetworkRequest, NetworkState, PreparedNetwork } from './types.js';

/** The host's end of a pair: another one for each start, as the one before goes away when the kernel has the time. */
const newHostEnd = (): string => `veth${randomBytes(5).toString('hex')}`;

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
 * Gives a container an address and its ports, makes the bridge where there is none, and a namespace that hangs on it. Only the rules
 * are still being written then. Throws as `resolvePorts`, and `unavailable`.
 */
export async function prepareBridge(request: NetworkRequest): Promise<PreparedNetwork> {
  refuseIPv6(request);
  const ledger = await LockedLedger.make();
  try {
    const { state, namespace, rules } = await lease(request, ledger);
    const written = rules().finally(() => ledger[Symbol.dispose]());
    // Who connects hears of it.
    written.catch(() => undefined);
    return {
      state,
      namespace: namespace.path,
      connect: async (pid) => {
        await written;
        handOver(request, pid);
        return state;
      },
      [Symbol.dispose]: () => namespace[Symbol.dispose](),
    };
  } catch (error) {
    ledger[Symbol.dispose]();
    throw error;
  }
}

interface Leased {
  readonly state: NetworkState;
  readonly namespace: NetworkNamespace;
  /** Makes the rules hold. */
  readonly rules: () => Promise<void>;
}

async function lease(request: NetworkRequest, ledger: LockedLedger): Promise<Leased> {
  const dead = dropDead(ledger);
  const others = ledger.leases().filter(({ id }) => id !== request.id);
  const known = ledger.subnet();
  const subnet = known === undefined ? freeSubnet(hostRoutes(BRIDGE), hostResolver().nameservers) : parseSubnet(known);
  const isMade = known !== undefined && exists(BRIDGE);
  const ports = await resolvePorts(request.ports, others);
  const address = freeAddress(subnet, new Set(others.map((one) => one.address)));
  const { id, name, mode } = request;
  const own: Lease = { id, name, address, device: newHostEnd(), ports, owner: ourselves() };
  ledger.put(own);
  const eth0 = {
    name: 'eth0',
    address4: `${address}/${String(subnet.prefix)}`,
    gateway4: gatewayOf(subnet),
    mac: macOf(address),
  };
  const namespace = NetworkNamespace.make();
  try {
    using routes = new RouteSocket();
    if (!isMade) makeBridge(routes, subnet);
    plugIn(routes, namespace, { ...eth0, device: own.device });
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
  const rules = { subnet: formatSubnet(subnet), forwards: forwardsOf([...others, own]) };
  return {
    state: { mode, interfaces: [eth0], ports, dns: [] },
    namespace,
    rules: async () => {
      if (!isMade) {
        await writeRules(rules);
        // Written last: without it all is made anew.
        ledger.setSubnet(rules.subnet);
      } else if (dead.some((one) => one.ports.length > 0)) await rewriteForwards(rules);
      else if (ports.length > 0) await addForwards(rules, forwardsOf([own]));
    },
  };
}

/** From now on the lease is the container's, and void when its process has ended. */
function handOver({ id, name }: NetworkRequest, pid: number): void {
  const owner = identityOf(pid);
  const ledger = openLedger();
  const own = ledger.lease(id);
  if (owner === undefined) throw new VeneerError('unavailable', `container ${name} ended before it got a network`);
  if (own === undefined) throw new VeneerError('unavailable', `the network of container ${name} was taken away`);
  ledger.put({ ...own, owner });
}

/** Takes back what a container has of the bridge, also twice, and whatever was killed before. With the last one the bridge goes. */
export async function disconnectBridge(id: string): Promise<void> {
  using ledger = await LockedLedger.open();
  if (ledger === undefined) return;
  const lease = ledger.lease(id);
  if (lease !== undefined) ledger.remove(id);
  const given = [...(lease === undefined ? [] : [lease]), ...dropDead(ledger)];
  const left = ledger.leases();
  const subnet = ledger.subnet();
  if (left.length === 0 || subnet === undefined) {
    switchOff(ledger);
    return;
  }
  unplug(given.map(({ device }) => device));
  const published = given.some(({ ports }) => ports.length > 0);
  if (published) await rewriteForwards({ subnet, forwards: forwardsOf(left) });
}
