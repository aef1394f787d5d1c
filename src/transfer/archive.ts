// What images are read from, whatever its form: files by name, each read from any place any number of times.

import { read as readFile } from 'node:fs';
import { promisify } from 'node:util';
import { VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';

const read = promisify(readFile);

export interface ArchiveFile {
  readonly size: number;
  /** Its bytes, in large pieces that are the taker's own. Throws `integrity` where there are fewer than `size`. */
  stream(): AsyncGenerator<Buffer, void>;
}

export interface Archive extends Disposable {
  /** How to speak of it. */
  readonly name: string;
  /** The file of that path; undefined where there is none. Throws `integrity` for one that must not be followed. */
  file(path: ByteString): ArchiveFile | undefined;
}

/** Manifests, configurations and the like are read whole. The distribution spec asks registries to take 4 MiB. */
const MAX_DOCUMENT = 8 * 1024 * 1024;

/** Reads a small file whole. Throws `limit` above 8 MiB. */
export async function readDocument(file: ArchiveFile, name: string): Promise<Buffer> {
  if (file.size > MAX_DOCUMENT) {
    throw new VeneerError('limit', `${name} has ${String(file.size)} bytes, too many for a document`);
  }
  const pieces: Buffer[] = [];
  for await (const piece of file.stream()) pieces.push(piece);
  return Buffer.concat(pieces);
}

const CHUNK = 1 << 20;

/** A part of an open file, read one piece ahead. */
export async function* streamPart(fd: number, offset: number, size: number): AsyncGenerator<Buffer, void> {
  const start = (at: number): ReturnType<typeof read> => {
    // Not from a pool, and never used again: takers keep what they get.
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, size - at));
    const reading = read(fd, buffer, 0, buffer.length, offset + at);
    // Awaited below; it may fail before.
    reading.catch(() => undefined);
    return reading;
  };
  let at = 0;
  let next = size > 0 ? start(0) : undefined;
  try {
    while (next !== undefined) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) throw new VeneerError('integrity', `the file ends ${String(size - at)} bytes too early`);
      at += bytesRead;
      next = at < size ? start(at) : undefined;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // The file may be closed as soon as nobody reads.
    await next?.catch(() => undefined);
  }
}
