// Decompression by magic bytes. gzip runs in the process, xz, bzip2 and zstd through the system's programs, as moby does for xz.
// Node's own zstd decoder (22.15) drops all frames but the first of a write without a word; chunked layers have many.

import { createGunzip } from 'node:zlib';
import { messageOf, VeneerError } from '../core/index.js';
import type { ByteSource } from './byte-reader.js';
import { filterThroughProgram, filterThroughStream, ProgramError } from './filter.js';
import type { Chunks } from './filter.js';
import { DEFAULT_LIMITS, limitError, RATIO_FLOOR } from './limits.js';
import type { LayerLimits } from './limits.js';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGIC: readonly (readonly [Exclude<Compression, 'none' | 'bzip2'>, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];
/** The level, and the magic of a block or of the end: a tar may start with a file named `BZh...`. */
const BZIP2 = /^BZh[1-9](?:1AY|\x17rE)/;
const MAGIC_LENGTH = 7;

/** RFC 8878, 3.1.2: a zstd stream may start with skippable frames; chunked layers carry their index in one. */
const SKIPPABLE_FRAME = /^[\x50-\x5f]\x2a\x4d\x18/;

/** What the first bytes of a stream say about its compression. */
export function detectCompression(start: Uint8Array): Compression {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length);
  const text = bytes.toString('latin1', 0, 7);
  if (SKIPPABLE_FRAME.test(text)) return 'zstd';
  if (BZIP2.test(text)) return 'bzip2';
  return MAGIC.find(([, magic]) => bytes.subarray(0, magic.length).equals(magic))?.[0] ?? 'none';
}

const CHUNK_SIZE = 256 * 1024;

/** What a failing source throws is thrown again by the output. */
function filter(compression: Exclude<Compression, 'none'>, source: Chunks): Chunks {
  if (compression === 'gzip') return filterThroughStream(createGunzip({ chunkSize: CHUNK_SIZE }), source);
  return cannotDecompress(filterThroughProgram([compression, '-dc', ...MEMORY_BOUNDS[compression]], source));
}

/**
 * A stream says itself how much of what came before must be kept. zstd's own bound is 128 MiB; the highest
 * level of xz takes 65 MiB, and its format has room for 4 GiB.
 */
const MEMORY_BOUNDS = { zstd: [], xz: ['--memlimit-decompress=256MiB'], bzip2: [] } as const;
const TOO_MUCH_MEMORY = /too much memory|memory usage limit|window size/i;

/** Tells what a program that has failed was to do. */
async function* cannotDecompress(output: Chunks): AsyncGenerator<Uint8Array, void> {
  try {
    yield* output;
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    throw undecompressable(error);
  }
}

function asVeneerError(error: unknown): unknown {
  if (error instanceof VeneerError) return error;
  // zlib's codes: Z_DATA_ERROR, Z_BUF_ERROR (unexpected end of file).
  const isBroken = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
  return isBroken ? undecompressable(error) : error;
}

function undecompressable(error: Error): VeneerError {
  if (TOO_MUCH_MEMORY.test(messageOf(error))) {
    return new VeneerError('limit', 'cannot decompress: the data takes too much memory for that', { cause: error });
  }
  return new VeneerError('integrity', `cannot decompress: ${messageOf(error)}`, { cause: error });
}

/**
 * The uncompressed bytes of a stream, which may be uncompressed already.
 *
 * Errors: `integrity` for damaged or truncated data, `limit` for a ratio above the bound, `unavailable` where the
 * program for the format is missing; those of the source are passed on.
 */
export async function* decompress(
  source: ByteSource,
  limits: Partial<LayerLimits> = {},
): AsyncGenerator<Uint8Array, void> {
  const { maxRatio } = { ...DEFAULT_LIMITS, ...limits };
  const chunks = source[Symbol.asyncIterator]();
  const head = await takeHead(chunks);
  let compressed = 0;
  const counted = (async function* () {
    try {
      for (const chunk of head) {
        compressed += chunk.length;
        yield chunk;
      }
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
        compressed += next.value.length;
        yield next.value;
      }
    } finally {
      await chunks.return?.();
    }
  })();
  const compression = detectCompression(Buffer.concat(head));
  if (compression === 'none') return yield* counted;
  let produced = 0;
  try {
    for await (const chunk of filter(compression, counted)) {
      produced += chunk.length;
      if (produced > RATIO_FLOOR && produced > maxRatio * compressed) {
        throw limitError(`the data is compressed more than ${String(maxRatio)} times`, { limit: 'maxRatio' });
      }
      yield chunk;
    }
  } catch (error) {
    throw asVeneerError(error);
  }
}

/** Chunks that together are long enough to hold any magic, if the source is. */
async function takeHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array[]> {
  const head: Uint8Array[] = [];
  for (let length = 0; length < MAGIC_LENGTH;) {
    const next = await chunks.next();
    if (next.done === true) break;
    head.push(next.value);
    length += next.value.length;
  }
  return head;
}
