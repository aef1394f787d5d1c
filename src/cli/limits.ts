// The bounds against hostile archives, as options: a limit that an honest archive passes can be raised.

import type { Command } from 'commander';
import { VeneerError } from '../core/index.js';
import type { LayerLimits } from '../layer/index.js';

export interface LimitOptions {
  readonly maxEntries?: string;
  readonly maxSize?: string;
  readonly maxRatio?: string;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
  t: 1024 ** 4,
  tb: 1000 ** 4,
  tib: 1024 ** 4,
};

/** A size in bytes: `500MB`, `10GiB`, `10g` (which is the same). Throws `usage`. */
export function parseSize(text: string, option: string): number {
  const [, digits = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?) ?([a-zA-Z]*)$/.exec(text) ?? [];
  const size = Math.round(Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN));
  if (digits === '' || !Number.isSafeInteger(size) || size <= 0) {
    throw new VeneerError('usage', `${option} '${text}' is not a size`, { hint: 'write it as 500MB or 10GiB' });
  }
  return size;
}

function parseCount(text: string, option: string): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count;
  throw new VeneerError('usage', `${option} '${text}' is not a number above 0`);
}

export function addLimitOptions(command: Command): Command {
  return command
    .option('--max-entries <number>', 'refuse a layer with more files (10000000)')
    .option('--max-size <size>', 'refuse a layer that is larger when unpacked (1TiB)')
    .option('--max-ratio <number>', 'refuse data that is compressed more than so many times (2000)');
}

/** Throws `usage`. */
export function limitsOf({ maxEntries, maxSize, maxRatio }: LimitOptions): Partial<LayerLimits> {
  return {
    ...(maxEntries === undefined ? {} : { maxEntries: parseCount(maxEntries, '--max-entries') }),
    ...(maxSize === undefined ? {} : { maxSize: parseSize(maxSize, '--max-size') }),
    ...(maxRatio === undefined ? {} : { maxRatio: parseCount(maxRatio, '--max-ratio') }),
  };
}
