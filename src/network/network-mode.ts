// The words of --network.

import { VeneerError } from '../core/index.js';
import type { NetworkMode } from './types.js';

const WORDS = ['none', 'host', 'bridge', 'private', 'pasta', 'slirp4netns'] as const;

/**
 * Reads what --network says; `default` and '' are what there is for this user: a bridge for root, a private network otherwise.
 * Throws `invalid` for anything that is no network.
 */
export function parseNetworkMode(text: string, options: { readonly rootless: boolean }): NetworkMode {
  if (text === '' || text === 'default') return options.rootless ? 'private' : 'bridge';
  const known = WORDS.find((word) => word === text);
  if (known !== undefined) return known;
  if (text.startsWith('container:') && text.length > 'container:'.length) return text as `container:${string}`;
  throw new VeneerError('invalid', `there is no network '${text}'`, {
    hint: 'a network is bridge, private, host, none or container:NAME',
  });
}
