// Reads a skeleton back, frame by frame.

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { ByteReader } from './byte-reader.js';
import { FIRST_LINE, FRAME } from './skeleton-format.js';
import type { Frame } from './skeleton-format.js';

function damaged(why: string, cause?: unknown): VeneerError {
  return new VeneerError('integrity', `the skeleton of a layer is damaged: ${why}`, { cause });
}

export class SkeletonReader implements Disposable {
  readonly #gunzip = createGunzip({ chunkSize: 256 * 1024 });
  readonly #reader = new ByteReader(this.#gunzip);
  #started = false;
  /** Bytes of a `bytes` frame still to come. */
  #left = 0;

  constructor(path: string) {
    pipeline(createReadStream(path, { highWaterMark: 128 * 1024 }), this.#gunzip, () => undefined);
  }

  /**
   * The next frame, at once where it is buffered; `end` is the last one. Throws `integrity` for anything else, `unsupported` for
   * a later version.
   */
  next(): Frame | Promise<Frame> {
    return this.#take() ?? this.#takeLater();
  }

  async #takeLater(): Promise<Frame> {
    for (;;) {
      if (!(await this.#more())) throw damaged('it has been cut off');
      const frame = this.#take();
      if (frame !== undefined) return frame;
    }
  }

  async #more(): Promise<boolean> {
    try {
      return await this.#reader.require(this.#reader.buffered + 1);
    } catch (error) {
      // The codes of zlib and of the file system.
      throw damaged(messageOf(error), error);
    }
  }

  /** A frame that is buffered whole, or some bytes of one that is not. */
  #take(): Frame | undefined {
    if (!this.#started && !this.#takeFirstLine()) return undefined;
    const { buffered } = this.#reader;
    if (this.#left > 0 && buffered > 0) return this.#takeBytes();
    const next = this.#reader.peek();
    switch (next[0]) {
      case undefined:
        return undefined;
      case FRAME.end:
        return buffered < 7 ? undefined : { kind: 'end', total: this.#reader.take(7).readUIntLE(1, 6) };
      case FRAME.bytes:
        if (buffered < 6) return undefined;
        this.#left = this.#reader.take(5).readUInt32LE(1);
        if (this.#left === 0) throw damaged('a frame is empty');
        return this.#takeBytes();
      case FRAME.own:
        return this.#takeFile('own', next);
      case FRAME.merged:
        return this.#takeFile('merged', next);
      case FRAME.replaced: {
        const path = this.#takePath(next, 1);
        return path === undefined ? undefined : { kind: 'replaced', path };
      }
      default:
        throw damaged(`there is no frame ${String(next[0])}`);
    }
  }

  #takeFirstLine(): boolean {
    if (this.#reader.buffered < FIRST_LINE.length) return false;
    if (this.#reader.take(FIRST_LINE.length).toString('latin1') !== FIRST_LINE) {
      throw new VeneerError('unsupported', 'the skeleton of a layer is of another version');
    }
    return (this.#started = true);
  }

  #takeBytes(): Frame {
    const bytes = this.#reader.take(this.#left);
    this.#left -= bytes.length;
    return { kind: 'bytes', bytes };
  }

  #takeFile(kind: 'own' | 'merged', next: Buffer): Frame | undefined {
    const path = this.#takePath(next, 7);
    return path === undefined ? undefined : { kind, size: next.readUIntLE(1, 6), path };
  }

  /** Takes the frame with it. */
  #takePath(next: Buffer, at: number): ByteString | undefined {
    const start = at + 2;
    if (next.length < start) return undefined;
    const end = start + next.readUInt16LE(at);
    if (next.length < end) return undefined;
    this.#reader.take(end);
    return next.toString('latin1', start, end);
  }

  [Symbol.dispose](): void {
    this.#gunzip.destroy();
  }
}
