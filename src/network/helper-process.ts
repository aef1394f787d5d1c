// The process that passes a private network on, for as long as its container runs.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { VeneerError, hasCode } from '../core/index.js';
import { identityOf, isRunning, kill } from '../sys/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import { programEnvironment } from './run-program.js';
import type { PrivateProgram } from './types.js';

const NAMESPACE_FD = 3;
export const READY_FD = 4;

/** How the helper, and whatever it makes of itself, has the network namespace of the container open. */
export const NAMESPACE = `/proc/self/fd/${String(NAMESPACE_FD)}`;

export interface HelperRequest {
  readonly program: PrivateProgram;
  readonly args: readonly string[];
  /** What becomes the program, by execve: a command line that it follows. */
  readonly through?: readonly string[];
  /** The process whose network namespace it works in. */
  readonly pid: number;
  readonly runDirectory: string;
  /** `exit`: it is ready when it ends, having left a process behind; `byte`: when it writes one to READY_FD. */
  readonly ready: 'exit' | 'byte';
}

/** Why a helper could not be had; another one may be tried. */
export class HelperError extends VeneerError {
  readonly program: PrivateProgram;
  readonly why: string;

  constructor(program: PrivateProgram, why: string) {
    super('unavailable', `cannot make a private network: ${program}: ${why}`);
    this.program = program;
    this.why = why;
  }
}

const logOf = ({ program, runDirectory }: HelperRequest): string => join(runDirectory, `${program}.log`);

/** Lines about the log of the system, which no container host needs, are none of ours. */
function lastWords(request: HelperRequest): string {
  const lines = readFileSync(logOf(request), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('Failed to send'));
  return lines.at(-1) ?? 'it ended without a word';
}

/** The exit code of who should have become the program, and found none. */
const NO_COMMAND = 127;

/**
 * Starts a helper and resolves to its process (undefined where it makes another one of itself) when the network is there. Throws
 * HelperError when there is no such program or it gives up.
 */
export async function startHelper(request: HelperRequest): Promise<ProcessIdentity | undefined> {
  const namespace = openSync(`/proc/${String(request.pid)}/ns/net`, 'r');
  const log = openSync(logOf(request), 'w', 0o600);
  try {
    const [file = '', ...args] = [...(request.through ?? []), request.program, ...request.args];
    const child = spawn(file, args, {
      env: programEnvironment(),
      detached: true,
      stdio: ['ignore', 'ignore', log, namespace, request.ready === 'byte' ? 'pipe' : 'ignore'],
    });
    const started = new Promise<void>((resolve, reject) => {
      const missing = new HelperError(request.program, 'there is no such program');
      child.on('error', (error) => reject(hasCode(error, 'ENOENT') ? missing : error));
      child.on('exit', (code) => {
        if (request.ready === 'exit' && code === 0) resolve();
        else reject(code === NO_COMMAND ? missing : new HelperError(request.program, lastWords(request)));
      });
      const ready = child.stdio[READY_FD] as Readable | null;
      ready?.once('data', () => {
        ready.destroy();
        resolve();
      });
    });
    await started;
    // How it ends later is not told here; its log may be gone by then.
    child.removeAllListeners('exit');
    child.unref();
    return request.ready === 'exit' || child.pid === undefined ? undefined : identityOf(child.pid);
  } finally {
    closeSync(namespace);
    closeSync(log);
  }
}

const SIGKILL = 9;
const LOOK_MS = 2;
const PATIENCE_MS = 2000;

/** Ends a helper, and waits until its ports are free; nothing where it has ended, or where its number is another process's. */
export async function endHelper(helper: ProcessIdentity): Promise<void> {
  if (!isRunning(helper)) return;
  kill(helper.pid, SIGKILL);
  for (const end = performance.now() + PATIENCE_MS; isRunning(helper) && performance.now() < end;) await delay(LOOK_MS);
}
