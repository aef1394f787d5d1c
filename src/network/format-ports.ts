// Ports as Docker shows them.

import { isIPv6 } from 'node:net';
import type { ExposedPort } from './publish.js';
import type { PortBinding } from './types.js';

/** `0.0.0.0:8080`, `[::1]:8080`. */
export function hostEnd({ hostIp, hostPort }: Pick<PortBinding, 'hostIp' | 'hostPort'>): string {
  return `${formatAddress(hostIp)}:${String(hostPort)}`;
}

function formatAddress(hostIp: string): string {
  if (hostIp === '') return '0.0.0.0';
  return isIPv6(hostIp) ? `[${hostIp}]` : hostIp;
}

/** `80/tcp -> 0.0.0.0:8080`, in order of the container's ports: the lines of `port`. */
export function portLines(ports: readonly PortBinding[]): string[] {
  return sorted(ports).map((one) => `${String(one.containerPort)}/${one.protocol} -> ${hostEnd(one)}`);
}

function sorted(ports: readonly PortBinding[]): PortBinding[] {
  return [...ports].sort(
    (a, b) =>
      a.containerPort - b.containerPort ||
      compare(a.protocol, b.protocol) ||
      compare(a.hostIp, b.hostIp) ||
      a.hostPort - b.hostPort,
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Run {
  readonly group: string;
  readonly protocol: string;
  readonly container: number;
  readonly host: number | undefined;
  length: number;
}

const range = (first: number, length: number): string =>
  length === 1 ? String(first) : `${String(first)}-${String(first + length - 1)}`;

/**
 * The PORTS column: `0.0.0.0:8080->80/tcp, 443/tcp`; neighbours are one range: `0.0.0.0:8000-8001->80-81/tcp`. Exposed ports that are
 * not published stand alone.
 */
export function formatPorts(ports: readonly PortBinding[], exposed: readonly ExposedPort[] = []): string {
  const published = new Set(ports.map(({ protocol, containerPort }) => `${String(containerPort)}/${protocol}`));
  const rows = [
    ...sorted(ports).map((one) => ({
      group: formatAddress(one.hostIp),
      protocol: one.protocol,
      container: one.containerPort,
      host: one.hostPort,
    })),
    ...exposed
      .filter(({ protocol, port }) => !published.has(`${String(port)}/${protocol}`))
      .map(({ protocol, port }) => ({ group: '', protocol, container: port, host: undefined })),
  ].sort((a, b) => compare(a.protocol, b.protocol) || compare(a.group, b.group) || a.container - b.container);
  const runs: Run[] = [];
  for (const row of rows) {
    const last = runs.at(-1);
    const follows =
      last?.group === row.group &&
      last.protocol === row.protocol &&
      last.container + last.length === row.container &&
      (last.host === undefined ? undefined : last.host + last.length) === row.host;
    if (follows) last.length += 1;
    else runs.push({ ...row, length: 1 });
  }
  return runs
    .map(({ group, protocol, container, host, length }) => {
      const inside = `${range(container, length)}/${protocol}`;
      return host === undefined ? inside : `${group}:${range(host, length)}->${inside}`;
    })
    .join(', ');
}
