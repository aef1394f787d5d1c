// Bounds that protect against archives made to exhaust memory, disk or patience.

import { VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { displayEntry } from './tar-entry.js';

export interface LayerLimits {
  readonly maxEntries: number;
  /** Bytes of the uncompressed archive. */
  readonly maxSize: number;
  /** Uncompressed bytes for each compressed one. Counts once `RATIO_FLOOR` bytes have come out. */
  readonly maxRatio: number;
  /** Bytes of a path inside the archive. */
  readonly maxPathLength: number;
  /** Components of a path. */
  readonly maxDepth: number;
  /** Bytes of one PAX or GNU header that is kept in memory. */
  readonly maxHeaderSize: number;
}

/** Small files of zeros compress better than any bound; only what is large as well is a bomb. */
export const RATIO_FLOOR = 256 * 1024 * 1024;

export const DEFAULT_LIMITS: LayerLimits = {
  maxEntries: 10_000_000,
  maxSize: 1024 ** 4,
  // gzip ends at 1,030; zstd goes further for runs of one byte.
  maxRatio: 2000,
  // PATH_MAX, less the NUL.
  maxPathLength: 4095,
  maxDepth: 512,
  // maxSpecialFileSize of Go's archive/tar, which wrote most layers there are.
  maxHeaderSize: 1024 * 1024,
};

/** The bounds that have an option on the command line. */
const OPTIONS = { maxEntries: '--max-entries', maxSize: '--max-size', maxRatio: '--max-ratio' } as const;

export interface PassedLimit {
  /** The path of the entry at which the bound was passed. */
  readonly entry?: ByteString | undefined;
  readonly limit?: keyof typeof OPTIONS;
}

export function limitError(what: string, { entry, limit }: PassedLimit = {}): VeneerError {
  const where = entry === undefined || entry === '' ? '' : `tar entry ${displayEntry(entry)}: `;
  const hint = limit === undefined ? {} : { hint: `if the archive can be trusted, raise the limit: ${OPTIONS[limit]}` };
  return new VeneerError('limit', `${where}${what}`, hint);
}
