// From a file, directory or stream to an archive that can be read in any order.

import { closeSync, constants, createReadStream, fstatSync, openSync, readSync, statSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { hasCode, VeneerError } from '../core/index.js';
import { decompress, detectCompression } from '../layer/index.js';
import type { LayerLimits } from '../layer/index.js';
import type { Store } from '../store/index.js';
import { abortable } from './abortable.js';
import type { Archive } from './archive.js';
import { LayoutDirectory } from './layout-directory.js';
import { TarArchive } from './tar-archive.js';

const writeAsync = promisify(write);

/** A file, a directory with an OCI layout, or a stream with a name to speak of it by. */
export type ArchiveSource =
  { readonly path: string } | { readonly stream: AsyncIterable<Uint8Array>; readonly name?: string };

export interface OpenArchiveOptions {
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes of a stream or compressed archive that have been unpacked to disk. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Opens an archive. A plain tar file and a directory are read where they are; what is compressed or a stream is kept
 * in the store's staging directory until the archive is closed.
 *
 * Errors: `not-found`, `permission`, `invalid` for what is no tar, `integrity` for a damaged one, `limit`.
 */
export async function openArchive(
  store: Store,
  source: ArchiveSource,
  options: OpenArchiveOptions = {},
): Promise<Archive> {
  if ('stream' in source) return spool(store, source.stream, source.name ?? 'the stream', options);
  const { path } = source;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new VeneerError('not-found', `cannot open '${path}': no such file or directory`);
  try {
    if (stat.isDirectory()) return new LayoutDirectory(path, `'${path}'`);
    if (stat.isFile()) {
      const fd = openSync(path, constants.O_RDONLY);
      if (isPlain(fd)) return await TarArchive.open(fd, `'${path}'`);
      closeSync(fd);
    }
    return await spool(store, createReadStream(path, { highWaterMark: 1 << 20 }), `'${path}'`, options);
  } catch (error) {
    if (hasCode(error, 'EACCES')) {
      throw new VeneerError('permission', `cannot open '${path}': permission denied`, { cause: error });
    }
    if (!(error instanceof VeneerError) || error.message.includes(path)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new VeneerError(error.code, `cannot open '${path}': ${error.message}`, { cause: error, ...hint });
  }
}

function isPlain(fd: number): boolean {
  const start = Buffer.alloc(8);
  return detectCompression(start.subarray(0, readSync(fd, start, 0, start.length, 0))) === 'none';
}

/** Unpacks a stream to a file without a name. */
async function spool(
  store: Store,
  stream: AsyncIterable<Uint8Array>,
  name: string,
  { limits, signal, onProgress }: OpenArchiveOptions,
): Promise<Archive> {
  const fd = store.scratchFile();
  try {
    let bytes = 0;
    for await (const chunk of decompress(abortable(stream, signal), limits)) {
      signal?.throwIfAborted();
      for (let at = 0; at < chunk.length;) {
        at += (await writeAsync(fd, chunk, at, chunk.length - at, null)).bytesWritten;
      }
      bytes += chunk.length;
      onProgress?.(bytes);
    }
    if (fstatSync(fd).size === 0) throw new VeneerError('invalid', `${name} is empty`);
  } catch (error) {
    closeSync(fd);
    signal?.throwIfAborted();
    throw error;
  }
  return TarArchive.open(fd, name);
}
