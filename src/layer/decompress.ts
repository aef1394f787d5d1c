// Decompression by magic bytes. gzip and, where this Node has it, zstd run in the process; xz, bzip2 and otherwise
// zstd through the system's programs, as moby does for xz.

import { spawn } from 'node:child_process';
import { Duplex, pipeline, Readable } from 'node:stream';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { hasCode, messageOf, VeneerError } from '../core/index.js';
import type { ByteSource } from './byte-reader.js';
import { DEFAULT_LIMITS, limitError, RATIO_FLOOR } from './limits.js';
import type { LayerLimits } from './limits.js';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGIC: readonly (readonly [Exclude<Compression, 'none'>, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', Buffer.from('BZh')],
];
const MAGIC_LENGTH = 6;

/** RFC 8878, 3.1.2: a zstd stream may start with skippable frames; chunked layers carry their index in one. */
const SKIPPABLE_FRAME = /^[\x50-\x5f]\x2a\x4d\x18/;

/** What the first bytes of a stream say about its compression. */
export function detectCompression(start: Uint8Array): Compression {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length);
  if (SKIPPABLE_FRAME.test(bytes.toString('latin1', 0, 4))) return 'zstd';
  return MAGIC.find(([, magic]) => bytes.subarray(0, magic.length).equals(magic))?.[0] ?? 'none';
}

const CHUNK_SIZE = 256 * 1024;

/** Absent from Node before 22.15. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform };

function decompressor(compression: Exclude<Compression, 'none'>): Duplex {
  if (compression === 'gzip') return zlib.createGunzip({ chunkSize: CHUNK_SIZE });
  if (compression === 'zstd' && createZstdDecompress !== undefined)
    return createZstdDecompress({ chunkSize: CHUNK_SIZE });
  return throughProgram(compression);
}

/** A filter program as a stream; its failure, or its absence, is the stream's error. */
function throughProgram(program: 'xz' | 'bzip2' | 'zstd'): Duplex {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(0, 500)));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      const missing = hasCode(cause, 'ENOENT');
      const hint = missing ? `install ${program === 'xz' ? 'xz-utils' : program}` : undefined;
      const detail = hint === undefined ? { cause } : { cause, hint };
      reject(
        new VeneerError(
          'unavailable',
          `cannot run '${program}': ${missing ? 'it is not installed' : cause.message}`,
          detail,
        ),
      );
    });
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new VeneerError('integrity', `cannot decompress: ${complaint.trim() || `${program} failed`}`));
    });
  });
  ended.catch(() => undefined);
  const stream = Duplex.from({ writable: child.stdin, readable: checked(child.stdout, ended) });
  stream.once('close', () => child.kill());
  return stream;
}

/** A program's output, whose end is only believed when the program has ended well. */
async function* checked(output: Readable, ended: Promise<void>): AsyncGenerator<Buffer, void> {
  for await (const chunk of output) yield chunk as Buffer;
  await ended;
}

function asVeneerError(error: unknown): unknown {
  if (error instanceof VeneerError) return error;
  // zlib's codes: Z_DATA_ERROR, Z_BUF_ERROR (unexpected end of file), ZSTD_error_*.
  const isBroken = error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_)/.test(String(error.code));
  return isBroken ? new VeneerError('integrity', `cannot decompress: ${messageOf(error)}`, { cause: error }) : error;
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
  const filter = decompressor(compression);
  pipeline(Readable.from(counted, { objectMode: true }), filter, () => undefined);
  let produced = 0;
  try {
    for await (const chunk of filter as AsyncIterable<Buffer>) {
      produced += chunk.length;
      if (produced > RATIO_FLOOR && produced > maxRatio * compressed) {
        throw limitError(`the data is compressed more than ${String(maxRatio)} times`);
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
