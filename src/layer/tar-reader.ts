// Reads tar archives from any source, byte-exact and total on hostile bytes: whatever does not parse is an
// `integrity` error that names the entry. POSIX (ustar, PAX with global headers), GNU and v7 archives.

import { VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { ByteReader } from './byte-reader.js';
import type { ByteSource } from './byte-reader.js';
import { mergeEntry } from './entry-fields.js';
import { DEFAULT_LIMITS, limitError } from './limits.js';
import type { LayerLimits } from './limits.js';
import { parsePax } from './pax.js';
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
}

/** What the headers before an entry say about it. */
interface Pending {
  readonly local: Map<ByteString, Buffer>;
  longName: ByteString | undefined;
  longLink: ByteString | undefined;
}

export class TarReader {
  readonly #reader: ByteReader;
  readonly #limits: LayerLimits;
  readonly #onStructure: (bytes: Buffer) => Promise<unknown> | undefined;
  readonly #global = new Map<ByteString, Buffer>();
  #entries = 0;
  #read = 0;
  /** Bytes of the current entry's content, and of its padding, not yet read. */
  #left = 0;
  #padding = 0;
  #current: ByteString = '';

  constructor(source: ByteSource, options: ReadTarOptions = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#onStructure = options.onStructure ?? (() => undefined);
    this.#reader = new ByteReader(source, (chunk) => {
      this.#read += chunk.length;
      if (this.#read > this.#limits.maxSize) {
        throw limitError(`the archive has more than ${String(this.#limits.maxSize)} bytes`);
      }
      return options.onChunk?.(chunk);
    });
  }

  /**
   * The next entry; what is left of the content of the one before is passed over. At the end of the archive: undefined,
   * and the source is read to its end.
   *
   * Errors: `integrity` for a malformed or truncated archive, `limit`, `unsupported` for sparse files and vendor types.
   */
  async next(): Promise<TarEntry | undefined> {
    await this.#finishContent();
    const pending: Pending = { local: new Map(), longName: undefined, longLink: undefined };
    for (;;) {
      const block = await this.#header();
      if (block === undefined) {
        if (pending.local.size > 0 || pending.longName !== undefined || pending.longLink !== undefined) {
          throw this.#broken('the archive ends where the entry that this header describes should be');
        }
        await this.#reader.drain(this.#onStructure);
        return undefined;
      }
      const header = decodeHeader(block);
      if (header === undefined) throw this.#broken('what follows it is no tar header: the checksum is wrong');
      this.#current = header.path;
      if (!(await this.#takeExtension(header, pending))) return this.#begin(header, pending);
    }
  }

  /** Hands the current entry's content to `consume`, in pieces that are only valid during the call, and until the promise it may return is fulfilled. */
  async content(consume: (piece: Buffer) => unknown): Promise<void> {
    while (this.#left > 0) {
      if (this.#reader.buffered === 0 && !(await this.#reader.require(1))) {
        throw this.#broken(`the archive ends ${String(this.#left)} bytes before the end of its content`);
      }
      const piece = this.#reader.take(this.#left);
      this.#left -= piece.length;
      const waiting = consume(piece);
      if (waiting instanceof Promise) await waiting;
    }
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

  async #finishContent(): Promise<void> {
    if (this.#left > 0 && this.#reader.skip(this.#left)) this.#left = 0;
    await this.content(this.#onStructure);
    if (this.#padding === 0) return;
    if (this.#reader.buffered < this.#padding && !(await this.#reader.require(this.#padding))) {
      throw this.#broken('the archive ends in the padding of its content');
    }
    await this.#take(this.#padding);
    this.#padding = 0;
  }

  /** The next header block, or undefined at the end of the archive: two blocks of zeros, or one and nothing more. */
  async #header(): Promise<Buffer | undefined> {
    const block = await this.#block();
    if (block === undefined) throw this.#broken('the archive ends after it, without its end marker');
    if (!isZeroBlock(block)) return block;
    const second = await this.#block();
    if (second !== undefined && !isZeroBlock(second)) throw this.#broken('a lone block of zeros follows it');
    return undefined;
  }

  async #block(): Promise<Buffer | undefined> {
    if (this.#reader.buffered < BLOCK_SIZE && !(await this.#reader.require(BLOCK_SIZE))) {
      if (this.#reader.buffered === 0) return undefined;
      throw this.#broken('the archive ends inside the header that follows it');
    }
    return this.#take(BLOCK_SIZE);
  }

  /** Takes structure that is buffered. */
  async #take(length: number): Promise<Buffer> {
    const bytes = this.#reader.take(length);
    const waiting = this.#onStructure(bytes);
    if (waiting !== undefined) await waiting;
    return bytes;
  }

  /** Takes a header that only describes others: its own size field counts, PAX records do not apply to it. */
  async #takeExtension(header: RawHeader, pending: Pending): Promise<boolean> {
    switch (header.typeflag) {
      case 'x':
        for (const [key, value] of await this.#pax(header)) pending.local.set(key, value);
        return true;
      case 'g':
        for (const [key, value] of await this.#pax(header)) this.#global.set(key, value);
        return true;
      case 'L':
        pending.longName = await this.#longText(header);
        return true;
      case 'K':
        pending.longLink = await this.#longText(header);
        return true;
      default:
        return false;
    }
  }

  async #pax(header: RawHeader): Promise<Map<ByteString, Buffer>> {
    const records = parsePax(await this.#small(header));
    if (typeof records === 'string') throw this.#broken(records);
    return records;
  }

  async #longText(header: RawHeader): Promise<ByteString> {
    const content = await this.#small(header);
    const end = content.indexOf(0);
    return content.toString('latin1', 0, end < 0 ? content.length : end);
  }

  /** The content of a header that is kept in memory. */
  async #small(header: RawHeader): Promise<Buffer> {
    const size = header.number('size');
    if (size === undefined || size < 0) throw this.#broken('the size of a header that describes it is malformed');
    if (size > this.#limits.maxHeaderSize) {
      throw limitError(
        `a header of the archive has ${String(size)} bytes, more than ${String(this.#limits.maxHeaderSize)}`,
      );
    }
    if (!(await this.#reader.require(size))) throw this.#broken('the archive ends inside a header that describes it');
    const content = Buffer.from(await this.#take(size));
    this.#padding = -size & (BLOCK_SIZE - 1);
    await this.#finishContent();
    return content;
  }

  #begin(header: RawHeader, pending: Pending): TarEntry {
    this.#entries += 1;
    if (this.#entries > this.#limits.maxEntries) {
      throw limitError(`the archive has more than ${String(this.#limits.maxEntries)} entries`);
    }
    const entry = mergeEntry(header, { ...pending, global: this.#global });
    this.#current = entry.path;
    this.#left = entry.size;
    this.#padding = -entry.size & (BLOCK_SIZE - 1);
    return entry;
  }
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
