// The body of an answer: read at the reader's pace, given up when it does not come.

import { RegistryFailure } from './errors.js';

/** What a body needs of the connection it comes over. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Ends the connection. */
  abort(reason: Error): void;
}

export interface BodyOptions {
  /** Who sends it. */
  readonly host: string;
  /** Milliseconds without a byte that are waited. */
  readonly idle: number;
  /** What to throw for an error of the connection. */
  readonly failure: (error: unknown) => Error;
}

/** Bytes that wait to be read before the connection is paused. */
const HIGH_WATER = 256 * 1024;
/** What is read of a body nobody wants, so that its connection can be used again. */
const MAX_DISCARDED = 64 * 1024;
const MAX_DISCARD_TIME = 1000;
/** A sender of less than this many bytes a second, over twice the time it may be silent, has been cut off. */
const LEAST_SPEED = 100;

type End = { readonly kind: 'whole' } | { readonly kind: 'failed'; readonly error: Error };

export class ReplyBody implements AsyncIterable<Buffer> {
  readonly #flow: Flow;
  readonly #options: BodyOptions;
  readonly #chunks: Buffer[] = [];
  #queued = 0;
  #paused = false;
  #end: End | undefined;
  #wake: (() => void) | undefined;
  #discarding = false;
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds spent waiting for the sender, and what came, since the speed was last looked at. */
  #waited = 0;
  #received = 0;

  constructor(flow: Flow, options: BodyOptions) {
    this.#flow = flow;
    this.#options = options;
  }

  /** The connection's side: the next bytes have come. */
  push(chunk: Buffer): void {
    this.#queued += chunk.length;
    if (this.#discarding) {
      if (this.#queued > MAX_DISCARDED) this.#flow.abort(new Error('the body is not wanted'));
      return;
    }
    this.#received += chunk.length;
    this.#chunks.push(chunk);
    if (this.#queued > HIGH_WATER && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#wake?.();
  }

  /** The connection's side: all has come, or no more will. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? { kind: 'whole' } : { kind: 'failed', error: this.#options.failure(error) };
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  /** Nobody reads it: a short rest is let pass, for the connection's sake, a long one ends it. */
  discard(): void {
    if (this.#discarding || this.#end !== undefined) return;
    this.#discarding = true;
    this.#chunks.length = 0;
    if (this.#queued > MAX_DISCARDED) {
      this.#flow.abort(new Error('the body is not wanted'));
      return;
    }
    this.#timer = setTimeout(() => this.#flow.abort(new Error('the body is not wanted')), MAX_DISCARD_TIME).unref();
    if (this.#paused) this.#flow.resume();
  }

  /** All of it. Throws `limit` for more than `most` bytes. */
  async bytes(most: number, what = 'answer'): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this) {
      size += chunk.length;
      if (size > most) {
        throw new RegistryFailure('limit', `${this.#options.host} sends a ${what} of more than ${String(most)} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** The first bytes of it, without minding how it ends. */
  async beginning(most: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of this) {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= most) break;
      }
    } catch {
      // What did come is what there is to show.
    }
    return Buffer.concat(chunks).subarray(0, most);
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.discard();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Buffer, undefined>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#queued -= chunk.length;
        if (this.#paused && this.#queued <= HIGH_WATER / 2) {
          this.#paused = false;
          this.#flow.resume();
        }
        return { done: false, value: chunk };
      }
      if (this.#end?.kind === 'failed') throw this.#end.error;
      if (this.#end !== undefined || this.#discarding) return { done: true, value: undefined };
      await this.#more();
    }
  }

  /** Until there is a chunk or the end. */
  async #more(): Promise<void> {
    const { idle } = this.#options;
    const start = performance.now();
    this.#timer = setTimeout(() => this.#giveUp(`nothing came for ${String(idle / 1000)} s`), idle);
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    clearTimeout(this.#timer);
    this.#waited += performance.now() - start;
    if (this.#waited < 2 * idle) return;
    if (this.#received < (LEAST_SPEED * this.#waited) / 1000) this.#giveUp('it is too slow');
    this.#waited = 0;
    this.#received = 0;
  }

  #giveUp(why: string): void {
    const { host } = this.#options;
    this.#end ??= {
      kind: 'failed',
      error: new RegistryFailure('unavailable', `${host}: ${why}`, { passing: why }),
    };
    this.#flow.abort(new Error(why));
    this.#wake?.();
  }
}
