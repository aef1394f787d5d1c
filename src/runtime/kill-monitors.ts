// Ending what a veneer that was killed has begun to make.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf, isRunning, kill, processNumbers } from '../sys/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import type { RunFiles } from './run-directory.js';

const SIGKILL = 9;
const TRIES = 100;
const TRY_MS = 10;

/**
 * Kills the conmons of a container, also those that have not said yet who they are, and resolves when they have ended. A runtime that is
 * still at work for one ends with it; where it has made a container already, that is there to be deleted.
 */
export async function killMonitors({ directory }: RunFiles): Promise<void> {
  // One may have forked while we looked.
  for (let found = monitorsIn(directory); found.length > 0; found = monitorsIn(directory)) {
    for (const { pid } of found) kill(pid, SIGKILL);
    for (let tries = 0; found.some(isRunning); tries += 1) {
      if (tries === TRIES) return;
      await delay(TRY_MS);
    }
  }
}

function monitorsIn(directory: string): ProcessIdentity[] {
  return processNumbers()
    .filter((pid) => isMonitor(pid, directory))
    .map(identityOf)
    .filter((process) => process !== undefined);
}

function isMonitor(pid: number, directory: string): boolean {
  try {
    const [program = '', ...args] = readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1').split('\0');
    return basename(program) === 'conmon' && args.includes(directory);
  } catch {
    // It has ended.
    return false;
  }
}
