// Reads tar archives from any source, byte-exact and total on hostile bytes: whatever does not parse is an
// `integrity` error that names the entry. POSIX (ustar, PAX with global headers), GNU and v7 archives.

import { VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { ByteReader } from './byte-reader.js';
import type { ByteSource } from './byte-reader.js';
import { mergeEntry } from './entry-fields.js';
import type { Description } from './entry-fields.js';
import { DEFAULT_LIMITS, limitError } from './limits.js';
import type { LayerLimits } from './limits.js';
import { parsePax, PaxHeader } from './pax.js';
import { entryError } from './tar-entry.js';
import type { TarEntry } from './tar-entry.js';
import { BLOCK_SIZE, decodeHeader, isZeroBlock } from './tar-header.js';
import type { RawHeader } from './tar-header.js';

export interface ReadTarOptions {
  readonly limits?: Partial<LayerLimits>;
  /** Sees every byte of the archive, padding and what follows its end included; what is returned is waited for. */
  readonly onChunk?: (chunk: Uint8Array) => Promise<unknown> | undefined;
  /**
   * Gets every byte of the archive that `content` does not hand out, in order: headers, padding, content passed over, the end
   * marker and what follows it. A view, valid during the call; what is returned is waited for.
   */
  readonly onStructure?: ((bytes: Buffer) => Promise<unknown> | undefined) | undefined;
  /**
   * The archive may lack its end marker, and the padding before it: umoci has written such layers, and Go reads them. For one whose
   * digest tells whether it is whole.
   */
  readonly unterminated?: boolean | undefined;
}

/** A step that cannot be taken without more of the source; `why` it is an error if there is no more. */
interface Lack {
  readonly bytes: number;
  readonly why: string;
}

const isLack = (step: TarEntry | Lack | undefined): step is Lack => step !== undefined && 'why' in step;

export class TarReader {
  readonly #reader: ByteReader;
  readonly #limits: LayerLimits;
  readonly #onStructure: ((bytes: Buffer) => Promise<unknown> | undefined) | undefined;
  /** What `onStructure` has returned last. */
  #waiting: Promise<unknown> | undefined;
  readonly #global = new PaxHeader();
  /** What the headers before the next entry say about it. */
  #description: Description | undefined;
  /** A header that describes the next ones, whose content has not been read. */
  #extension: { readonly typeflag: string; readonly size: number } | undefined;
  /** Half of the end marker has been read. */
  #ending = false;
  readonly #unterminated: boolean;
  #entries = 0;
  /** Bytes of the current entry's content, and of its padding, not yet read. */
  #left = 0;
  #padding = 0;
  #current: ByteString = '';

  constructor(source: ByteSource, options: ReadTarOptions = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#onStructure = options.onStructure;
    this.#unterminated = options.unterminated ?? false;
    this.#reader = new ByteReader(source, options.onChunk);
  }

  /**
   * The next entry, at once where it is buffered; what is left of the content of the one before is passed over. At the end of
   * the archive: undefined, and the source is read to its end.
   *
   * Errors: `integrity` for a malformed or truncated archive, `limit`, `unsupported` for sparse files and vendor types.
   */
  next(): TarEntry | Promise<TarEntry | undefined> {
    const step = this.#step();
    return step === undefined || isLack(step) || this.#waiting !== undefined ? this.#nextLater(step) : step;
  }

  async #nextLater(first: TarEntry | Lack | undefined): Promise<TarEntry | undefined> {
    let step = first;
    for (;;) {
      if (this.#waiting !== undefined) await this.#waiting;
      this.#waiting = undefined;
      if (!isLack(step)) break;
      if (!(await this.#reader.require(step.bytes))) {
        if (this.#ending && this.#reader.buffered === 0) break;
        if (this.#unterminated && this.#isBetweenEntries(step)) break;
        throw this.#broken(step.why === NO_MARKER && this.#reader.buffered > 0 ? CUT_HEADER : step.why);
      }
      step = this.#step();
    }
    if (step !== undefined && !isLack(step)) return step;
    if (this.#description !== undefined) {
      throw this.#broken('the archive ends where the entry that this header describes should be');
    }
    let { position } = this.#reader;
    await this.#reader.drain((bytes) => {
      position += bytes.length;
      this.#limitSize(position);
      return this.#onStructure?.(bytes);
    });
    return undefined;
  }

  /** Whether the source has ended after all of an entry's content. */
  #isBetweenEntries({ why }: Lack): boolean {
    if (this.#entries === 0 || this.#extension !== undefined) return false;
    return why === NO_PADDING || (why === NO_MARKER && this.#reader.buffered === 0);
  }

  #limitSize(bytes: number): void {
    const { maxSize } = this.#limits;
    if (bytes > maxSize)
      throw limitError(`the archive has more than ${String(maxSize)} bytes`, {
        entry: this.#current,
        limit: 'maxSize',
      });
  }

  /** Goes on to the next entry with what is buffered; undefined at the end marker. */
  #step(): TarEntry | Lack | undefined {
    const lack = this.#passContent();
    if (lack !== undefined) return lack;
    for (;;) {
      if (this.#extension !== undefined) {
        const needed = this.#takeExtension(this.#extension);
        if (needed !== undefined) return needed;
      }
      if (this.#reader.buffered < BLOCK_SIZE) return { bytes: BLOCK_SIZE, why: NO_MARKER };
      const block = this.#take(BLOCK_SIZE);
      if (isZeroBlock(block)) {
        if (this.#ending) return undefined;
        this.#ending = true;
        continue;
      }
      if (this.#ending) throw this.#broken('a lone block of zeros follows it');
      const header = decodeHeader(block);
      if (header === undefined) throw this.#broken('what follows it is no tar header: the checksum is wrong');
      this.#current = header.path;
      if (!EXTENSIONS.includes(header.typeflag)) return this.#begin(header);
      this.#extension = { typeflag: header.typeflag, size: this.#extensionSize(header) };
    }
  }

  /**
   * Hands the current entry's content to `consume`, in pieces that are only valid during the call, and until the promise it may
   * return is fulfilled. Done at once where all of it is buffered.
   */
  content(consume: (piece: Buffer) => unknown): Promise<void> | undefined {
    if (this.#left > this.#reader.buffered) return this.#contentLater(consume);
    if (this.#left === 0) return undefined;
    const waiting = this.#consume(consume);
    return waiting instanceof Promise ? waiting.then(() => undefined) : undefined;
  }

  async #contentLater(consume: (piece: Buffer) => unknown): Promise<void> {
    while (this.#left > 0) {
      if (this.#reader.buffered === 0 && !(await this.#reader.require(1))) throw this.#broken(this.#shortContent());
      const waiting = this.#consume(consume);
      if (waiting instanceof Promise) await waiting;
    }
  }

  #consume(consume: (piece: Buffer) => unknown): unknown {
    const piece = this.#reader.take(this.#left);
    this.#left -= piece.length;
    return consume(piece);
  }

  #shortContent(): string {
    return `the archive ends ${String(this.#left)} bytes before the end of its content`;
  }

  /** Where the current entry's content begins in the archive, in bytes, as long as none of it has been read. */
  get contentOffset(): number {
    return this.#reader.position;
  }

  /** Gives the source up. Harmless after the end. */
  async close(): Promise<void> {
    await this.#reader.close();
  }

  #broken(why: string): VeneerError {
    return this.#current === '' && this.#entries === 0
      ? new VeneerError('integrity', 'this is not a tar archive, or only the beginning of one')
      : entryError('integrity', this.#current, why);
  }

  /** Passes over what is left of the current entry. */
  #passContent(): Lack | undefined {
    if (this.#left > 0 && this.#reader.skip(this.#left)) this.#left = 0;
    while (this.#left > 0) {
      if (this.#reader.buffered === 0) return { bytes: 1, why: this.#shortContent() };
      this.#left -= this.#take(this.#left).length;
    }
    if (this.#padding === 0) return undefined;
    if (this.#reader.buffered < this.#padding) {
      return { bytes: this.#padding, why: NO_PADDING };
    }
    this.#take(this.#padding);
    this.#padding = 0;
    return undefined;
  }

  /** Takes structure that is buffered. */
  #take(length: number): Buffer {
    const bytes = this.#reader.take(length);
    this.#limitSize(this.#reader.position);
    if (this.#onStructure !== undefined) this.#waiting = this.#onStructure(bytes) ?? this.#waiting;
    return bytes;
  }

  /** Of the content of a header that is kept in memory: its own size field counts, PAX records do not apply to it. */
  #extensionSize(header: RawHeader): number {
    const size = header.number('size');
    if (size === undefined || size < 0) throw this.#broken('the size of a header that describes it is malformed');
    if (size > this.#limits.maxHeaderSize) {
      const most = String(this.#limits.maxHeaderSize);
      throw limitError(`a header that describes others has ${String(size)} bytes, more than ${most}`, {
        entry: this.#current,
      });
    }
    return size;
  }

  /** Takes what describes the next entries, when all of it is buffered. */
  #takeExtension({ typeflag, size }: { readonly typeflag: string; readonly size: number }): Lack | undefined {
    const { buffered } = this.#reader;
    if (buffered < size) return { bytes: size, why: 'the archive ends inside a header that describes it' };
    const padded = size + (-size & (BLOCK_SIZE - 1));
    if (buffered < padded) return { bytes: padded, why: NO_PADDING };
    const content = Buffer.from(this.#take(padded).subarray(0, size));
    this.#extension = undefined;
    if (typeflag === 'g') {
      this.#takeRecords(this.#global, content);
      return undefined;
    }
    const description = (this.#description ??= { records: new PaxHeader(), longName: undefined, longLink: undefined });
    if (typeflag === 'x') this.#takeRecords(description.records, content);
    else if (typeflag === 'L') description.longName = textOf(content);
    else description.longLink = textOf(content);
    return undefined;
  }

  #takeRecords(header: PaxHeader, content: Buffer): void {
    const records = parsePax(content);
    if (typeof records === 'string') throw this.#broken(records);
    header.add(records);
    if (header.size > this.#limits.maxHeaderSize) {
      const most = String(this.#limits.maxHeaderSize);
      throw limitError(`the PAX headers for what follows have more than ${most} bytes together`, {
        entry: this.#current,
      });
    }
  }

  #begin(header: RawHeader): TarEntry {
    this.#entries += 1;
    if (this.#entries > this.#limits.maxEntries) {
      throw limitError(`the archive has more than ${String(this.#limits.maxEntries)} entries`, {
        entry: header.path,
        limit: 'maxEntries',
      });
    }
    const entry = mergeEntry(header, this.#description, this.#global.records);
    this.#description = undefined;
    this.#current = entry.path;
    this.#left = entry.size;
    this.#padding = -entry.size & (BLOCK_SIZE - 1);
    this.#limitSize(this.#reader.position + entry.size + this.#padding);
    return entry;
  }
}

/** PAX headers for one entry and for all that follow, GNU's long names and long link targets. */
const EXTENSIONS: readonly string[] = ['x', 'g', 'L', 'K'];

const CUT_HEADER = 'the archive ends inside the header that follows it';
const NO_PADDING = 'the archive ends in the padding of its content';
const NO_MARKER = 'the archive ends after it, without its end marker';

/** GNU's long names end with a NUL. */
function textOf(content: Buffer): ByteString {
  const end = content.indexOf(0);
  return content.toString('latin1', 0, end < 0 ? content.length : end);
}

export interface TarMember {
  readonly entry: TarEntry;
  /** See `TarReader.content`; at most once, and before the next member is asked for. */
  readonly content: TarReader['content'];
}

/** Iterates over an archive; see `TarReader.next` for the errors. */
export async function* readTar(source: ByteSource, options: ReadTarOptions = {}): AsyncGenerator<TarMember, void> {
  const reader = new TarReader(source, options);
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      yield { entry, content: (consume) => reader.content(consume) };
    }
  } finally {
    await reader.close();
  }
}
