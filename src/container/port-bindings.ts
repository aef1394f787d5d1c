// Published ports, as a container's configuration has them and as its network takes them.

import type { ExposedPort, PortBinding } from '../network/index.js';
import { parseExpose, publishAll } from '../network/index.js';
import type { ContainerConfig, HostConfig } from '../runtime/index.js';

/** Of a container: `80/tcp` -> where it is published at the host. */
export function portBindings(ports: readonly PortBinding[]): HostConfig['PortBindings'] {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { protocol, containerPort, hostIp, hostPort } of ports) {
    const entry = { HostIp: hostIp, HostPort: hostPort === 0 ? '' : String(hostPort) };
    (bindings[`${String(containerPort)}/${protocol}`] ??= []).push(entry);
  }
  return bindings;
}

/** The ports that a container says it serves. */
export function exposedPorts({ ExposedPorts = {} }: ContainerConfig): ExposedPort[] {
  return Object.keys(ExposedPorts).flatMap(parseExpose);
}

/** What is to be published when the container starts. Throws `invalid`. */
export function publishedPorts(config: ContainerConfig, host: HostConfig): PortBinding[] {
  const asked = Object.entries(host.PortBindings).flatMap(([port, entries]) =>
    parseExpose(port).flatMap(({ protocol, port: containerPort }) =>
      entries.map(({ HostIp, HostPort }) => ({
        protocol,
        containerPort,
        hostIp: HostIp === '0.0.0.0' ? '' : HostIp,
        hostPort: Number(HostPort),
      })),
    ),
  );
  return host.PublishAllPorts ? [...asked, ...publishAll(exposedPorts(config), asked)] : asked;
}
