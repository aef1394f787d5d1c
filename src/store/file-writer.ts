// Writes and hashes a stream on other threads, as much at once as has come meanwhile: chunks of a network are small, and a trip to
// another thread costs as much as hashing one.

import { write } from 'node:fs';
import { promisify } from 'node:util';
import type { DigesterAside } from '../sys/index.js';

const writeAsync = promisify(write);

/** Bytes that may wait before `write` says to wait. */
const MAX_PENDING = 1 << 20;

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
  #pending: Uint8Array[] = [];
  #length = 0;
  #work: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: FileWriterOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  /** Takes a chunk, which is not to be changed any more. What it returns is to be waited for before the next. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#pending.push(chunk);
    this.#length += chunk.length;
    this.#work ??= this.#drain();
    return this.#length < MAX_PENDING ? undefined : this.finish();
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
      while (this.#length > 0 && this.#failure === undefined) {
        const [only] = this.#pending;
        const batch = only !== undefined && this.#pending.length === 1 ? only : Buffer.concat(this.#pending);
        this.#pending = [];
        this.#length = 0;
        digester.update(batch);
        await writeAll(fd, batch, this.#position);
        await digester.settled();
        this.#position += batch.length;
        onWritten(this.#position);
      }
    } catch (error) {
      this.#failure = { error };
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
