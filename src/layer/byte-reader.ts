// Exact amounts out of a stream of chunks. What is buffered is taken synchronously: an archive of small files
// costs one await per chunk, not per field.

export type ByteSource = AsyncIterable<Uint8Array>;

const EMPTY = Buffer.alloc(0);

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #onChunk: (chunk: Uint8Array) => void;
  #chunk: Buffer = EMPTY;
  #ended = false;

  /** `onChunk` sees every byte of the source once, in order, before it is read. */
  constructor(source: ByteSource, onChunk: (chunk: Uint8Array) => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#onChunk = onChunk;
  }

  /** Bytes that can be taken without waiting. */
  get buffered(): number {
    return this.#chunk.length;
  }

  async #pull(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined;
    const next = await this.#source.next();
    if (next.done === true) {
      this.#ended = true;
      return undefined;
    }
    this.#onChunk(next.value);
    return Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
  }

  /** Waits until `length` bytes are buffered in one piece; false where the source ends before. */
  async require(length: number): Promise<boolean> {
    const pieces: Buffer[] = [this.#chunk];
    let total = this.#chunk.length;
    while (total < length) {
      const piece = await this.#pull();
      if (piece === undefined) break;
      pieces.push(piece);
      total += piece.length;
    }
    if (pieces.length > 1)
      this.#chunk = pieces[0]?.length === 0 && pieces.length === 2 ? (pieces[1] ?? EMPTY) : Buffer.concat(pieces);
    return total >= length;
  }

  /** The next bytes, at most `length` and at most those buffered. A view: valid until the source is read again. */
  take(length: number): Buffer {
    const taken = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  /** Reads to the end of the source. */
  async drain(): Promise<void> {
    this.#chunk = EMPTY;
    while ((await this.#pull()) !== undefined);
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#source.return?.();
  }
}
