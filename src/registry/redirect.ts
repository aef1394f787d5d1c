// Where an answer sends us: followed by hand, because each step is a decision about what to send along.

import type { Endpoint } from './access/index.js';
import { mayBePlain } from './connections.js';
import { misbehaviour } from './errors.js';

export const MAX_REDIRECTS = 10;

const REDIRECTS = [301, 302, 303, 307, 308];

export function isRedirect(status: number): boolean {
  return REDIRECTS.includes(status);
}

/** Resolves a Location or Link that came from `from`. Throws for anything that is not http(s) or carries a password. */
export function resolveLocation(subject: string, location: string | undefined, from: URL): URL {
  if (location === undefined) throw misbehaviour(subject, `${from.host} redirects to nowhere`);
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    throw misbehaviour(subject, `${from.host} redirects to what is no URL`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw misbehaviour(subject, `${from.host} redirects to a '${url.protocol.slice(0, 20)}' URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw misbehaviour(subject, `${from.host} redirects to a URL with a password in it`);
  }
  url.hash = '';
  return url;
}

/**
 * Refuses a URL whose content, or what is sent there, anybody on the way could read and change. Once TLS was spoken, only what
 * was declared insecure may be left for plain HTTP.
 */
export function checkPlain(subject: string, endpoint: Endpoint, { url, from }: { url: URL; from: URL }): void {
  if (url.protocol === 'https:') return;
  if (mayBePlain(endpoint, url) && (from.protocol === 'http:' || endpoint.tls.verify === false)) return;
  throw misbehaviour(subject, `${from.host} redirects to ${url.host} without TLS, which is refused`);
}
