// Lengths of time as Go's time.ParseDuration reads them: `300ms`, `1h30m`.

import { VeneerError } from '../core/index.js';

/** Milliseconds of the units. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const DURATION = /^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))*$/;
const PART = /([\d.]+)(ns|us|µs|ms|s|m|h)/g;

/** In milliseconds; undefined for what is no duration. */
export function readDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit = ''] of text.matchAll(PART)) sum += Number(amount) * (UNITS[unit] ?? 0);
  return sum;
}

/** The value of an option, in milliseconds: a duration, or a number of seconds. Throws `usage`. */
export function parseDuration(option: string, text: string): number {
  const milliseconds = readDuration(/^\d{1,9}(?:\.\d{1,3})?$/.test(text) ? `${text}s` : text);
  if (milliseconds !== undefined) return milliseconds;
  throw new VeneerError('usage', `${option} '${text}': it is not a length of time`, {
    hint: 'write 500ms, 2s or 1m30s',
  });
}
