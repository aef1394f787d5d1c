// Where a container's cgroup is, and who makes it.

import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRootless, ownUser } from '../rootless/index.js';
import { kill } from '../sys/index.js';
import { findProgram } from './find-program.js';

/** `none`: the container stays in the cgroup of who starts it, without limits and without being paused. */
export type CgroupPlace =
  | { readonly manager: 'cgroupfs' | 'systemd'; readonly version: 1 | 2; readonly path: string }
  | { readonly manager: 'none' };

const CGROUPS = '/sys/fs/cgroup';
/** There while it runs: sd_booted(3). */
const SYSTEMD = '/run/systemd/system';
const VERSION_2 = join(CGROUPS, 'cgroup.controllers');

/** --cgroup-parent NAME.slice is a unit, whose limits hold for what systemd itself puts there. */
const isSlice = (parent: string): boolean => /^[^/]+\.slice$/.test(parent);

/**
 * Root makes cgroups himself, but in systemd's slices. Users have them made by their systemd, to which cgroups are delegated, where they are logged in and the
 * machine has version 2; version 1 cannot be delegated. `parent` is '' or where --cgroup-parent wants it.
 */
export function cgroupPlace(id: string, parent: string, env: NodeJS.ProcessEnv = process.env): CgroupPlace {
  const version = existsSync(VERSION_2) ? 2 : 1;
  // Of slice, prefix and name. crun takes an empty slice for the name of one (1.8); a user's systemd has this one, as the machine's.
  const bySystemd = {
    manager: 'systemd',
    version,
    path: `${parent === '' ? 'user.slice' : parent}:veneer:${id}`,
  } as const;
  if (!isRootless()) {
    if (isSlice(parent) && existsSync(SYSTEMD)) return bySystemd;
    return { manager: 'cgroupfs', version, path: `${parent === '' ? '/veneer' : parent}/${id}` };
  }
  return version === 2 && hasUserSystemd(env) ? bySystemd : { manager: 'none' };
}

/**
 * The controllers of version 2 that a container may be limited by; undefined where nobody knows. A user has those that the machine's
 * systemd has delegated to his.
 */
export function cgroupControllers(place: CgroupPlace): readonly string[] | undefined {
  if (place.manager === 'none' || place.version === 1) return undefined;
  const user = String(ownUser());
  const top = isRootless() ? join(CGROUPS, `user.slice/user-${user}.slice/user@${user}.service`) : CGROUPS;
  try {
    return readFileSync(join(top, 'cgroup.controllers'), 'latin1').trim().split(' ');
  } catch {
    return undefined;
  }
}

/**
 * What starts a program that is to put processes into a container's cgroup: nothing, or systemd-run. The kernel wants its own cgroup to be
 * delegated to the user, too (cgroup-v2, delegation containment), which that of a login is not.
 */
export function delegatedStart(manager: CgroupPlace['manager'] | undefined): string[] {
  if (manager !== 'systemd' || !isRootless()) return [];
  const own = `/user@${String(ownUser())}.service/`;
  if (readFileSync('/proc/self/cgroup', 'latin1').includes(own)) return [];
  const program = findProgram('systemd-run');
  if (program === undefined) return [];
  return [program, '--user', '--scope', '--quiet', '--collect', '--slice=user.slice', '--'];
}

function hasUserSystemd(env: NodeJS.ProcessEnv): boolean {
  const address = env['DBUS_SESSION_BUS_ADDRESS'];
  const named = address === undefined ? undefined : /^unix:path=([^,;]+)/.exec(address)?.[1];
  const bus = named ?? join(env['XDG_RUNTIME_DIR'] ?? '/nonexistent', 'bus');
  return existsSync(SYSTEMD) && existsSync(bus);
}

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
