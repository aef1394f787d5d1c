// Docker Hub's names: people write docker.io, its credentials stand under an address of its first API, requests go to a third host.

export const HUB = 'docker.io';
/** The key of its credentials in Docker's files and for helpers. */
export const HUB_KEY = 'https://index.docker.io/v1/';

const NAMES = [HUB, 'index.docker.io', 'registry-1.docker.io'];

/** The host, with one name for Docker Hub. */
export function hostOf(host: string): string {
  return NAMES.includes(host) ? HUB : host;
}
