// What the health checks of a container have found: a file of its run directory, which its watcher writes and everybody reads.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../sys/index.js';
import type { ProcessIdentity } from '../../sys/index.js';

export interface HealthProbe {
  /** ISO 8601. */
  readonly Start: string;
  readonly End: string;
  /** 0: healthy; -1: it took too long. */
  readonly ExitCode: number;
  readonly Output: string;
}

/** In docker's words (moby, api/types/container/health.go). */
export interface HealthRecord {
  readonly Status: 'starting' | 'healthy' | 'unhealthy';
  readonly FailingStreak: number;
  /** The last five, oldest first. */
  readonly Log: readonly HealthProbe[];
  /** Who goes on checking; absent until the first check. */
  readonly watcher?: ProcessIdentity;
}

const FILE = 'health.json';

/** Undefined where nothing is checked, or the run is over. `directory`: the run directory of the container. */
export function readHealth(directory: string): HealthRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as HealthRecord;
  } catch {
    return undefined;
  }
}

/** Readers have the old one or the new one. Throws ENOENT when the run is over. */
export function writeHealth(directory: string, record: HealthRecord): void {
  const path = join(directory, FILE);
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** As it is told: `unknown` where nobody checks any more although the container runs. */
export interface Health {
  readonly status: HealthRecord['Status'] | 'unknown';
  readonly failingStreak: number;
  readonly log: readonly HealthProbe[];
}

/** Undefined where nothing is checked. */
export function healthOf(directory: string): Health | undefined {
  const record = readHealth(directory);
  if (record === undefined) return undefined;
  const { Status: status, FailingStreak: failingStreak, Log: log, watcher } = record;
  const isChecked = watcher === undefined || isRunning(watcher);
  return { status: isChecked ? status : 'unknown', failingStreak, log };
}
