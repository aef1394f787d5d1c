// Compression of layers, reproducibly: the same bytes in give the same bytes out, however they were cut into chunks.

import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import { VeneerError } from '../core/index.js';
import { abortable } from './abort.js';
import { filterThroughProgram, filterThroughStream, ProgramError } from './filter.js';
import type { Chunks } from './filter.js';

export type LayerCompression = 'none' | 'gzip' | 'zstd';

export interface CompressOptions {
  /** As the programs of that name take it: 1 to 9 for gzip (6 unless told), 1 to 19 for zstd (3). */
  readonly level?: number | undefined;
  /** Aborted: its reason is thrown, whatever the source is waiting for. */
  readonly signal?: AbortSignal | undefined;
}

const CHUNK_SIZE = 256 * 1024;

/** Absent from Node before 22.15. */
interface Zstd {
  readonly createZstdCompress?: (options: { chunkSize: number; params: Record<number, number> }) => Transform;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number; readonly ZSTD_c_checksumFlag?: number };
}

/**
 * Compresses a stream, by other threads or programs. `none` passes it through.
 *
 * Errors: `unavailable` where the program for zstd is missing or fails; those of the source are passed on.
 */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
  options: CompressOptions = {},
): AsyncGenerator<Buffer, void> {
  const { level, signal } = options;
  try {
    for await (const chunk of compressed(abortable(source, signal), compression, level)) {
      signal?.throwIfAborted();
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    }
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    throw new VeneerError('unavailable', `cannot compress: ${error.message}`, { cause: error });
  }
}

function compressed(source: Chunks, compression: LayerCompression, level: number | undefined): Chunks {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return withoutSystem(filterThroughStream(zlib.createGzip({ level: level ?? 6, chunkSize: CHUNK_SIZE }), source));
    case 'zstd':
      return zstd(source, level ?? 3);
  }
}

function zstd(source: Chunks, level: number): Chunks {
  const { createZstdCompress, constants } = zlib as Zstd;
  if (createZstdCompress === undefined) return filterThroughProgram(['zstd', `-${String(level)}`, '-T0', '-c'], source);
  const params = { [constants.ZSTD_c_compressionLevel ?? 0]: level, [constants.ZSTD_c_checksumFlag ?? 0]: 1 };
  return filterThroughStream(createZstdCompress({ chunkSize: CHUNK_SIZE, params }), source);
}

/** RFC 1952, 2.3.1: the byte of the header that tells the operating system; 255 is "unknown". */
const SYSTEM_AT = 9;

async function* withoutSystem(source: Chunks): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  for await (const chunk of source) {
    if (at <= SYSTEM_AT && SYSTEM_AT < at + chunk.length) chunk[SYSTEM_AT - at] = 255;
    at += chunk.length;
    yield chunk;
  }
}
