// Starting a mount: each has a server process of its own, which outlives the one that started it and ends with the mount.
// This is also a door of the room, for who does nothing but mount.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { VeneerError } from '../core/index.js';
import type { OverlayOptions } from './options.js';
import type { ServerAnswer, ServerRequest } from './server-main.js';
import { SERVER } from './server-program.js';

const STDERR = 2;

function logLevel(): string {
  return process.env['VENEER_LOG_LEVEL'] ?? 'info';
}

/** By which name a server is found in the list of processes; a mount point that is not there is refused by the server. */
function nameOf(mountpoint: string): string {
  try {
    return realpathSync(mountpoint);
  } catch {
    return path.resolve(mountpoint);
  }
}

/**
 * Mounts in a process of its own and returns when the mount answers. Throws VeneerError: `not-found`, `invalid`
 * (the directories), `in-use` (the upper or the mount point), `permission`, `unavailable` (no FUSE). The server logs to
 * `logFile`, or else to a file named after the mount point in /run/veneer or the user's runtime directory.
 */
export async function startOverlay(options: OverlayOptions & { readonly logFile?: string }): Promise<{ pid: number }> {
  const { logFile, ...rest } = options;
  const request: ServerRequest = {
    options: rest,
    logFile: logFile === undefined ? undefined : path.resolve(logFile),
    logLevel: logLevel(),
  };
  // Reading certificates takes Node as long as starting does, and a server talks to the kernel alone.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const server = spawn(process.execPath, [SERVER, nameOf(options.mountpoint)], {
    env,
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

/**
 * Mounts and serves in this process until un-mounted, logging to standard error. For the main thread alone, which sleeps until it
 * is asked: timers wait until then. Throws as `startOverlay`.
 */
export async function serveOverlay(options: OverlayOptions): Promise<void> {
  const { supervise } = await import('./supervise.js');
  await supervise(options, { logFd: STDERR, logLevel: logLevel(), onReady: () => undefined });
}
