// Ending mounts from outside.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SysError, VeneerError, errno, toByteString } from '../core/index.js';
import { unmount } from '../fuse/index.js';
import { mountEntries, parseMountInfo } from '../sys/index.js';
import { SERVER } from './server-program.js';

/** Whether one of our file systems is mounted at a directory. */
export function mountedAt(mountpoint: string): boolean {
  const target = toByteString(path.resolve(mountpoint));
  return mountEntries().some((entry) => entry.mountpoint === target && entry.type === 'fuse.veneer');
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** A file of a process; empty when it has ended, waited for or not. */
function aboutProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

/** Whether a process is the server of a mount: told by its command line. */
function serves(pid: number, mountpoint: string): boolean {
  const [, program = '', argument = ''] = aboutProcess(pid, 'cmdline').split('\0');
  return path.basename(program) === path.basename(SERVER) && argument === toByteString(mountpoint);
}

/** How long a server may take to end after its mount is gone: it may have to sync first. */
const END_TIMEOUT = 60_000;

/** Why a server goes on after the un-mount: somebody else has the mount, too, in a mount namespace made while it was there. */
function reasonToGoOn(mountpoint: string): string {
  const target = toByteString(mountpoint);
  const holder = processes().find((pid) =>
    parseMountInfo(aboutProcess(pid, 'mountinfo')).some(
      (entry) => entry.mountpoint.endsWith(target) && entry.type === 'fuse.veneer',
    ),
  );
  return holder === undefined ? '' : `: process ${String(holder)} has the mount in a mount namespace of its own`;
}

/**
 * Un-mounts and returns when the server has ended, so that the upper directory can be used at once. `lazy` takes a
 * busy mount out of sight and does not wait. Throws `in-use` for a busy one, `not-found` where nothing is mounted,
 * `unavailable` if the server goes on for a minute.
 */
export async function unmountOverlay(mountpoint: string, options: { readonly lazy?: boolean } = {}): Promise<void> {
  const resolved = path.resolve(mountpoint);
  const server = processes().find((pid) => serves(pid, resolved));
  const status = await unmount(resolved, { lazy: options.lazy === true });
  if (status < 0) throw unmountError(resolved, -status);
  if (server === undefined || options.lazy === true) return;
  const deadline = Date.now() + END_TIMEOUT;
  for (let pause = 1; serves(server, resolved); pause = Math.min(pause * 2, 50)) {
    if (Date.now() > deadline) {
      const why = reasonToGoOn(resolved);
      throw new VeneerError(
        'unavailable',
        `the server of '${resolved}' (process ${String(server)}) does not end${why}`,
      );
    }
    await sleep(pause);
  }
}

function unmountError(mountpoint: string, error: number): VeneerError {
  const cause = new SysError(error, 'umount', mountpoint);
  if (error === errno.EBUSY) {
    return new VeneerError(
      'in-use',
      `'${mountpoint}' is busy: a process has files open or its working directory there`,
      {
        hint: `fuser -vm '${mountpoint}' names it`,
        cause,
      },
    );
  }
  if (error === errno.EINVAL || error === errno.ENOENT) {
    return new VeneerError('not-found', `nothing is mounted at '${mountpoint}'`, { cause });
  }
  return new VeneerError(error === errno.EPERM ? 'permission' : 'invalid', `cannot un-mount: ${cause.message}`, {
    cause,
  });
}
