// A blob of a registry as a BlobReader: where the connection is cut, it is taken up where it ended.

import type { Digest } from '../core/index.js';
import type { BlobReader, ByteRange } from '../image/index.js';
import { RegistryFailure, wrongContent } from './errors.js';
import { single } from './exchange.js';
import { waitAfter } from './retry.js';
import type { RetryPolicy } from './retry.js';
import type { Reply } from './transport.js';

export interface RemoteBlobOptions {
  readonly digest: Digest;
  readonly size: number;
  /** What messages name. */
  readonly subject: string;
  readonly registry: string;
  readonly policy: RetryPolicy;
  /** Asks for the blob; resolves to an answer of 200, 206 or 416 that `check` takes. */
  readonly open: (opening: Opening) => Promise<Reply>;
}

export interface Opening {
  readonly headers: Readonly<Record<string, string>>;
  /** How many times in a row nothing has come of it. */
  readonly failures: number;
  /** Throws `integrity` for an answer that announces something else. */
  readonly check: (reply: Reply) => Reply;
  readonly signal: AbortSignal | undefined;
}

/** What counts as getting on: less between two cuts is one more failure in a row. */
const PROGRESS = 1024;

interface Part {
  readonly start: number;
  readonly end: number;
}

export class RemoteBlob implements BlobReader {
  readonly digest: Digest;
  readonly size: number;
  readonly #options: RemoteBlobOptions;
  /** Answered a request for a part with 416. */
  #knowsNoRanges = false;

  constructor(options: RemoteBlobOptions) {
    this.digest = options.digest;
    this.size = options.size;
    this.#options = options;
  }

  async *read(
    range: ByteRange = { offset: 0 },
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Buffer, void> {
    const { policy, registry } = this.#options;
    const end = range.length === undefined ? this.size : range.offset + range.length;
    if (range.offset > this.size || end > this.size)
      throw this.#wrong(`it has ${String(this.size)} bytes, not ${String(end)}`);
    let position = range.offset;
    let failures = 0;
    while (position < end) {
      const start = position;
      try {
        for await (const chunk of this.#stream({ start, end, failures }, signal)) {
          position += chunk.length;
          yield chunk;
        }
        if (position < end) throw new RegistryFailure('unavailable', this.#says('the connection ended early'), { passing: 'connection closed' }); // prettier-ignore
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof RegistryFailure) || error.passing === undefined) throw error;
        failures = position - start >= PROGRESS ? 0 : failures + 1;
        if (failures > 0) await waitAfter(error, { failures, policy, registry, signal });
      }
    }
  }

  /** What one answer has of a part: all of it, unless it ends too soon. */
  async *#stream(
    { start, end, failures }: Part & { readonly failures: number },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer, void> {
    const isWhole = start === 0 && end === this.size;
    const headers = isWhole || this.#knowsNoRanges ? {} : { range: `bytes=${String(start)}-${String(end - 1)}` };
    const check = (answer: Reply): Reply => this.#check(answer, { start, end });
    const reply = await this.#open({ headers, failures, check, signal });
    if (reply.status === 416) {
      reply.body.discard();
      if (this.#knowsNoRanges) throw this.#wrong('it cannot be had from the registry');
      this.#knowsNoRanges = true;
      throw new RegistryFailure('unavailable', this.#says('the registry gives no part of it'), { passing: 'HTTP 416' });
    }
    // From the start, if it does not mind the range.
    let position = reply.status === 206 ? start : 0;
    const isExact = reply.status === 206 || end === this.size;
    for await (const chunk of reply.body) {
      const from = Math.max(start - position, 0);
      const rest = end - position;
      position += chunk.length;
      if (rest < chunk.length && isExact) throw this.#wrong('the registry sends more than it has announced');
      if (from < Math.min(rest, chunk.length))
        yield from === 0 && rest >= chunk.length ? chunk : chunk.subarray(from, rest);
      if (position >= end && !isExact) return;
    }
  }

  /** What it cannot do in all its attempts is not attempted all over. */
  async #open(opening: Opening): Promise<Reply> {
    try {
      return await this.#options.open(opening);
    } catch (error) {
      throw error instanceof RegistryFailure ? error.asFinal() : error;
    }
  }

  #check(reply: Reply, part: Part): Reply {
    const problem = reply.status === 206 ? this.#problemOfPart(reply, part) : this.#problemOfWhole(reply);
    if (problem === undefined) return reply;
    reply.body.discard();
    throw this.#wrong(problem);
  }

  #problemOfPart(reply: Reply, { start, end }: Part): string | undefined {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(single(reply.headers, 'content-range') ?? '');
    const [, first, last, total] = range ?? [];
    if (total !== undefined && total !== '*' && Number(total) !== this.size) return this.#otherSize(total);
    const fits = range !== null && Number(first) === start && Number(last) < end;
    return fits ? undefined : 'the registry sends another part than was asked for';
  }

  #problemOfWhole(reply: Reply): string | undefined {
    const length = single(reply.headers, 'content-length');
    const isOther = reply.status === 200 && length !== undefined && Number(length) !== this.size;
    return isOther ? this.#otherSize(length) : undefined;
  }

  #otherSize(size: string): string {
    return `the registry has ${size.slice(0, 20)} bytes of it, not ${String(this.size)}`;
  }

  #wrong(what: string): RegistryFailure {
    return wrongContent(this.#options.subject, `blob ${this.digest}: ${what}`);
  }

  #says(what: string): string {
    return `${this.#options.subject}: blob ${this.digest}: ${what}`;
  }
}
