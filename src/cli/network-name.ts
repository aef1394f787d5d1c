import type { HostConfig } from '../runtime/index.js';

/** Of the network that a container is in, whether it runs or not, in docker's words. */
export function networkName({ NetworkMode }: Pick<HostConfig, 'NetworkMode'>): string {
  return NetworkMode === 'default' ? 'bridge' : NetworkMode;
}
