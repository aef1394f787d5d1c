// Ports of the host: whether one is free, who has it, and choosing one.

import { createSocket } from 'node:dgram';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer, isIPv6 } from 'node:net';
import { VeneerError, hasCode } from '../core/index.js';
import { processNumbers } from '../sys/index.js';
import { hostEnd } from './format-ports.js';
import type { PortBinding } from './types.js';

/** Opens a port for a moment; resolves to its number, which is chosen for 0, or rejects with the error of bind(2). */
function probe({ protocol, hostIp, hostPort }: PortBinding): Promise<number> {
  const address = hostIp === '' ? '0.0.0.0' : hostIp;
  return new Promise((resolve, reject) => {
    if (protocol === 'tcp') {
      const server = createServer();
      server.once('error', reject);
      server.listen({ port: hostPort, host: address, exclusive: true }, () => {
        const at = server.address();
        server.close(() => resolve(typeof at === 'object' && at !== null ? at.port : hostPort));
      });
    } else {
      const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
      socket.once('error', reject);
      socket.bind({ port: hostPort, address, exclusive: true }, () => {
        const { port } = socket.address();
        socket.close(() => resolve(port));
      });
    }
  });
}

const label = ({ hostPort, protocol }: PortBinding): string => `${String(hostPort)}/${protocol}`;

/** Whether two bindings want the same port of the same address. */
export function collide(a: PortBinding, b: PortBinding): boolean {
  const sameAddress = a.hostIp === '' || b.hostIp === '' || a.hostIp === b.hostIp;
  return a.protocol === b.protocol && a.hostPort === b.hostPort && sameAddress;
}

/** Ports that somebody has, though no process listens there. */
export interface Holder {
  readonly name: string;
  readonly ports: readonly PortBinding[];
}

const ATTEMPTS = 100;

/**
 * The bindings with all host ports chosen. Throws `in-use`, with who has it where that can be found, `permission` for a port
 * that only root may open, and `invalid` for an address that the host does not have.
 */
export async function resolvePorts(
  wanted: readonly PortBinding[],
  holders: readonly Holder[] = [],
): Promise<PortBinding[]> {
  const resolved: PortBinding[] = [];
  // What is given goes first: none of it must be chosen for another.
  const inOrder = [...wanted].sort((a, b) => Number(a.hostPort === 0) - Number(b.hostPort === 0));
  for (const one of inOrder) resolved.push(await resolvePort(one, resolved, holders));
  return resolved;
}

async function resolvePort(
  wanted: PortBinding,
  resolved: readonly PortBinding[],
  holders: readonly Holder[],
): Promise<PortBinding> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const binding = { ...wanted, hostPort: await probe(wanted).catch((error: unknown) => refuse(wanted, error)) };
    if (resolved.some((other) => collide(other, binding))) {
      if (wanted.hostPort !== 0)
        throw new VeneerError('invalid', `port ${label(binding)} of the host is published twice`);
      continue;
    }
    const holder = holders.find(({ ports }) => ports.some((other) => collide(other, binding)));
    if (holder === undefined) return binding;
    if (wanted.hostPort !== 0) throw inUse(binding, `container ${holder.name}`);
  }
  throw new VeneerError('unavailable', 'no port of the host is free');
}

function inUse(binding: PortBinding, who: string | undefined): VeneerError {
  const by = who === undefined ? '' : ` by ${who}`;
  return new VeneerError('in-use', `cannot publish port ${label(binding)}: ${hostEnd(binding)} is in use${by}`, {
    hint: `publish another port of the host: -p ${String(binding.hostPort + 1)}:${String(binding.containerPort)}`,
  });
}

function refuse(binding: PortBinding, cause: unknown): never {
  if (hasCode(cause, 'EADDRINUSE')) throw inUse(binding, listenerOf(binding));
  if (hasCode(cause, 'EACCES')) {
    throw new VeneerError(
      'permission',
      `cannot publish port ${label(binding)}: only root may open ports below ${unprivilegedStart()}`,
      {
        cause,
        hint: 'publish a higher one: -p 8080:80',
      },
    );
  }
  if (hasCode(cause, 'EADDRNOTAVAIL')) {
    throw new VeneerError(
      'invalid',
      `cannot publish port ${label(binding)}: the host has no address ${binding.hostIp}`,
      {
        cause,
      },
    );
  }
  throw cause;
}

function unprivilegedStart(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1').trim();
  } catch {
    return '1024';
  }
}

const LISTEN = '0A';

/** The socket of a listener: its inode, from /proc/net/tcp and its kin (proc_net(5)). */
function socketOf({ protocol, hostPort }: PortBinding): string | undefined {
  const wanted = hostPort.toString(16).toUpperCase().padStart(4, '0');
  for (const table of [protocol, `${protocol}6`]) {
    for (const line of readTable(table)) {
      const fields = line.trim().split(/\s+/);
      const [, local = '', , state] = fields;
      if (local.endsWith(`:${wanted}`) && (protocol === 'udp' || state === LISTEN)) return fields[9];
    }
  }
  return undefined;
}

function readTable(name: string): string[] {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1').split('\n').slice(1);
  } catch {
    return [];
  }
}

/** Which process listens at a port of the host: `nginx (process 123)`; undefined where that cannot be found out. */
function listenerOf(binding: PortBinding): string | undefined {
  const inode = socketOf(binding);
  if (inode === undefined || inode === '0') return undefined;
  for (const pid of processNumbers().map(String)) {
    if (!hasSocket(pid, inode)) continue;
    return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`;
  }
  return undefined;
}

function hasSocket(pid: string, inode: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => isSocket(`/proc/${pid}/fd/${fd}`, inode));
  } catch {
    // It has ended, or is another user's.
    return false;
  }
}

function isSocket(path: string, inode: string): boolean {
  try {
    return readlinkSync(path) === `socket:[${inode}]`;
  } catch {
    return false;
  }
}
