// The ports of a container that runs: those of the host that lead to it, and those it says it listens on.

import type { Container } from '../container/index.js';
import { VeneerError } from '../core/index.js';
import { formatPorts, parseExpose } from '../network/index.js';
import type { ExposedPort, PortBinding } from '../network/index.js';

type Running = Pick<Container, 'run' | 'config'>;

export function publishedPorts({ run }: Pick<Container, 'run'>): readonly PortBinding[] {
  return run.network?.ports ?? [];
}

export function exposedPorts({ config }: Pick<Container, 'config'>): ExposedPort[] {
  return Object.keys(config.ExposedPorts ?? {}).flatMap((text) => {
    try {
      return parseExpose(text);
    } catch (error) {
      // An image may name protocols that nobody here knows.
      if (error instanceof VeneerError) return [];
      throw error;
    }
  });
}

/** docker's column PORTS; empty for what does not run. */
export function portsText(container: Running): string {
  const isUp = container.run.status === 'running' || container.run.status === 'paused';
  return isUp ? formatPorts(publishedPorts(container), exposedPorts(container)) : '';
}
