// How a blob comes in from a stream: written to staging and hashed on the way, verified, made durable.

import { fsyncSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { DigesterAside } from '../sys/index.js';
import { writeAll } from './file-writer.js';
import type { Staged } from './staging.js';

export interface Blob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** What a blob is announced to be. */
export interface Expected {
  readonly digest?: Digest;
  readonly size?: number;
}

export interface IngestOptions extends Expected {
  readonly signal?: AbortSignal;
}

/** Reads a whole source into an empty file. Throws `integrity` for another digest or size; at most one chunk too much is read. */
export async function ingest(
  staged: Staged,
  source: AsyncIterable<Uint8Array>,
  expected: IngestOptions,
): Promise<Blob> {
  using digester = new DigesterAside();
  for await (const chunk of source) {
    expected.signal?.throwIfAborted();
    const at = digester.size;
    digester.update(chunk);
    if (expected.size !== undefined && digester.size > expected.size) throw wrongSize(expected, digester.size);
    await writeAll(staged.fd, chunk, at);
    await digester.settled();
  }
  const blob = { digest: await digester.digest(), size: digester.size };
  verifyBlob(blob, expected);
  fsyncSync(staged.fd);
  return blob;
}

/** Throws `integrity` where a blob is not what it was announced to be. */
export function verifyBlob(blob: Blob, expected: Expected): void {
  if (expected.size !== undefined && blob.size !== expected.size) throw wrongSize(expected, blob.size);
  if (expected.digest !== undefined && blob.digest !== expected.digest) {
    throw new VeneerError('integrity', `content has digest ${blob.digest}, expected ${expected.digest}`);
  }
}

export function wrongSize(expected: Expected, size: number): VeneerError {
  const comparison = size > (expected.size ?? 0) ? 'more than' : `${String(size)}, not`;
  const name = expected.digest ?? 'content';
  return new VeneerError('integrity', `${name} has ${comparison} the announced ${String(expected.size)} bytes`);
}
