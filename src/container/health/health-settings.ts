// How the health of a container is checked: what its configuration says, with docker's defaults (moby, daemon/health.go).

import type { Healthcheck } from '../../image/index.js';

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
