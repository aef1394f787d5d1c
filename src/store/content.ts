// The content store: blobs by digest. Born in staging, hashed while written, made durable, then renamed.

import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  write,
  writeSync,
} from 'node:fs';
import { fstatSync, statSync, unlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { Digester, VeneerError, digestOf, hasCode, isDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { fsyncDirectory, renameDurably } from './durable.js';
import type { LeaseRegistry } from './leases.js';
import type { Lease } from './leases.js';
import type { StoreLock } from './lock.js';
import type { StorePaths } from './paths.js';
import type { StagingArea } from './staging.js';

const writeAsync = promisify(write);

/** Documents (configs, manifests) are read whole. The distribution spec asks registries to take 4 MiB. */
const MAX_DOCUMENT = 8 * 1024 * 1024;

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

export interface ContentParts {
  readonly paths: StorePaths;
  readonly lock: StoreLock;
  readonly staging: StagingArea;
  readonly leases: LeaseRegistry;
}

export class ContentStore {
  readonly #parts: ContentParts;

  constructor(parts: ContentParts) {
    this.#parts = parts;
  }

  path(digest: Digest): string {
    return this.#parts.paths.blob(digest);
  }

  has(digest: Digest): boolean {
    return existsSync(this.path(digest));
  }

  /** Whether the store has the blob; if so, the lease keeps it from now on. */
  reuse(digest: Digest, lease: Lease): boolean {
    const { lock, leases } = this.#parts;
    return lock.exclusively(() => {
      const present = this.has(digest);
      if (present) leases.hold(lease, 'blob', digest);
      return present;
    });
  }

  /** All blobs, in no order. Names that are no digests are not among them. */
  list(): Digest[] {
    return readdirSync(this.#parts.paths.blobs)
      .map((name) => `sha256:${name}`)
      .filter(isDigest);
  }

  /**
   * Takes in a stream. Once the promise resolves the blob is complete, verified and durable; taking in the same content again
   * is harmless. The lease keeps it until something refers to it.
   *
   * Throws `integrity` when digest or size are not the expected ones; nothing is left behind then. At most one chunk
   * more than the expected size is read.
   */
  async ingest(source: AsyncIterable<Uint8Array>, lease: Lease, expected: Expected = {}): Promise<Blob> {
    const { staging, leases, lock } = this.#parts;
    const staged = staging.createFile();
    let placed = false;
    try {
      const digester = new Digester();
      for await (const chunk of source) {
        digester.update(chunk);
        if (expected.size !== undefined && digester.size > expected.size) throw wrongSize(expected, digester.size);
        await writeAll(staged.fd, chunk);
      }
      const blob = { digest: digester.digest(), size: digester.size };
      verify(blob, expected);
      fsyncSync(staged.fd);
      lock.exclusively(() => {
        leases.hold(lease, 'blob', blob.digest);
        renameDurably(staged.path, this.path(blob.digest));
      });
      placed = true;
      return blob;
    } finally {
      if (placed) staging.release(staged);
      else staging.discard(staged);
    }
  }

  /**
   * Takes in a small document; durable on return. Call it under the store's lock together with the rows that refer to it,
   * or with the content leased.
   */
  put(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    const { staging, lock } = this.#parts;
    return lock.exclusively(() => {
      if (this.has(digest)) return digest;
      const staged = staging.createFile();
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(staged.fd, bytes, at);
        fsyncSync(staged.fd);
        renameDurably(staged.path, this.path(digest));
        staging.release(staged);
      } catch (error) {
        staging.discard(staged);
        throw error;
      }
      return digest;
    });
  }

  /** Size in bytes. Throws `not-found`. */
  size(digest: Digest): number {
    const stat = statSync(this.path(digest), { throwIfNoEntry: false });
    if (stat === undefined) throw missing(digest);
    return stat.size;
  }

  /** Reads a document whole and verifies it. Throws `not-found`, `integrity`, and `limit` above 8 MiB. */
  read(digest: Digest): Buffer {
    const bytes = readWhole(this.path(digest), digest);
    if (digestOf(bytes) !== digest) throw corrupt(digest);
    return bytes;
  }

  /** Streams a blob. The last chunk is followed by `integrity` when the content is not what the digest says. */
  async *stream(digest: Digest): AsyncGenerator<Buffer> {
    const digester = new Digester();
    try {
      for await (const chunk of createReadStream(this.path(digest)) as AsyncIterable<Buffer>) {
        digester.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw hasCode(error, 'ENOENT') ? missing(digest) : error;
    }
    if (digester.digest() !== digest) throw corrupt(digest);
  }

  /** Removes a blob nothing refers to any more. One that is gone already is no error. */
  remove(digest: Digest): void {
    try {
      unlinkSync(this.path(digest));
      fsyncDirectory(this.#parts.paths.blobs);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}

async function writeAll(fd: number, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    at += (await writeAsync(fd, chunk, at, chunk.length - at, null)).bytesWritten;
  }
}

function readWhole(path: string, digest: Digest): Buffer {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw hasCode(error, 'ENOENT') ? missing(digest) : error;
  }
  try {
    const { size } = fstatSync(fd);
    if (size > MAX_DOCUMENT) {
      throw new VeneerError('limit', `blob ${digest} has ${String(size)} bytes, too many for a document`);
    }
    const bytes = Buffer.alloc(size);
    let at = 0;
    for (let length = -1; length !== 0 && at < size; at += length) length = readSync(fd, bytes, at, size - at, null);
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
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

function missing(digest: Digest): VeneerError {
  return new VeneerError('not-found', `blob ${digest} is not in the store`, {
    hint: "'veneer system check' names what is wrong with the store",
  });
}

function corrupt(digest: Digest): VeneerError {
  return new VeneerError('integrity', `blob ${digest} is damaged: its content has another digest`, {
    hint: 'remove the image and get it again',
  });
}
