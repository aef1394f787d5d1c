// The bounds against hostile archives, as options: a limit that an honest archive passes can be raised.

import type { Command } from 'commander';
import type { LayerLimits } from '../layer/index.js';
import { parseByteSize, parseCount } from './arguments.js';

export interface LimitOptions {
  readonly maxEntries?: string;
  readonly maxSize?: string;
  readonly maxRatio?: string;
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
    ...(maxEntries === undefined ? {} : { maxEntries: parseCount('--max-entries', maxEntries) }),
    ...(maxSize === undefined ? {} : { maxSize: parseByteSize('--max-size', maxSize) }),
    ...(maxRatio === undefined ? {} : { maxRatio: parseCount('--max-ratio', maxRatio) }),
  };
}
