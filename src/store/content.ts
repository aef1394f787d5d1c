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
import { VeneerError, digestOf, hasCode, isDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { BlobReader, ByteRange } from '../image/index.js';
import { DigesterAside } from '../sys/index.js';
import { Arrival } from './arrival.js';
import type { ReceiveOptions } from './arrival.js';
import { fsyncDirectory, renameDurably } from './durable.js';
import { ingest } from './ingest.js';
import type { Blob, IngestOptions } from './ingest.js';
import type { LeaseRegistry } from './leases.js';
import type { Lease } from './leases.js';
import type { StoreLock } from './lock.js';
import type { StorePaths } from './paths.js';
import type { Staged, StagingArea } from './staging.js';

/** Documents (configs, manifests) are read whole. The distribution spec asks registries to take 4 MiB. */
const MAX_DOCUMENT = 8 * 1024 * 1024;
const CHUNK = 1 << 20;

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

  /** Whether the store has the blob, of that size if one is given; if so, the lease keeps it from now on. */
  reuse(digest: Digest, lease: Lease, size?: number): boolean {
    const { lock, leases } = this.#parts;
    return lock.exclusively(() => {
      const present = this.has(digest) && (size === undefined || this.size(digest) === size);
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
   * Throws `integrity` when digest or size are not the expected ones; nothing is left behind then. At most one chunk
   * more than the expected size is read. Throws the signal's reason.
   */
  async ingest(source: AsyncIterable<Uint8Array>, lease: Lease, expected: IngestOptions = {}): Promise<Blob> {
    const { staging } = this.#parts;
    const staged = staging.createFile();
    let placed = false;
    try {
      const blob = await ingest(staged, source, expected);
      this.#place(staged, blob.digest, lease);
      placed = true;
      return blob;
    } finally {
      if (!placed) staging.discard(staged);
    }
  }

  /**
   * Has a blob come in from somewhere that can serve it from any offset. It can be read at once, and is fetched once however many
   * processes want it: the others wait, and go on where this one ends if it fails or is killed. See `Arrival`.
   */
  receive(reader: BlobReader, lease: Lease, options: ReceiveOptions = {}): Arrival {
    const { digest, size } = reader;
    const parts = {
      staging: this.#parts.staging,
      reuse: () => (this.reuse(digest, lease, size) ? this.path(digest) : undefined),
      place: (staged: Staged) => this.#place(staged, digest, lease),
    };
    return new Arrival(parts, { ...options, reader });
  }

  /** A verified, durable file. */
  #place(staged: Staged, digest: Digest, lease: Lease): string {
    const { staging, leases, lock } = this.#parts;
    const path = this.path(digest);
    lock.exclusively(() => {
      leases.hold(lease, 'blob', digest);
      renameDurably(staged.path, path);
    });
    staging.release(staged);
    return path;
  }

  /**
   * Takes in a small document, also in place of one that is damaged; durable on return. Call it under the store's lock together with the rows that refer to it,
   * or with the content leased.
   */
  put(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    const { staging, lock } = this.#parts;
    return lock.exclusively(() => {
      if (this.#holds(digest, bytes)) return digest;
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

  #holds(digest: Digest, bytes: Uint8Array): boolean {
    if (!this.has(digest) || this.size(digest) !== bytes.length) return false;
    return readPart(this.path(digest), digest).equals(bytes);
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
  read(digest: Digest, range?: ByteRange): Buffer {
    if (range !== undefined) return readPart(this.path(digest), digest, range);
    const bytes = readPart(this.path(digest), digest);
    if (digestOf(bytes) !== digest) throw corrupt(digest);
    return bytes;
  }

  /**
   * Streams a blob, or a part of it. The last chunk of a whole blob is followed by `integrity` when the content is not what the
   * digest says; a part cannot be verified. Throws `not-found`.
   */
  async *stream(digest: Digest, range?: ByteRange): AsyncGenerator<Buffer> {
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

  /** The blob as something that serves ranges. Throws `not-found`. */
  reader(digest: Digest): BlobReader {
    const read: BlobReader['read'] = (range, { signal } = {}) => abortable(this.stream(digest, range), signal);
    return { digest, size: this.size(digest), read };
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

async function* abortable(
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

/** Whole, or a part. */
function readPart(path: string, digest: Digest, range?: ByteRange): Buffer {
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
