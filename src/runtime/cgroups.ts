// Where a container's cgroup is, and who makes it.

import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRootless } from '../rootless/index.js';
import { kill } from '../sys/index.js';

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

const CGROUPS = '/sys/fs/cgroup';
const SIGKILL = 9;
/** What was killed takes a moment to end. */
const TRIES = 100;
const TRY_MS = 10;

/**
 * Kills what is in a container's cgroups, and removes them: a runtime that was killed while it made a container has left them, and knows
 * nothing of them. Others than root's are whose systemd made them.
 */
export async function removeCgroups(place: CgroupPlace): Promise<void> {
  if (place.manager !== 'cgroupfs') return;
  const tops = place.version === 2 ? [CGROUPS] : readdirSync(CGROUPS).map((controller) => join(CGROUPS, controller));
  for (const top of tops) {
    const directory = join(top, place.path);
    for (let tries = 0; tries < TRIES && !isRemoved(directory); tries += 1) await delay(TRY_MS);
  }
}

/** Those inside first. */
function isRemoved(directory: string): boolean {
  if (!existsSync(directory)) return true;
  try {
    for (const pid of readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n')) {
      if (pid !== '') kill(Number(pid), SIGKILL);
    }
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) isRemoved(join(directory, entry.name));
    }
    rmdirSync(directory);
    return true;
  } catch {
    // Busy, or removed by somebody else.
    return !existsSync(directory);
  }
}
