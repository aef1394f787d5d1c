// Compression of layers, reproducibly: the same bytes in give the same bytes out, however they were cut into chunks.

import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import { VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { abortable } from './abort.js';
import { filterIntoFile, filterThroughProgram, filterThroughStream, ProgramError } from './filter.js';
import type { Chunks } from './filter.js';
import { DigesterAside, must, preadAside, pwriteAside } from '../sys/index.js';

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
    throw named(error);
  }
}

export interface CompressedFile {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

const HASHED_AT_ONCE = 1 << 20;

/**
 * As `compress`, to an empty open file, which must be readable, too, and hashes what is in it. A program writes to the file by
 * itself: what it has written is hashed while it goes on.
 */
export async function compressToFile(
  source: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
  { fd, ...options }: CompressOptions & { readonly fd: number },
): Promise<CompressedFile> {
  using digester = new DigesterAside();
  const hashWritten = async (): Promise<void> => {
    for (;;) {
      await digester.ready();
      const chunk = Buffer.allocUnsafeSlow(HASHED_AT_ONCE);
      const got = must(await preadAside(fd, chunk, digester.size), 'read');
      if (got === 0) return;
      digester.update(chunk.subarray(0, got));
    }
  };
  if (compression === 'zstd' && (zlib as Zstd).createZstdCompress === undefined) {
    const { level, signal } = options;
    const watched = (async function* () {
      for await (const chunk of abortable(source, signal)) {
        yield chunk;
        await hashWritten();
      }
    })();
    await filterIntoFile(zstdProgram(level ?? ZSTD_LEVEL), watched, fd).catch((error: unknown) => {
      throw named(error);
    });
    await hashWritten();
  } else {
    for await (const chunk of compress(source, compression, options)) {
      for (let at = 0; at < chunk.length;) {
        at += must(await pwriteAside(fd, chunk.subarray(at), digester.size + at), 'write');
      }
      digester.update(chunk);
      await digester.ready();
    }
  }
  const { size } = digester;
  return { digest: await digester.digest(), size };
}

function named(error: unknown): unknown {
  if (!(error instanceof ProgramError)) return error;
  return new VeneerError('unavailable', `cannot compress: ${error.message}`, { cause: error });
}

function compressed(source: Chunks, compression: LayerCompression, level: number | undefined): Chunks {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return withoutSystem(filterThroughStream(zlib.createGzip({ level: level ?? 6, chunkSize: CHUNK_SIZE }), source));
    case 'zstd':
      return zstd(source, level ?? ZSTD_LEVEL);
  }
}

const ZSTD_LEVEL = 3;

function zstdProgram(level: number): readonly [string, ...string[]] {
  return ['zstd', `-${String(level)}`, '-T0', '-c'];
}

function zstd(source: Chunks, level: number): Chunks {
  const { createZstdCompress, constants } = zlib as Zstd;
  if (createZstdCompress === undefined) return filterThroughProgram(zstdProgram(level), source);
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
