// Starting and ending mounts from outside: each has a server process of its own, which outlives the one that
// started it and ends with the mount.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SysError, VeneerError, errno, toByteString } from '../core/index.js';
import { unmount } from '../fuse/index.js';
import { kill, mountEntries } from '../sys/index.js';
import { defaultLogFile } from './log-file.js';
import type { OverlayOptions } from './options.js';
import type { ServerAnswer, ServerRequest } from './server-main.js';
import { validateOverlay } from './validate.js';

const SERVER = fileURLToPath(new URL('./server-main.js', import.meta.url));

/** Paths as the server, which has another working directory, can use them. */
function absolute(options: OverlayOptions): OverlayOptions {
  return {
    ...options,
    mountpoint: realpathSync(options.mountpoint),
    lowerdir: options.lowerdir.map((dir) => path.resolve(dir)),
    ...(options.upperdir === undefined ? {} : { upperdir: path.resolve(options.upperdir) }),
    ...(options.workdir === undefined ? {} : { workdir: path.resolve(options.workdir) }),
  };
}

function logLevel(): string {
  return process.env['VENEER_LOG_LEVEL'] ?? 'info';
}

/**
 * Mounts in a process of its own and returns when the mount answers. Throws VeneerError: `not-found`, `invalid`
 * (the directories), `in-use` (the upper or the mount point), `permission`, `unavailable` (no FUSE). The server logs to
 * `logFile`, or else to a file named after the mount point in /run/veneer or the user's runtime directory.
 */
export async function startOverlay(options: OverlayOptions & { readonly logFile?: string }): Promise<{ pid: number }> {
  validateOverlay(options);
  const { logFile, ...rest } = options;
  const resolved = absolute(rest);
  const uid = process.geteuid?.() ?? 0;
  const request: ServerRequest = {
    options: resolved,
    logFile:
      logFile === undefined ? defaultLogFile(resolved.mountpoint, { env: process.env, uid }) : path.resolve(logFile),
    logLevel: logLevel(),
  };
  const server = spawn(process.execPath, [SERVER, request.options.mountpoint], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = collect(server.stdout);
  const complaints = collect(server.stderr);
  // A server that died early is told by its missing answer.
  server.stdin.on('error', () => undefined);
  server.stdin.end(JSON.stringify(request));
  const [text] = await Promise.all([output, complaints, once(server.stdout, 'close')]);
  const answer = text === '' ? undefined : (JSON.parse(text) as ServerAnswer);
  server.unref();
  if (answer !== undefined && 'ready' in answer) return { pid: server.pid ?? 0 };
  if (answer === undefined) {
    const why = (await complaints).trim().split('\n').at(-1) ?? '';
    throw new VeneerError('unavailable', `the server of '${options.mountpoint}' ended before it mounted: ${why}`);
  }
  const { code, message, hint } = answer.failure;
  throw new VeneerError(code, message, hint === undefined ? {} : { hint });
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Mounts and serves in this process until un-mounted, logging to standard error. Throws as `startOverlay`. */
export async function serveOverlay(options: OverlayOptions): Promise<void> {
  validateOverlay(options);
  const { supervise } = await import('./supervise.js');
  await supervise(absolute(options), { logFile: undefined, logLevel: logLevel(), onReady: () => undefined });
}

/** Whether one of our file systems is mounted at a directory. */
export function mountedAt(mountpoint: string): boolean {
  const target = toByteString(path.resolve(mountpoint));
  return mountEntries().some((entry) => entry.mountpoint === target && entry.type === 'fuse.veneer');
}

/** The server of a mount, found by its command line; undefined when it is gone. */
function serverOf(mountpoint: string): number | undefined {
  const wanted = [SERVER, mountpoint];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    let args: string[];
    try {
      args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
    } catch {
      // The process ended meanwhile.
      continue;
    }
    if (args[1] === wanted[0] && args[2] === wanted[1]) return Number(entry);
  }
  return undefined;
}

/** Whether a process goes on. One that has ended but was not waited for yet, by an init that is slow or none, does not. */
function isRunning(pid: number): boolean {
  if (kill(pid, 0) < 0) return false;
  try {
    // The state follows the name, which may hold anything (proc_pid_stat(5)).
    return !/\) [ZX] [^)]*$/.test(readFileSync(`/proc/${String(pid)}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** How long a server may take to end after its mount is gone: it may have to sync first. */
const END_TIMEOUT = 60_000;

/**
 * Un-mounts and returns when the server has ended, so that the upper directory can be used at once. `lazy` takes a
 * busy mount out of sight and does not wait. Throws `in-use` for a busy one, `not-found` where nothing is mounted.
 */
export async function unmountOverlay(mountpoint: string, options: { readonly lazy?: boolean } = {}): Promise<void> {
  const resolved = path.resolve(mountpoint);
  const server = serverOf(resolved);
  const status = unmount(resolved, { lazy: options.lazy === true });
  if (status < 0) throw unmountError(resolved, -status);
  if (server === undefined || options.lazy === true) return;
  const deadline = Date.now() + END_TIMEOUT;
  for (let pause = 1; isRunning(server); pause = Math.min(pause * 2, 50)) {
    if (Date.now() > deadline) {
      throw new VeneerError('unavailable', `the server of '${resolved}' (process ${String(server)}) does not end`);
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
