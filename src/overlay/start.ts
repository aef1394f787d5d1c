// Starting a mount: each has a server process of its own, which outlives the one that started it and ends with the mount.
// This is also a door of the room, for who does nothing but mount.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { VeneerError, messageOf } from '../core/index.js';
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
 * A server that waits to be told what to mount: its program takes longer to start than to mount, and starts beside what its
 * parent does meanwhile. It ends with its parent, and when it is disposed of, unless it has been told.
 */
export class WaitingServer implements AsyncDisposable {
  /** As the list of processes shows it. */
  readonly mountpoint: string;
  readonly #process: ChildProcessWithoutNullStreams;
  /** What it has said on standard output, and on standard error; when both have ended. */
  readonly #words: Promise<[string, string, unknown]>;
  #isTold = false;

  constructor(mountpoint: string) {
    this.mountpoint = nameOf(mountpoint);
    // Reading certificates takes Node as long as starting does, and a server talks to the kernel alone.
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    this.#process = spawn(process.execPath, [SERVER, this.mountpoint], {
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { stdin, stdout, stderr } = this.#process;
    const failed = once(this.#process, 'spawn').then(
      () => '',
      (error: unknown) => messageOf(error),
    );
    const complaints = Promise.all([collect(stderr), failed]).then((texts) => texts.join(''));
    this.#words = Promise.all([collect(stdout), complaints, once(stdout, 'close')]);
    // Nobody may ever ask.
    this.#words.catch(() => undefined);
    // A server that died early is told by its missing answer.
    stdin.on('error', () => undefined);
  }

  /** Resolves to its process when the mount answers, as `startOverlay`; once. */
  async mount(request: ServerRequest): Promise<{ pid: number }> {
    const server = this.#process;
    this.#isTold = true;
    server.stdin.end(JSON.stringify(request));
    const [text, complaints] = await this.#words;
    const answer = text === '' ? undefined : (JSON.parse(text) as ServerAnswer);
    server.unref();
    if (answer !== undefined && 'ready' in answer) return { pid: server.pid ?? 0 };
    if (answer === undefined) {
      const why = complaints.trim().split('\n').at(-1) ?? '';
      throw new VeneerError('unavailable', `the server of '${this.mountpoint}' ended before it mounted: ${why}`);
    }
    const { code, message, hint } = answer.failure;
    throw new VeneerError(code, message, hint === undefined ? {} : { hint });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (this.#isTold || exitCode !== null || signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}

export interface StartOptions extends OverlayOptions {
  /** Where the server logs: by default a file named after the mount point in /run/veneer or the user's runtime directory. */
  readonly logFile?: string;
  /** One for this mount point, in this working directory; by default it is started now. */
  readonly server?: WaitingServer | undefined;
}

/**
 * Mounts in a process of its own and returns when the mount answers. Throws VeneerError: `not-found`, `invalid`
 * (the directories), `in-use` (the upper or the mount point), `permission`, `unavailable` (no FUSE).
 */
export async function startOverlay(options: StartOptions): Promise<{ pid: number }> {
  const { logFile, server = new WaitingServer(options.mountpoint), ...rest } = options;
  return server.mount({
    options: rest,
    logFile: logFile === undefined ? undefined : path.resolve(logFile),
    logLevel: logLevel(),
  });
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
