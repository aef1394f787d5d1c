// The attach socket of conmon, which watches a container and passes its output on (conmon, src/conn_sock.c). Each packet
// to us begins with the stream it is of; packets from us are standard input.

import type { Readable } from 'node:stream';
import { errno, VeneerError } from '../core/index.js';
import { close, connectPackets, endPackets, must, PacketReceiver, sendPacket, shutDown } from '../sys/index.js';
import { DetachKeys } from './detach-keys.js';

/** Takes bytes to where they are shown; resolves when they may be overwritten and more may come. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

export interface RelayOptions {
  /** What the container's standard input is; not given, or at its end, nothing is sent. */
  readonly stdin?: Readable | undefined;
  readonly stdout?: Sink | undefined;
  readonly stderr?: Sink | undefined;
  /** See `parseDetachKeys`. */
  readonly detachKeys?: readonly number[];
  /** Detaches. */
  readonly signal?: AbortSignal | undefined;
}

/** What conmon calls standard error (its stdpipe_t); all else is standard output. */
const STDERR = 3;
/** What conmon reads of the container's output at once (its STDIO_BUF_SIZE). */
const OUTPUT_SIZE = 8192;
/** More than a socket holds with the usual net.core.wmem_default. */
const OUTPUT_COUNT = 32;
/** What conmon reads of a packet; the rest would be lost (its CONN_SOCK_BUF_SIZE). */
const INPUT_SIZE = 32_768;

/** A connection to a container, from the moment it is made: what the container writes from then on is not lost. */
export class Attachment {
  readonly #socket: number;
  #detached = false;
  readonly #onExit = (): void => {
    shutDown(this.#socket);
  };

  private constructor(socket: number) {
    this.#socket = socket;
    // A thread that waits for a packet would hold up the end of the process.
    process.on('exit', this.#onExit);
  }

  /** Connects to the attach socket at a path. Throws `unavailable` where nobody listens. */
  static open(path: string): Attachment {
    const socket = connectPackets(Buffer.from(path).toString('latin1'));
    if (socket === -errno.ENOENT || socket === -errno.ECONNREFUSED)
      throw new VeneerError('unavailable', `nobody listens at '${path}': the container's monitor (conmon) is gone`);
    return new Attachment(must(socket, 'connect', path));
  }

  /**
   * Passes input and output on: until the container ends, or until the keys, the signal or `close` detach. Rejects with what a
   * sink rejects with. The connection is closed then.
   */
  async relay(options: RelayOptions): Promise<'ended' | 'detached'> {
    const { signal } = options;
    const detach = (): void => {
      this.close();
    };
    signal?.addEventListener('abort', detach);
    if (signal?.aborted === true) detach();
    const input = this.#input(options, detach);
    try {
      await this.#output(options);
    } finally {
      signal?.removeEventListener('abort', detach);
      shutDown(this.#socket);
      await input.stop();
      close(this.#socket);
      process.off('exit', this.#onExit);
    }
    return this.#detached ? 'detached' : 'ended';
  }

  /** Detaches. */
  close(): void {
    this.#detached = true;
    shutDown(this.#socket);
  }

  async #output({ stdout, stderr }: RelayOptions): Promise<void> {
    const receiver = new PacketReceiver(this.#socket, { count: OUTPUT_COUNT, size: OUTPUT_SIZE });
    for (;;) {
      const count = await receiver.receive();
      // Told once where the other side went away with our input unread; what it sent before is still there.
      if (count === -errno.ECONNRESET || count === -errno.EINTR) continue;
      must(count, 'recvmmsg');
      for (let from = 0; from < count;) {
        if (receiver.length(from) === 0) return;
        const kind = receiver.kind(from);
        let to = from;
        while (to < count && receiver.length(to) > 0 && receiver.kind(to) === kind) {
          if (receiver.isCut(to)) throw new VeneerError('unsupported', 'conmon sends larger packets than this program');
          to += 1;
        }
        await (kind === STDERR ? stderr : stdout)?.(receiver.content(from, to));
        from = to;
      }
    }
  }

  /** Sends what is read, piece by piece: reading stops while the container does not take it. */
  #input({ stdin, detachKeys = [] }: RelayOptions, detach: () => void): { stop: () => Promise<void> } {
    if (stdin === undefined) return { stop: () => Promise.resolve() };
    const keys = new DetachKeys(detachKeys);
    let sending = Promise.resolve();
    const take = async (bytes: Uint8Array): Promise<void> => {
      const { passed, detached } = keys.take(bytes);
      const isTaken = await this.#send(passed);
      if (detached) detach();
      // Nobody reads what follows.
      else if (isTaken) stdin.resume();
    };
    const onData = (chunk: Buffer): void => {
      stdin.pause();
      sending = take(chunk);
    };
    const onEnd = (): void => {
      sending = sending.then(() => {
        endPackets(this.#socket);
      });
    };
    stdin.on('data', onData).on('end', onEnd).on('error', onEnd);
    return {
      stop: () => {
        stdin.off('data', onData).off('end', onEnd).pause();
        return sending;
      },
    };
  }

  /** Whether all was taken. */
  async #send(bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += INPUT_SIZE) {
      const sent = await sendPacket(this.#socket, bytes.subarray(at, at + INPUT_SIZE));
      if (sent === -errno.EPIPE || sent === -errno.ECONNRESET) return false;
      must(sent, 'send');
    }
    return true;
  }
}
