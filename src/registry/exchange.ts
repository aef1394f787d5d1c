// One HTTP request and its answer, over whatever connection; no redirects, no second attempts.

import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { connectionFailure } from './connection-errors.js';
import type { Party } from './connection-errors.js';
import { RegistryFailure } from './errors.js';
import { ReplyBody } from './reply-body.js';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Content to send: bytes, or how to read them (again, if they are to be sent again). */
export type Content = Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface Timeouts {
  /** Milliseconds until a connection stands. */
  readonly connect: number;
  /** Milliseconds between the last byte of a request and the head of its answer. */
  readonly headers: number;
  /** Milliseconds without a byte of a body. */
  readonly idle: number;
}

export interface Outgoing {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Content | undefined;
}

export interface Incoming {
  readonly status: number;
  readonly headers: Headers;
  /** To be read, or discarded. */
  readonly body: ReplyBody;
  readonly url: URL;
}

/** A header that must not be there twice. */
export function single(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

export interface ExchangeOptions {
  /** For messages. */
  readonly party: Party;
  readonly dispatcher: Dispatcher;
  readonly timeouts: Timeouts;
  readonly signal?: AbortSignal | undefined;
}

/** Gives up on who does not answer. While content is being sent, each part of it that goes starts the time anew. */
class Patience {
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number, giveUp: () => void) {
    this.#timer = setTimeout(giveUp, milliseconds);
  }

  async *watch(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of content) {
      this.#timer.refresh();
      yield chunk;
    }
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Throws a RegistryFailure, the error of the content's source, and the signal's reason. */
export function exchange(request: Outgoing, options: ExchangeOptions): Promise<Incoming> {
  const { party, dispatcher, timeouts, signal } = options;
  const { method, url, headers, body: content } = request;
  const { subject, host } = party;
  return new Promise<Incoming>((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let body: ReplyBody | undefined;
    let over = false;
    /** Why this side ended it, or the source of the content failed. */
    let ownReason: Error | undefined;

    const finish = (): void => {
      over = true;
      patience.end();
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      if (over) return;
      finish();
      const thrown = ownReason ?? error;
      if (body === undefined) reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      else body.end(thrown);
    };
    const abort = (reason: Error): void => {
      ownReason ??= reason;
      // Without a connection yet there is nothing else that would end it.
      if (body === undefined) fail(reason);
      controller?.abort(reason);
    };
    const onAbort = (): void => abort(signal?.reason as Error);
    const patience = new Patience(timeouts.headers + timeouts.connect, () => {
      const seconds = String(timeouts.headers / 1000);
      abort(
        new RegistryFailure('unavailable', `${subject}: ${host} does not answer within ${seconds} s`, {
          passing: 'no answer',
        }),
      );
    });
    const failure = (error: unknown): Error =>
      error === ownReason && error !== undefined ? (error as Error) : connectionFailure(party, error);

    async function* sent(source: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
      try {
        yield* patience.watch(source());
      } catch (error) {
        ownReason ??= error as Error;
        throw error;
      }
    }

    if (signal?.aborted === true) {
      patience.end();
      reject(signal.reason as Error);
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    const send: Parameters<Dispatcher['dispatch']> = [
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers,
        body: typeof content === 'function' ? asStream(sent(content)) : (content ?? null),
        // Their own clocks would end a slow upload.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart: (started) => {
          controller = started;
          if (over) started.abort(ownReason ?? new Error('aborted'));
        },
        onResponseStart: (started, status, answered) => {
          if (over || status < 200) return;
          patience.end();
          const flow = { pause: () => started.pause(), resume: () => started.resume(), abort };
          body = new ReplyBody(flow, { host, idle: timeouts.idle, failure });
          resolve({ status, headers: answered, body, url });
        },
        onResponseData: (_, chunk) => body?.push(chunk),
        onResponseEnd: () => {
          if (over) return;
          finish();
          body?.end();
        },
        onResponseError: (_, error) => fail(ownReason ?? (body === undefined ? failure(error) : error)),
      },
    ];
    try {
      dispatcher.dispatch(...send);
    } catch (error) {
      fail(failure(error));
    }
  });
}

function asStream(content: AsyncIterable<Uint8Array>): Readable {
  const stream = Readable.from(content, { objectMode: false });
  // What ends it is told to who waits for the answer; after that nobody listens.
  return stream.on('error', () => undefined);
}
