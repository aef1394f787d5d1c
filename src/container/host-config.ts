// The host's side of a container's configuration: what was asked for, and Docker's defaults for the rest.

import { VeneerError } from '../core/index.js';
import { DEFAULT_HOST_CONFIG } from '../runtime/index.js';
import type { HostConfig } from '../runtime/index.js';

/** All fields, with the defaults for those that are not named. Throws `invalid` for what contradicts itself. */
export function hostConfig(asked: Partial<HostConfig>): HostConfig {
  const host = { ...DEFAULT_HOST_CONFIG, ...asked };
  if (host.AutoRemove && host.RestartPolicy.Name !== 'no') {
    throw new VeneerError('invalid', 'a container cannot both be restarted and be removed when it ends', {
      hint: 'leave out --rm or --restart',
    });
  }
  return host;
}
