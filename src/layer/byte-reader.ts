// Exact amounts out of a stream of chunks. What is buffered is taken synchronously: an archive of small files
// costs one await per chunk, not per field.

export type ByteSource = AsyncIterable<Uint8Array>;

/** A source that can pass over bytes it has not handed out yet. */
export interface SkippingSource extends ByteSource {
  skip(bytes: number): void;
}

function skipOf(source: ByteSource | SkippingSource): ((bytes: number) => void) | undefined {
  return 'skip' in source ? (bytes) => source.skip(bytes) : undefined;
}

const EMPTY = Buffer.alloc(0);

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #onChunk: (chunk: Uint8Array) => Promise<unknown> | undefined;
  #chunk: Buffer = EMPTY;
  #ended = false;
  readonly #skip: ((bytes: number) => void) | undefined;
  #position = 0;

  /** `onChunk` sees every byte of the source once, in order, before it is read; what it returns is waited for. */
  constructor(
    source: ByteSource,
    onChunk: ((chunk: Uint8Array) => Promise<unknown> | undefined) | undefined = () => undefined,
  ) {
    this.#source = source[Symbol.asyncIterator]();
    this.#skip = skipOf(source);
    this.#onChunk = onChunk;
  }

  /** Bytes of the source that have been taken or passed over. */
  get position(): number {
    return this.#position;
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
    const waiting = this.#onChunk(next.value);
    if (waiting !== undefined) await waiting;
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

  /** All that can be taken without waiting, without taking it. */
  peek(): Buffer {
    return this.#chunk;
  }

  /** The next bytes, at most `length` and at most those buffered. A view: valid until the source is read again. */
  take(length: number): Buffer {
    const taken = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(taken.length);
    this.#position += taken.length;
    return taken;
  }

  /** Passes over bytes of a source that can skip; false for another one, of which nothing is taken then. */
  skip(length: number): boolean {
    if (this.#skip === undefined) return false;
    const beyond = length - this.take(length).length;
    if (beyond > 0) this.#skip(beyond);
    this.#position += beyond;
    return true;
  }

  /** Reads to the end of the source, and `take` gets what is passed over; a source that can skip is given up. */
  async drain(take: (bytes: Buffer) => Promise<unknown> | undefined): Promise<void> {
    if (this.#skip !== undefined) await this.close();
    let rest: Buffer | undefined = this.#chunk;
    this.#chunk = EMPTY;
    for (; rest !== undefined; rest = await this.#pull()) await take(rest);
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#source.return?.();
  }
}
