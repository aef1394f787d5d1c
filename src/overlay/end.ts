// Ending mounts from outside.

import { readlinkSync } from 'node:fs';
import path from 'node:path';
import { SysError, VeneerError, errno, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { unmount } from '../fuse/index.js';
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_RDONLY,
  close,
  mountEntries,
  openat,
  parseMountInfo,
  processNumbers,
  syncfsAside,
} from '../sys/index.js';
import { ServerProcess, aboutProcess } from './server-process.js';
import { removeDoor } from './statistics-door.js';

/** Whether one of our file systems is mounted at a directory. */
export function mountedAt(mountpoint: string): boolean {
  const target = toByteString(path.resolve(mountpoint));
  return mountEntries().some((entry) => entry.mountpoint === target && entry.type === 'fuse.veneer');
}

/** Milliseconds in which a server ends that nothing holds up. */
const GRACE = 250;
/** How long a mount may last in the namespace of a process that is ending. */
const HOLDER_TIMEOUT = 5000;
/** How long a server may take to end after its mount is gone: it may have to sync first. */
const END_TIMEOUT = 60_000;

/** Somebody else who has the mount, too, in a mount namespace made while it was there. */
interface Holder {
  readonly pid: number;
  /** Where the mount is in that namespace: a ByteString. */
  readonly mountpoint: string;
}

function holderOf(device: string | undefined): Holder | undefined {
  if (device === undefined) return undefined;
  const seen = new Set<string>();
  for (const pid of processNumbers()) {
    const namespace = mountNamespace(pid);
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    const entry = parseMountInfo(aboutProcess(pid, 'mountinfo')).find((one) => one.device === device);
    if (entry !== undefined) return { pid, mountpoint: entry.mountpoint };
  }
  return undefined;
}

function mountNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** Has the kernel pass on what programs have written through mappings, which goes with the server otherwise. */
async function syncMount(directory: ByteString): Promise<void> {
  const fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return;
  await syncfsAside(fd);
  close(fd);
}

/** Takes a busy mount out of sight. With a file of it open, it cannot go before all of it is written. */
async function detach(mountpoint: string): Promise<void> {
  const fd = openat(AT_FDCWD, toByteString(mountpoint), O_RDONLY | O_DIRECTORY);
  try {
    check(mountpoint, await unmount(mountpoint, { lazy: true }));
    if (fd >= 0) await syncfsAside(fd);
  } finally {
    if (fd >= 0) close(fd);
  }
}

/** Lets the server of a mount go on that was stopped, by a signal: nothing can be asked of the mount, nor ended, before. */
export function resumeServer(mountpoint: string, known?: number): void {
  using server = ServerProcess.of(path.resolve(mountpoint), known);
  server?.resume();
}

export interface UnmountOptions {
  /** Takes a busy mount out of sight and does not wait for its end. */
  readonly lazy?: boolean;
  /** Ends a mount that is busy, or that another mount namespace has, too: whoever uses it finds it disconnected (ENOTCONN). */
  readonly force?: boolean;
  /** The number of its server, from who may know it. */
  readonly server?: number | undefined;
}

/**
 * Un-mounts and returns when the server has ended, so that the upper directory can be used at once. Throws `in-use` for a busy mount,
 * `not-found` where nothing is mounted, `unavailable` if the server goes on: for seconds where another mount namespace has the mount,
 * else for a minute.
 */
export async function unmountOverlay(mountpoint: string, options: UnmountOptions = {}): Promise<void> {
  const resolved = path.resolve(mountpoint);
  const target = toByteString(resolved);
  const { lazy = false, force = false } = options;
  if (lazy) {
    check(resolved, await unmount(resolved, { lazy }));
    return;
  }
  const device = mountEntries().findLast((entry) => entry.mountpoint === target)?.device;
  using server = ServerProcess.of(resolved, options.server);
  const status = await unmount(resolved, { lazy });
  if (status === -errno.EBUSY && force) {
    await detach(resolved);
    if (server !== undefined) await endServer(server, resolved);
    return;
  }
  check(resolved, status);
  if (server === undefined || (await server.ends(GRACE))) return;
  const holder = holderOf(device);
  if (holder !== undefined && force) {
    await syncMount(`/proc/${String(holder.pid)}/root${holder.mountpoint}`);
    await endServer(server, resolved);
  } else if (!(await server.ends(holder === undefined ? END_TIMEOUT : HOLDER_TIMEOUT))) {
    if (force) await endServer(server, resolved);
    else throw endless(resolved, server, holderOf(device));
  }
}

/** Ends what would go on for who has the mount; all that was to be written is. */
async function endServer(server: ServerProcess, mountpoint: string): Promise<void> {
  server.kill();
  if (!(await server.ends(END_TIMEOUT))) throw endless(mountpoint, server);
  removeDoor(mountpoint);
}

function endless(mountpoint: string, { pid }: ServerProcess, holder?: Holder): VeneerError {
  const why =
    holder === undefined ? '' : `: process ${String(holder.pid)} has the mount in a mount namespace of its own`;
  return new VeneerError('unavailable', `the server of '${mountpoint}' (process ${String(pid)}) does not end${why}`);
}

function check(mountpoint: string, status: number): void {
  if (status < 0) throw unmountError(mountpoint, -status);
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
