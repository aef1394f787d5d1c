// Blobs into a registry: OCI distribution spec, "Pushing blobs". In one request where that works; where a connection is cut, from where
// the registry says it has got to; where what was sent is lost, or is too much for who stands in front of the registry, in chunks.

import { digestOf } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { BlobReader } from '../image/index.js';
import { misbehaviour, RegistryFailure, wrongContent } from './errors.js';
import { single } from './exchange.js';
import { resolveLocation } from './redirect.js';
import { waitAfter } from './retry.js';
import type { RetryPolicy } from './retry.js';
import type { Reply, Transport, TransportRequest } from './transport.js';

/** What to upload. It is read again from anywhere if it has to be sent again. */
export interface UploadSource extends BlobReader {
  /** Called before the first read, when it is certain that there will be one: to make what is to be read. */
  readonly prepare?: (options: { readonly signal?: AbortSignal | undefined }) => Promise<void>;
}

export interface UploadOptions {
  /** A repository of the same registry that may have the blob. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UploadContext {
  readonly transport: Transport;
  readonly policy: RetryPolicy;
  /** How to speak of the repository. */
  readonly subject: string;
  readonly registry: string;
}

export interface NewManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

export type UploadOutcome = 'exists' | 'mounted' | 'uploaded';

/** Brings a blob into a repository. Throws what the registry says, and `integrity` where it stores something else. */
export async function uploadBlob(
  context: UploadContext,
  source: UploadSource,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  const { signal } = options;
  const upload = new Upload(context, source, options);
  if (await upload.isThere()) return 'exists';
  if (options.from !== undefined && (await upload.mount(options.from))) return 'mounted';
  await source.prepare?.({ signal });
  return upload.run();
}

/** Sizes of chunks, where chunks are needed. */
const MAX_CHUNK = 32 << 20;
const MIN_CHUNK = 64 << 10;
/** What was handed to a connection that was cut is more than what got through. */
const SMALLER = 4;
/** A registry that takes less of a request, but for the end, does not want to have the blob. */
const LEAST_PROGRESS = 1024;
/** Answers that are no verdict on the blob: the upload is not known (any more), or is somewhere else. */
const LOST = [404, 409, 416];
const TOO_LARGE = 413;

const OCTETS = { 'content-type': 'application/octet-stream' };

class Upload {
  readonly #context: UploadContext;
  readonly #source: UploadSource;
  readonly #signal: AbortSignal | undefined;
  /** Where the next request goes; undefined without a session. */
  #location: URL | undefined;
  /** What the session has, in bytes. */
  #offset = 0;
  /** The most one request brings. */
  #chunk = Number.POSITIVE_INFINITY;
  /** The least the registry wants in one, but for the last one. */
  #leastChunk = 0;
  /** What the last request with content has read of it. */
  #read = 0;
  /** In a row, without more content in the registry than ever before. */
  #failures = 0;
  #furthest = 0;

  constructor(context: UploadContext, source: UploadSource, { signal }: UploadOptions) {
    this.#context = context;
    this.#source = source;
    this.#signal = signal;
  }

  async isThere(): Promise<boolean> {
    const { digest, size } = this.#source;
    const reply = await this.#send({ method: 'HEAD', path: `blobs/${digest}`, accept: [200, 404], retry: true });
    reply.body.discard();
    const length = single(reply.headers, 'content-length');
    // Who answers everything with a page of its own says 200, too.
    const isIt = length === undefined ? storedAs(reply) === digest : Number(length) === size;
    return reply.status === 200 && isIt;
  }

  /** True if the registry takes the blob from another repository. If it does not, it may have begun an upload. */
  async mount(from: string): Promise<boolean> {
    const { digest } = this.#source;
    let reply: Reply;
    try {
      reply = await this.#send({
        method: 'POST',
        path: 'blobs/uploads/',
        query: { mount: digest, from },
        length: 0,
        alsoPull: [from],
        accept: [201, 202],
        retry: true,
      });
    } catch (error) {
      // Only a try: that repository may be closed to us, or the registry does not know how to.
      if (error instanceof RegistryFailure && error.passing === undefined && error.status !== undefined) return false;
      throw error;
    }
    if (reply.status === 201) {
      reply.body.discard();
      return (storedAs(reply) ?? digest) === digest;
    }
    if (single(reply.headers, 'location') === undefined) reply.body.discard();
    else this.#begun(reply);
    return false;
  }

  async run(): Promise<UploadOutcome> {
    for (;;) {
      // Has attempts of its own.
      if (this.#location === undefined) await this.#begin();
      try {
        await this.#sendAll();
        return 'uploaded';
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (!(error instanceof RegistryFailure)) throw error;
        await this.#recover(error);
      }
      // It may be there after all: only the answer was lost.
      if (this.#location === undefined && this.#read === this.#source.size && (await this.isThere())) return 'uploaded';
    }
  }

  #send(request: Omit<TransportRequest, 'scope' | 'signal'>): Promise<Reply> {
    return this.#context.transport.send({ ...request, scope: 'push', signal: this.#signal });
  }

  #misbehaves(what: string): RegistryFailure {
    return misbehaviour(this.#context.subject, `the registry ${what}`);
  }

  async #begin(): Promise<void> {
    this.#begun(await this.#send({ method: 'POST', path: 'blobs/uploads/', length: 0, accept: [202], retry: true }));
  }

  #begun(reply: Reply): void {
    const location = this.#locationOf(reply);
    if (location === undefined) throw this.#misbehaves('begins an upload without saying where');
    this.#location = location;
    this.#offset = 0;
    const least = Number(single(reply.headers, 'oci-chunk-min-length') ?? 0);
    this.#leastChunk = Number.isSafeInteger(least) && least > 0 ? least : 0;
  }

  #locationOf(reply: Reply): URL | undefined {
    const location = single(reply.headers, 'location');
    reply.body.discard();
    if (location === undefined) return undefined;
    return resolveLocation(this.#context.subject, location, reply.url);
  }

  /** Where it goes on may change with every answer. */
  #moved(reply: Reply): void {
    this.#location = this.#locationOf(reply) ?? this.#location;
  }

  #place(): URL {
    if (this.#location === undefined) throw new Error('an upload that has not begun');
    return this.#location;
  }

  async #sendAll(): Promise<void> {
    const { size } = this.#source;
    if (this.#offset > 0 || this.#most() < size) {
      while (this.#offset < size) await this.#sendChunk();
    }
    await this.#finish();
  }

  #most(): number {
    return Math.max(this.#chunk, this.#leastChunk);
  }

  async #sendChunk(): Promise<void> {
    const offset = this.#offset;
    const length = Math.min(this.#most(), this.#source.size - offset);
    const reply = await this.#send({
      method: 'PATCH',
      url: this.#place(),
      headers: { ...OCTETS, 'content-range': `${String(offset)}-${String(offset + length - 1)}` },
      ...this.#content(offset, length),
      accept: [201, 202, 204],
      retry: false,
    });
    this.#moved(reply);
    const end = rangeEnd(reply);
    // `0-0` is one byte, or nothing.
    const reached = end === undefined || (end === 1 && length > 1) ? offset + length : end;
    if (reached < offset + Math.min(length, LEAST_PROGRESS) || reached > offset + length) {
      throw this.#misbehaves('has lost count of an upload');
    }
    this.#reached(reached);
  }

  /** The last request, with all of the content if none has gone before. */
  async #finish(): Promise<void> {
    const { digest, size } = this.#source;
    const rest = this.#offset === 0 && size > 0 ? this.#content(0, size) : { length: 0 };
    const reply = await this.#send({
      method: 'PUT',
      url: withDigest(this.#place(), digest),
      headers: OCTETS,
      ...rest,
      accept: [201, 204],
      retry: false,
    });
    reply.body.discard();
    if ((storedAs(reply) ?? digest) !== digest) {
      throw wrongContent(this.#context.subject, `the registry has stored ${digest} under another digest`);
    }
  }

  /** The last chunk is kept back until the source has come to its end: damage is found out there, and no registry is to have it whole. */
  #content(offset: number, length: number): Pick<TransportRequest, 'body' | 'length'> {
    const body = async function* (this: Upload): AsyncGenerator<Uint8Array, void> {
      this.#read = offset;
      let held: Uint8Array | undefined;
      for await (const chunk of this.#source.read({ offset, length }, { signal: this.#signal })) {
        if (held !== undefined) yield this.#counted(held);
        held = chunk;
      }
      if (held !== undefined) yield this.#counted(held);
    }.bind(this);
    return { body, length };
  }

  #counted(chunk: Uint8Array): Uint8Array {
    this.#read += chunk.length;
    return chunk;
  }

  #reached(offset: number): void {
    this.#offset = offset;
    const isProgress = offset >= this.#furthest + LEAST_PROGRESS || offset === this.#source.size;
    if (!isProgress || offset <= this.#furthest) return;
    this.#furthest = offset;
    this.#failures = 0;
  }

  /** Finds a way to go on after a failed request, or throws. */
  async #recover(error: RegistryFailure): Promise<void> {
    const { policy, registry } = this.#context;
    const { status } = error;
    const sent = this.#read - this.#offset;
    if (status === TOO_LARGE) {
      if (this.#most() <= Math.max(MIN_CHUNK, this.#leastChunk)) throw error;
      this.#shrink(Math.min(this.#chunk, this.#source.size - this.#offset));
      return;
    }
    const isLost = this.#location !== undefined && status !== undefined && LOST.includes(status);
    if (error.passing === undefined && !isLost) throw error;
    this.#failures += 1;
    if (isLost && this.#failures >= policy.attempts) throw error;
    if (!isLost) await waitAfter(error, { failures: this.#failures, policy, registry, signal: this.#signal });
    if (this.#location === undefined) return;
    await this.#ask();
    // Nothing of what was sent has arrived for good.
    if (this.#failures > 0 && sent > 0) this.#shrink(sent);
  }

  #shrink(size: number): void {
    this.#chunk = Math.max(MIN_CHUNK, Math.min(MAX_CHUNK, this.#chunk, Math.floor(size / SMALLER)));
  }

  /** Asks the registry how much it has. Without a good answer the upload begins anew. */
  async #ask(): Promise<void> {
    let reply: Reply;
    try {
      reply = await this.#send({ method: 'GET', url: this.#place(), accept: [200, 202, 204], retry: true });
    } catch (error) {
      // Whatever it says of this upload, it may take another one.
      if (!(error instanceof RegistryFailure) || error.status === undefined) throw error;
      this.#location = undefined;
      return;
    }
    this.#moved(reply);
    const end = rangeEnd(reply);
    if (end === undefined || end > this.#source.size) this.#location = undefined;
    else this.#reached(end === 1 ? 0 : end);
  }
}

function storedAs(reply: Reply): string | undefined {
  return single(reply.headers, 'docker-content-digest');
}

/** What comes after the last byte of `Range: 0-99`. */
function rangeEnd(reply: Reply): number | undefined {
  const match = /^(?:bytes=)?0-(\d{1,15})$/.exec(single(reply.headers, 'range') ?? '');
  return match === null ? undefined : Number(match[1]) + 1;
}

/** The query stays as the registry has written it. */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location);
  url.search = `${location.search === '' ? '?' : `${location.search}&`}digest=${encodeURIComponent(digest)}`;
  return url;
}

/** Stores a manifest under a tag or a digest; resolves to the digest the registry knows it by. */
export async function putManifest(
  { transport, subject }: Pick<UploadContext, 'transport' | 'subject'>,
  reference: string,
  { bytes, mediaType, signal }: NewManifest & { readonly signal?: AbortSignal | undefined },
): Promise<Digest> {
  const digest = digestOf(bytes);
  const reply = await transport.send({
    method: 'PUT',
    path: `manifests/${encodeURIComponent(reference).replaceAll('%3A', ':')}`,
    headers: { 'content-type': mediaType },
    body: bytes,
    length: bytes.length,
    scope: 'push',
    accept: [200, 201, 202, 204],
    retry: true,
    signal,
  });
  reply.body.discard();
  const stored = storedAs(reply);
  if (stored === digest || (stored === undefined && reply.status === 201)) return digest;
  if (stored === undefined) throw misbehaviour(subject, `the registry answers HTTP ${String(reply.status)}, not 201`);
  throw wrongContent(subject, `the registry has stored the manifest ${digest} under another digest`);
}
