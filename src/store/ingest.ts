// How a blob comes in: written to staging and hashed on the way, verified, made durable; a transfer that was cut off is
// continued by the next one for the same digest.

import { createReadStream, fstatSync, fsyncSync, ftruncateSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { DigesterAside } from '../sys/index.js';
import type { Staged } from './staging.js';

const writeAsync = promisify(write);

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

/** Content from its start, or a function that gives it from any offset on. */
export type BlobSource = AsyncIterable<Uint8Array> | ((offset: number) => AsyncIterable<Uint8Array>);

/** Reads a whole source into an empty file. Throws `integrity` for another digest or size; at most one chunk too much is read. */
export async function receive(
  staged: Staged,
  source: AsyncIterable<Uint8Array>,
  expected: IngestOptions,
): Promise<Blob> {
  return append(staged, { source, digester: new DigesterAside(), expected });
}

/**
 * Goes on where the file ends. What it has is hashed again; where it turns out to be of something else, which only shows in
 * the end, everything is asked for once more.
 */
export async function resume(
  staged: Staged,
  source: (offset: number) => AsyncIterable<Uint8Array>,
  expected: IngestOptions,
): Promise<Blob> {
  const { size } = fstatSync(staged.fd);
  const isUsable = size > 0 && size <= (expected.size ?? Number.POSITIVE_INFINITY);
  if (isUsable) {
    try {
      return await append(staged, { source: lazily(source, size, expected), digester: await hashed(staged), expected });
    } catch (error) {
      if (!(error instanceof VeneerError) || error.code !== 'integrity') throw error;
    }
  }
  ftruncateSync(staged.fd, 0);
  return append(staged, { source: source(0), digester: new DigesterAside(), expected });
}

/** A file that is complete already needs nothing more: a registry answers a range behind the end with an error. */
async function* lazily(
  source: (offset: number) => AsyncIterable<Uint8Array>,
  size: number,
  expected: Expected,
): AsyncGenerator<Uint8Array> {
  if (size !== expected.size) yield* source(size);
}

interface Append {
  readonly source: AsyncIterable<Uint8Array>;
  /** Has seen what the file has. */
  readonly digester: DigesterAside;
  readonly expected: IngestOptions;
}

async function append(staged: Staged, { source, digester: given, expected }: Append): Promise<Blob> {
  using digester = given;
  for await (const chunk of source) {
    expected.signal?.throwIfAborted();
    const at = digester.size;
    digester.update(chunk);
    if (expected.size !== undefined && digester.size > expected.size) throw wrongSize(expected, digester.size);
    await writeAll(staged.fd, chunk, at);
    await digester.settled();
  }
  const blob = { digest: await digester.digest(), size: digester.size };
  verify(blob, expected);
  fsyncSync(staged.fd);
  return blob;
}

async function hashed(staged: Staged): Promise<DigesterAside> {
  const digester = new DigesterAside();
  for await (const chunk of createReadStream(staged.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    digester.update(chunk);
    await digester.ready();
  }
  return digester;
}

async function writeAll(fd: number, chunk: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    at += (await writeAsync(fd, chunk, at, chunk.length - at, position + at)).bytesWritten;
  }
}

function verify(blob: Blob, expected: Expected): void {
  if (expected.size !== undefined && blob.size !== expected.size) throw wrongSize(expected, blob.size);
  if (expected.digest !== undefined && blob.digest !== expected.digest) {
    throw new VeneerError('integrity', `content has digest ${blob.digest}, expected ${expected.digest}`);
  }
}

function wrongSize(expected: Expected, size: number): VeneerError {
  const comparison = size > (expected.size ?? 0) ? 'more than' : `${String(size)}, not`;
  const name = expected.digest ?? 'content';
  return new VeneerError('integrity', `${name} has ${comparison} the announced ${String(expected.size)} bytes`);
}
