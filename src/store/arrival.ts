// A blob on its way in from somewhere that serves ranges: written to a file that can be read while it grows, hashed on the way,
// continued where an earlier attempt has ended, and fetched by one process at a time.

import { closeSync, fstatSync, fsync, ftruncateSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { digestHex, hasCode, isFull, orAborted } from '../core/index.js';
import type { Digest } from '../core/index.js';
import type { BlobReader } from '../image/index.js';
import { DigesterAside } from '../sys/index.js';
import { FileWriter } from './file-writer.js';
import { verifyBlob, wrongSize } from './ingest.js';
import type { Blob } from './ingest.js';
import type { Staged, StagingArea } from './staging.js';

const readAsync = promisify(read);
const fsyncAsync = promisify(fsync);

/** What is read at once. */
const CHUNK = 256 * 1024;

export interface ReceiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Waited for before the reader is asked for anything; what it gives is disposed of, maybe twice, when the reader has given everything. */
  readonly turn?: (() => Promise<Disposable>) | undefined;
  /** Told the bytes that are here, those of an earlier attempt included. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Called where another process has the blob in work, which is waited for without a turn. */
  readonly onWait?: (() => void) | undefined;
}

/** What was handed out turns out to be something else: the beginning, left by an earlier attempt, was damaged. */
export class ArrivalRestarted extends Error {
  override readonly name = 'ArrivalRestarted';
}

export interface ArrivalParts {
  readonly staging: StagingArea;
  /** Where the blob is, leased from now on; undefined where the store does not have it. */
  readonly reuse: () => string | undefined;
  /** Puts a verified file in its place, leased, and tells where that is. */
  readonly place: (staged: Staged) => string;
}

export interface ArrivalTask extends ReceiveOptions {
  readonly reader: BlobReader;
}

/**
 * A blob that comes in. It does so whether or not anybody reads it, as fast as its source gives it: it waits for no reader, so
 * that who waits for it, in another process, too, waits for the source alone.
 */
export class Arrival {
  /**
   * Fulfilled when the blob is complete, verified, durable, in its place and leased. Rejected with `integrity` for another digest or
   * size, with what the reader throws, or with the signal's reason; it may be left unhandled. What has come is kept for the next
   * attempt, unless it is wrong or has filled the file system.
   */
  readonly done: Promise<Blob>;
  readonly #parts: ArrivalParts;
  readonly #task: ArrivalTask;
  /** Where the bytes are: nowhere yet, in a file that grows, in their place. */
  #path: string | undefined;
  /** Bytes that can be read. */
  #arrived = 0;
  #restarts = 0;
  #failure: { readonly error: unknown } | undefined;
  #change = signalled();

  constructor(parts: ArrivalParts, task: ArrivalTask) {
    this.#parts = parts;
    this.#task = task;
    this.done = this.#run();
    this.done.catch((error: unknown) => {
      this.#failure = { error };
      this.#tell();
    });
  }

  get digest(): Digest {
    return this.#task.reader.digest;
  }

  /** In bytes, as announced. */
  get size(): number {
    return this.#task.reader.size;
  }

  /** Whether all bytes are here, though perhaps not verified yet. */
  get isComplete(): boolean {
    return this.#path !== undefined && this.#arrived === this.size;
  }

  /** How often what was here had to be thrown away. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * The bytes from the first one, as they come; none of them is verified before `done` is fulfilled. Throws what `done` is
   * rejected with, `ArrivalRestarted`, or the signal's reason.
   */
  async *stream(signal?: AbortSignal): AsyncGenerator<Buffer, void> {
    const path = await this.#until(() => this.#path, signal);
    const restarts = this.#restarts;
    // Before anything else can give the file its other name.
    const fd = openSync(path, 'r');
    try {
      for (let at = 0; at < this.size;) {
        const end = await this.#until(() => this.#endBehind(at, restarts), signal);
        const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, end - at));
        const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, at);
        this.#endBehind(at, restarts);
        if (bytesRead === 0) throw new ArrivalRestarted();
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      if (this.#restarts !== restarts) throw new ArrivalRestarted();
    } finally {
      closeSync(fd);
    }
  }

  /** Where the bytes that are here end, if that is behind `at`. */
  #endBehind(at: number, restarts: number): number | undefined {
    if (this.#restarts !== restarts) throw new ArrivalRestarted();
    return this.#arrived > at ? this.#arrived : undefined;
  }

  async #until<T>(look: () => T | undefined, signal: AbortSignal | undefined): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure.error;
      const seen = look();
      if (seen !== undefined) return seen;
      await orAborted(this.#change.promise, signal);
    }
  }

  #tell(): void {
    const { resolve } = this.#change;
    this.#change = signalled();
    resolve();
  }

  #grown(path: string, bytes: number): void {
    this.#path = path;
    this.#arrived = bytes;
    if (bytes > 0) this.#task.onProgress?.(bytes);
    this.#tell();
  }

  async #run(): Promise<Blob> {
    const { signal, onWait } = this.#task;
    const { staging } = this.#parts;
    const name = partialName(this.digest);
    signal?.throwIfAborted();
    if (await this.#reuse()) return this.#blob();
    {
      using turn = await this.#task.turn?.();
      signal?.throwIfAborted();
      const staged = staging.tryClaim(name);
      if (staged !== undefined) return await this.#take(staged, turn);
    }
    onWait?.();
    const staged = await staging.claim(name, signal);
    let given: Disposable | undefined;
    try {
      given = await this.#task.turn?.();
    } catch (error) {
      staging.release(staged);
      throw error;
    }
    using turn = given;
    return await this.#take(staged, turn);
  }

  #blob(): Blob {
    return { digest: this.digest, size: this.size };
  }

  /** Whether the blob is in its place. One that is damaged is fetched again, and takes the other's place. */
  async #reuse(): Promise<boolean> {
    const path = this.#restarts > 0 ? undefined : this.#parts.reuse();
    if (path === undefined) return false;
    this.#grown(path, this.size);
    using digester = new DigesterAside();
    const fd = openSync(path, 'r');
    try {
      await hashStart(digester, { fd, size: this.size, signal: this.#task.signal });
    } finally {
      closeSync(fd);
    }
    if ((await digester.digest()) === this.digest) return true;
    this.#restart();
    return false;
  }

  #restart(): void {
    this.#restarts += 1;
    this.#path = undefined;
    this.#arrived = 0;
    this.#tell();
  }

  /** Of a file that is locked by us. */
  async #take(staged: Staged, turn: Disposable | undefined): Promise<Blob> {
    const { staging, place } = this.#parts;
    let placed = false;
    try {
      if (await this.#reuse()) {
        staging.discard(staged);
        placed = true;
        return this.#blob();
      }
      await this.#fill(staged);
      // What is left is for the disk to do.
      turn?.[Symbol.dispose]();
      await fsyncAsync(staged.fd);
      this.#path = place(staged);
      placed = true;
      return this.#blob();
    } catch (error) {
      if (placed) throw error;
      if (this.#isWorthKeeping(error)) staging.release(staged);
      else staging.discard(staged);
      throw error;
    }
  }

  #isWorthKeeping(error: unknown): boolean {
    if (isFull(error)) return false;
    // What others have found out about something else says nothing of this.
    return this.#task.signal?.aborted === true || !hasCode(error, 'integrity');
  }

  async #fill(staged: Staged): Promise<void> {
    const { size } = fstatSync(staged.fd);
    if (size > 0 && size <= this.size) {
      try {
        await this.#append(staged, size);
        return;
      } catch (error) {
        if (!hasCode(error, 'integrity') || this.#task.signal?.aborted === true) throw error;
      }
      this.#restart();
    }
    ftruncateSync(staged.fd, 0);
    await this.#append(staged, 0);
  }

  async #append(staged: Staged, from: number): Promise<void> {
    const { reader, signal } = this.#task;
    using digester = new DigesterAside();
    this.#grown(staged.path, from);
    await hashStart(digester, { fd: staged.fd, size: from, signal });
    const writer = new FileWriter({
      fd: staged.fd,
      position: from,
      digester,
      onWritten: (position) => this.#grown(staged.path, position),
    });
    // A registry answers a range behind the end with an error.
    if (from < this.size) {
      let at = from;
      try {
        for await (const chunk of reader.read({ offset: from }, { signal })) {
          signal?.throwIfAborted();
          at += chunk.length;
          if (at > this.size) throw wrongSize(this.#blob(), at);
          const waiting = writer.write(chunk);
          if (waiting !== undefined) await waiting;
        }
      } finally {
        await writer.finish();
      }
    }
    verifyBlob({ digest: await digester.digest(), size: digester.size }, this.#blob());
  }
}

interface FileStart {
  readonly fd: number;
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

async function hashStart(digester: DigesterAside, { fd, size, signal }: FileStart): Promise<void> {
  for (let at = 0; at < size;) {
    signal?.throwIfAborted();
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, size - at));
    const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    digester.update(buffer.subarray(0, bytesRead));
    await digester.settled();
    at += bytesRead;
  }
}

function partialName(digest: Digest): string {
  return `partial.${digestHex(digest)}`;
}

interface Signalled {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function signalled(): Signalled {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
