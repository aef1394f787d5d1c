// The content store: blobs by digest. Born in staging, hashed while written, made durable, then renamed.

import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs';
import { fstatSync, statSync, unlinkSync } from 'node:fs';
import { VeneerError, digestHex, digestOf, hasCode, isDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { DigesterAside } from '../sys/index.js';
import { fsyncDirectory, renameDurably } from './durable.js';
import { receive, resume } from './ingest.js';
import type { Blob, BlobSource, IngestOptions } from './ingest.js';
import type { LeaseRegistry } from './leases.js';
import type { Lease } from './leases.js';
import type { StoreLock } from './lock.js';
import type { StorePaths } from './paths.js';
import type { Staged, StagingArea } from './staging.js';

/** Documents (configs, manifests) are read whole. The distribution spec asks registries to take 4 MiB. */
const MAX_DOCUMENT = 8 * 1024 * 1024;
const CHUNK = 1 << 20;

/** A part of a blob, in bytes; to its end by default. */
export interface BlobRange {
  readonly offset: number;
  readonly length?: number;
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
   * Takes in content. Once the promise resolves the blob is complete, verified and durable; taking in the same content again
   * is harmless. The lease keeps it until something refers to it.
   *
   * A source that can start anywhere, of a blob whose digest is announced, is continued where an earlier attempt that
   * failed or was killed has ended; what that one left counts only if the whole has the digest. Of two processes that take in
   * one such blob, the second waits for the first.
   *
   * Throws `integrity` when digest or size are not the expected ones; nothing is left behind then. At most one chunk
   * more than the expected size is read. Throws the signal's reason.
   */
  async ingest(source: BlobSource, lease: Lease, expected: IngestOptions = {}): Promise<Blob> {
    const { staging } = this.#parts;
    if (typeof source !== 'function') {
      const staged = staging.createFile();
      return this.#place(staged, lease, () => receive(staged, source, expected));
    }
    const { digest } = expected;
    if (digest === undefined) return this.ingest(source(0), lease, expected);
    const staged = await staging.claim(partialName(digest), expected.signal);
    const present = this.reuse(digest, lease);
    if (!present) return this.#place(staged, lease, () => resume(staged, source, expected), 'keep');
    staging.discard(staged);
    return { digest, size: this.size(digest) };
  }

  async #place(
    staged: Staged,
    lease: Lease,
    fill: () => Promise<Blob>,
    partial: 'keep' | 'drop' = 'drop',
  ): Promise<Blob> {
    const { staging, leases, lock } = this.#parts;
    try {
      const blob = await fill();
      lock.exclusively(() => {
        leases.hold(lease, 'blob', blob.digest);
        renameDurably(staged.path, this.path(blob.digest));
      });
      staging.release(staged);
      return blob;
    } catch (error) {
      if (partial === 'keep' && !hasCode(error, 'integrity')) staging.release(staged);
      else staging.discard(staged);
      throw error;
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

  /**
   * Reads a document whole and verifies it, or a part of a blob, which cannot be verified; the part is shorter where the blob
   * ends. Throws `not-found`, `integrity`, and `limit` above 8 MiB.
   */
  read(digest: Digest, range?: BlobRange): Buffer {
    if (range !== undefined) return readPart(this.path(digest), digest, range);
    const bytes = readPart(this.path(digest), digest);
    if (digestOf(bytes) !== digest) throw corrupt(digest);
    return bytes;
  }

  /**
   * Streams a blob, or a part of it. The last chunk of a whole blob is followed by `integrity` when the content is not what the
   * digest says; a part cannot be verified. Throws `not-found`.
   */
  async *stream(digest: Digest, range?: BlobRange): AsyncGenerator<Buffer> {
    if (range?.length === 0) return;
    const end = range?.length === undefined ? {} : { end: range.offset + range.length - 1 };
    const bounds = range === undefined ? {} : { start: range.offset, ...end };
    using digester = new DigesterAside();
    const file = createReadStream(this.path(digest), { highWaterMark: CHUNK, ...bounds });
    try {
      for await (const chunk of file as AsyncIterable<Buffer>) {
        if (range === undefined) {
          digester.update(chunk);
          await digester.ready();
        }
        yield chunk;
      }
    } catch (error) {
      throw hasCode(error, 'ENOENT') ? missing(digest) : error;
    }
    if (range === undefined && (await digester.digest()) !== digest) throw corrupt(digest);
  }

  /** Removes a blob nothing refers to any more. One that is gone already is no error. */
  remove(digest: Digest): void {
    this.removeAll([digest]);
  }

  /** The same for many. */
  removeAll(digests: readonly Digest[]): void {
    for (const digest of digests) {
      try {
        unlinkSync(this.path(digest));
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }
    if (digests.length > 0) fsyncDirectory(this.#parts.paths.blobs);
  }
}

/** Whole, or a part. */
function readPart(path: string, digest: Digest, range?: BlobRange): Buffer {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw hasCode(error, 'ENOENT') ? missing(digest) : error;
  }
  try {
    const offset = range?.offset ?? 0;
    const length = Math.min(range?.length ?? Number.POSITIVE_INFINITY, Math.max(0, fstatSync(fd).size - offset));
    if (length > MAX_DOCUMENT) {
      throw new VeneerError('limit', `blob ${digest} has ${String(length)} bytes, too many for a document`);
    }
    const bytes = Buffer.alloc(length);
    let at = 0;
    for (let got = -1; got !== 0 && at < length; at += got) got = readSync(fd, bytes, at, length - at, offset + at);
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}

function partialName(digest: Digest): string {
  return `partial.${digestHex(digest)}`;
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
