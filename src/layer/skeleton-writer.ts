// Records a tar's skeleton while the tar is read or written.

import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ByteString } from '../core/index.js';
import { limitError } from './limits.js';
import { FIRST_LINE, FRAME } from './skeleton-format.js';

/** So much is handed over to be compressed at a time. */
const BUFFER_SIZE = 256 * 1024;
const MAX_PATH = 0xffff;
/** The longest frame without bytes of the tar. */
const MAX_REFERENCE = 16 + MAX_PATH;
/** Headers compress to a tenth at any level. `highWaterMark`: compression runs beside what is recorded, a few buffers behind. */
const GZIP = { level: 1, chunkSize: 64 * 1024, highWaterMark: 4 * BUFFER_SIZE };

export class SkeletonWriter {
  readonly #gzip = createGzip(GZIP);
  readonly #written: Promise<void>;
  #buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  #used = 0;
  /** Where the length of the `bytes` frame stands that can still grow; -1 without one. */
  #lengthAt = -1;
  #total = 0;
  #replaced = 0;
  #mustWait = false;

  /** `path`: of a file to be created. What fails is thrown by `ready` and `finish`. */
  constructor(path: string) {
    this.#written = pipeline(this.#gzip, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    this.#written.catch(() => undefined);
    this.#used = this.#buffer.write(FIRST_LINE, 'latin1');
  }

  /** Bytes of the tar as they are. */
  bytes(bytes: Uint8Array): void {
    this.#total += bytes.length;
    for (let done = 0; done < bytes.length;) {
      if (this.#lengthAt < 0) this.#openFrame();
      const piece = bytes.subarray(done, done + BUFFER_SIZE - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      done += piece.length;
      if (this.#used === BUFFER_SIZE) this.#flush();
    }
  }

  #openFrame(): void {
    // One byte at least must fit behind it.
    if (this.#used + 6 > BUFFER_SIZE) this.#flush();
    this.#buffer[this.#used] = FRAME.bytes;
    this.#lengthAt = this.#used + 1;
    this.#used += 5;
  }

  #closeFrame(): void {
    if (this.#lengthAt < 0) return;
    this.#buffer.writeUInt32LE(this.#used - this.#lengthAt - 4, this.#lengthAt);
    this.#lengthAt = -1;
  }

  /** The content of a file stands here in the tar. */
  file(where: 'own' | 'merged', path: ByteString, size: number): void {
    this.#total += size;
    this.#reserve();
    this.#buffer[this.#used] = FRAME[where];
    this.#used = this.#buffer.writeUIntLE(size, this.#used + 1, 6);
    this.#path(path);
  }

  /** The content that `path` has goes to the directory of what was replaced, under the number returned. */
  replaced(path: ByteString): number {
    this.#reserve();
    this.#buffer[this.#used] = FRAME.replaced;
    this.#used += 1;
    this.#path(path);
    return this.#replaced++;
  }

  #reserve(): void {
    this.#closeFrame();
    if (this.#used + MAX_REFERENCE > BUFFER_SIZE) this.#flush();
  }

  #path(path: ByteString): void {
    if (path.length > MAX_PATH) throw limitError(`a path has more than ${String(MAX_PATH)} bytes`);
    this.#used = this.#buffer.writeUInt16LE(path.length, this.#used);
    this.#used += this.#buffer.write(path, this.#used, 'latin1');
  }

  #flush(): void {
    this.#closeFrame();
    if (this.#used === 0) return;
    this.#mustWait = !this.#gzip.write(this.#buffer.subarray(0, this.#used));
    this.#buffer = Buffer.allocUnsafe(BUFFER_SIZE);
    this.#used = 0;
  }

  /** To be waited for, if there is something to wait for, before more is recorded. */
  ready(): Promise<unknown> | undefined {
    if (!this.#mustWait) return undefined;
    this.#mustWait = false;
    if (!this.#gzip.writableNeedDrain && this.#gzip.errored === null) return undefined;
    const waiting = Promise.race([new Promise((resolve) => this.#gzip.once('drain', resolve)), this.#written]);
    // Whoever has failed otherwise meanwhile does not wait for it any more.
    waiting.catch(() => undefined);
    return waiting;
  }

  /** Completes the file; it is not synced. */
  async finish(): Promise<void> {
    this.#reserve();
    this.#buffer[this.#used] = FRAME.end;
    this.#used = this.#buffer.writeUIntLE(this.#total, this.#used + 1, 6);
    this.#flush();
    this.#gzip.end();
    await this.#written;
  }

  /** Gives up; the file is left as it is. Harmless after `finish`. */
  async abort(): Promise<void> {
    this.#gzip.destroy();
    await this.#written.catch(() => undefined);
  }
}
