// What people type for a registry.

import { VeneerError } from '../core/index.js';
import { isRegistryHost, isRepository } from '../image/index.js';

export const DOCKER_HUB = 'docker.io';

/** Docker Hub's other names. */
const HUB_HOSTS = ['index.docker.io', 'registry-1.docker.io'];

export interface RegistryName {
  readonly registry: string;
  /** Of the repositories that one logs in for, in `HOST/NAMESPACE`. */
  readonly namespace?: string;
}

/** Whether names begin with it: `team/app` is not in a registry called team, but Docker Hub's. */
function isSpelledAsHost(host: string): boolean {
  return isRegistryHost(host) && (/[.:[]/.test(host) || host === 'localhost');
}

/** Reads HOST[:PORT][/NAMESPACE], or the address that Docker takes for it: `https://HOST/v1/`. Throws `usage`. */
export function parseRegistryName(text: string): RegistryName {
  const address = text.replace(/^https?:\/\//i, '');
  const [host = '', ...steps] = address.split('/');
  const namespace = address === text ? steps.join('/').replace(/\/+$/, '') : '';
  if (!isSpelledAsHost(host)) {
    throw new VeneerError('usage', `'${text.slice(0, 300)}' is not a registry: write HOST[:PORT]`, {
      hint: "names of hosts have a dot, a port, or are 'localhost'; without one, Docker Hub is meant",
    });
  }
  if (namespace !== '' && !isRepository(namespace))
    throw new VeneerError('usage', `'${text.slice(0, 300)}' has no repository's name after its host`);
  const registry = HUB_HOSTS.includes(host) ? DOCKER_HUB : host;
  return namespace === '' ? { registry } : { registry, namespace };
}

/** As it is shown, and typed. */
export function shownRegistry({ registry, namespace }: RegistryName): string {
  return namespace === undefined ? registry : `${registry}/${namespace}`;
}
