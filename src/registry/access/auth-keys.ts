// Under which keys credential files and helpers know a registry.

import { HUB, HUB_KEY, hostOf } from './hub.js';

/**
 * The registry that a key of `auths` is for. Docker once wrote whole addresses, `https://HOST/v1/`; in the files of containers' tools a
 * key may go on with a namespace, which stays.
 */
export function registryOfKey(key: string, isLegacy: boolean): string {
  const bare = key.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  const isAddress = isLegacy || bare !== key || /\/v[12]\/?$/.test(bare);
  if (slash < 0 || isAddress) return hostOf(slash < 0 ? bare : bare.slice(0, slash));
  return hostOf(bare.slice(0, slash)) + bare.slice(slash);
}

/** The registry and its namespaces, the longest first: `HOST/A/B`, `HOST/A`, `HOST`. */
export function namesFor(registry: string, repository = ''): string[] {
  const steps = [hostOf(registry), ...repository.split('/').filter((step) => step !== '')];
  return steps.map((_, at) => steps.slice(0, steps.length - at).join('/'));
}

/** How tools spell the key that they write: Docker's own, and those of containers, which call Docker Hub by its name. */
export function keyFor(name: string, style: 'docker' | 'containers'): string {
  return name === HUB && style === 'docker' ? HUB_KEY : name;
}

/** What helpers may know a registry as, the most likely first. */
export function serversOf(registry: string): string[] {
  return hostOf(registry) === HUB ? [HUB_KEY, HUB] : [registry];
}
