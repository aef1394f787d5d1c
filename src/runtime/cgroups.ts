// Where a container's cgroup is, and who makes it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isRootless } from '../rootless/index.js';

/** `none`: the container stays in the cgroup of who starts it, without limits and without being paused. */
export type CgroupPlace =
  | { readonly manager: 'cgroupfs' | 'systemd'; readonly version: 1 | 2; readonly path: string }
  | { readonly manager: 'none' };

const VERSION_2 = '/sys/fs/cgroup/cgroup.controllers';

/**
 * Root makes cgroups himself. Users have them made by their systemd, to which cgroups are delegated, where they are logged in and the
 * machine has version 2; version 1 cannot be delegated. `parent` is '' or where --cgroup-parent wants it.
 */
export function cgroupPlace(id: string, parent: string, env: NodeJS.ProcessEnv = process.env): CgroupPlace {
  const version = existsSync(VERSION_2) ? 2 : 1;
  if (!isRootless()) return { manager: 'cgroupfs', version, path: `${parent === '' ? '/veneer' : parent}/${id}` };
  // Of slice, prefix and name; without a slice, it is the runtime's to choose: user.slice.
  if (version === 2 && hasUserSystemd(env)) return { manager: 'systemd', version, path: `${parent}:veneer:${id}` };
  return { manager: 'none' };
}

function hasUserSystemd(env: NodeJS.ProcessEnv): boolean {
  const address = env['DBUS_SESSION_BUS_ADDRESS'];
  const named = address === undefined ? undefined : /^unix:path=([^,;]+)/.exec(address)?.[1];
  const bus = named ?? join(env['XDG_RUNTIME_DIR'] ?? '/nonexistent', 'bus');
  return existsSync('/run/systemd/system') && existsSync(bus);
}
