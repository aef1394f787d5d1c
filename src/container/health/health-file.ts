// What the health checks of a container have found: files of its run directory, which its watcher (`health-script.ts`) writes and
// everybody reads.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../sys/index.js';
import type { ProcessIdentity } from '../../sys/index.js';

/** In docker's words (moby, api/types/container/health.go). */
export interface HealthProbe {
  /** ISO 8601. */
  readonly Start: string;
  readonly End: string;
  /** 0: healthy; -1: it took too long, or could not be begun. */
  readonly ExitCode: number;
  readonly Output: string;
}

/** As it is told: `unknown` where nobody checks any more although the container runs. */
export interface Health {
  readonly status: 'starting' | 'healthy' | 'unhealthy' | 'unknown';
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly HealthProbe[];
}

interface HealthState extends Health {
  /** Who goes on checking; undefined until it has begun. */
  readonly watcher: ProcessIdentity | undefined;
}

/** `directory`: the run directory of the container. */
export function healthDirectory(directory: string): string {
  return join(directory, 'health');
}

/** What `state` says before the watcher has begun. */
export const NOT_WATCHED_YET = '0 0 0 starting 0\n';

/** When the uptime was 0; number and start time of the watcher; what it says; how many checks have failed in a row. */
const STATE = /^(\d+) (\d+) (\d+) (starting|healthy|unhealthy) (\d+)$/;
/** Uptimes in hundredths of a second; the exit code; which file has the output. */
const RESULT = /^(\d+) (\d+) (-?\d+) (\d)$/;

function readState(directory: string): HealthState | undefined {
  const own = healthDirectory(directory);
  let text: string;
  try {
    text = readFileSync(join(own, 'state'), 'latin1');
  } catch {
    return undefined;
  }
  const [first = '', ...results] = text.split('\n');
  const [, origin, pid, start, status, streak] = STATE.exec(first) ?? [];
  if (status === undefined) return undefined;
  const time = (uptime: string | undefined): string => new Date(Number(origin) + Number(uptime) * 10).toISOString();
  return {
    status: status as Health['status'],
    failingStreak: Number(streak),
    watcher: pid === '0' ? undefined : { pid: Number(pid), start: Number(start) },
    log: results.flatMap((line) => {
      const [, begun, ended, code, slot = ''] = RESULT.exec(line) ?? [];
      if (code === undefined) return [];
      return {
        Start: time(begun),
        End: time(ended),
        ExitCode: Number(code),
        Output: outputOf(join(own, `output.${slot}`)),
      };
    }),
  };
}

function outputOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Undefined where nothing is checked, or the run is over. */
export function healthOf(directory: string): Health | undefined {
  const state = readState(directory);
  if (state === undefined) return undefined;
  const { status, watcher } = state;
  return { ...found(state), status: watcher === undefined || isRunning(watcher) ? status : 'unknown' };
}

/** What was found last, of a container that has ended: its watcher has ended, too, or is about to. */
export function lastHealthOf(directory: string): Health | undefined {
  const state = readState(directory);
  return state === undefined ? undefined : found(state);
}

function found({ status, failingStreak, log }: HealthState): Health {
  return { status, failingStreak, log };
}

/** Who checks a container now. */
export function healthWatcher(directory: string): ProcessIdentity | undefined {
  const watcher = readState(directory)?.watcher;
  return isRunning(watcher) ? watcher : undefined;
}
