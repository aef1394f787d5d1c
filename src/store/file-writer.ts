// Writes and hashes a stream on other threads, as much at once as has come meanwhile: the chunks of a network are small, and a trip to
// another thread costs as much as hashing one.

import { write } from 'node:fs';
import { promisify } from 'node:util';
import type { DigesterAside } from '../sys/index.js';

const writeAsync = promisify(write);

/** Bytes that are handed over at once. */
const BATCH = 512 * 1024;

export interface FileWriterOptions {
  readonly fd: number;
  /** Where to begin. */
  readonly position: number;
  /** Has seen what is before that. */
  readonly digester: DigesterAside;
  /** Told where the file ends now. */
  readonly onWritten: (position: number) => void;
}

export class FileWriter {
  readonly #options: FileWriterOptions;
  #position: number;
  /** What has come, and what is being written: buffers of our own, so that nothing is left for the garbage collector. */
  #filling = Buffer.allocUnsafeSlow(BATCH);
  #leaving = Buffer.allocUnsafeSlow(BATCH);
  #filled = 0;
  #work: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Called when `#filling` has room again, or there is a failure. */
  #onRoom: () => void = () => undefined;

  constructor(options: FileWriterOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  /** Copies a chunk. What it returns is to be waited for before the next. Throws what writing has thrown. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    const rest = this.#take(chunk);
    return rest === undefined ? undefined : this.#takeLater(rest);
  }

  async #takeLater(chunk: Uint8Array): Promise<void> {
    for (let rest: Uint8Array | undefined = chunk; rest !== undefined; rest = this.#take(rest)) {
      if (this.#filled === BATCH) await new Promise<void>((resolve) => (this.#onRoom = resolve));
    }
  }

  /** What there is room for; returns the rest. */
  #take(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    const length = Math.min(chunk.length, BATCH - this.#filled);
    this.#filling.set(length === chunk.length ? chunk : chunk.subarray(0, length), this.#filled);
    this.#filled += length;
    this.#work ??= this.#drain();
    return length === chunk.length ? undefined : chunk.subarray(length);
  }

  /** Until everything is written and hashed. Throws what writing has thrown. */
  async finish(): Promise<void> {
    await this.#work;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Never rejects: who comes next is told. */
  async #drain(): Promise<void> {
    const { fd, digester, onWritten } = this.#options;
    try {
      while (this.#filled > 0) {
        const batch = this.#filling.subarray(0, this.#filled);
        [this.#filling, this.#leaving, this.#filled] = [this.#leaving, this.#filling, 0];
        this.#onRoom();
        digester.update(batch);
        await writeAll(fd, batch, this.#position);
        await digester.settled();
        this.#position += batch.length;
        onWritten(this.#position);
      }
    } catch (error) {
      this.#failure = { error };
      this.#onRoom();
    } finally {
      this.#work = undefined;
    }
  }
}

/** All of a chunk at a position of a file. */
export async function writeAll(fd: number, chunk: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    at += (await writeAsync(fd, chunk, at, chunk.length - at, position + at)).bytesWritten;
  }
}
