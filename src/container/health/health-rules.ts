// When a container is well: moby's rules (daemon/health.go), without the doing.

import type { Healthcheck } from '../../image/index.js';
import type { HealthProbe, HealthRecord } from './health-file.js';

export interface HealthSettings {
  readonly command: readonly [string, ...string[]];
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

const NANOSECONDS = 1e6;
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** What a configuration asks for; undefined where nothing is checked. */
export function healthSettings(
  check: Healthcheck | undefined,
  shell: readonly string[] = DEFAULT_SHELL,
): HealthSettings | undefined {
  const [kind, ...words] = check?.Test ?? [];
  const [program, ...args] = kind === 'CMD-SHELL' ? [...shell, ...words] : kind === 'CMD' ? words : [];
  if (check === undefined || program === undefined) return undefined;
  // 0 stands for the default.
  const time = (nanoseconds: number | undefined, otherwise: number): number =>
    (nanoseconds ?? 0) > 0 ? (nanoseconds ?? 0) / NANOSECONDS : otherwise;
  return {
    command: [program, ...args],
    interval: time(check.Interval, 30_000),
    timeout: time(check.Timeout, 30_000),
    startPeriod: time(check.StartPeriod, 0),
    startInterval: time(check.StartInterval, 5000),
    retries: (check.Retries ?? 0) > 0 ? (check.Retries ?? 0) : 3,
  };
}

export const STARTING: HealthRecord = { Status: 'starting', FailingStreak: 0, Log: [] };

/** So many results are kept. */
const MAX_LOG = 5;

/** What is known after one more check. `age`: milliseconds from the container's start to that of the check. */
export function judge(
  before: HealthRecord,
  probe: HealthProbe,
  { settings, age }: { settings: HealthSettings; age: number },
): HealthRecord {
  const known = { ...before, Log: [...before.Log, probe].slice(-MAX_LOG) };
  if (probe.ExitCode === 0) return { ...known, Status: 'healthy', FailingStreak: 0 };
  // What is starting may fail as often as it likes.
  if (before.Status === 'starting' && age < settings.startPeriod) return known;
  const streak = before.FailingStreak + 1;
  return { ...known, FailingStreak: streak, Status: streak >= settings.retries ? 'unhealthy' : before.Status };
}

/** Milliseconds until the next check. */
export function pause({ Status }: HealthRecord, { settings, age }: { settings: HealthSettings; age: number }): number {
  const isStarting = Status === 'starting' && age < settings.startPeriod;
  return isStarting ? Math.min(settings.startInterval, settings.interval) : settings.interval;
}
