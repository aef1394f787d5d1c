// Writes canonical tar: the same entries give the same bytes. ustar blocks; a PAX header where a field does not fit
// its block, with records in the byte order of their keys; the end marker is two blocks and nothing more.

import type { ByteString } from '../core/index.js';
import { formatPax, formatPaxTime, xattrKey } from './pax.js';
import type { TarEntry, TarType } from './tar-entry.js';
import { BLOCK_SIZE, checksumOf, FIELDS } from './tar-header.js';
import { fitsOctal, writeOctal } from './tar-numbers.js';

const TYPEFLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

interface SplitPath {
  readonly name: ByteString;
  readonly prefix: ByteString;
}

/** Fits a path into name and prefix, which a slash separates; undefined where that cannot be done. */
function splitPath(path: ByteString): SplitPath | undefined {
  const [nameLength, prefixLength] = [FIELDS.name[1], FIELDS.prefix[1]];
  if (path.length <= nameLength) return { name: path, prefix: '' };
  // The last slash that leaves a name is the one that makes the prefix longest; a shorter prefix leaves a longer name.
  const slash = path.lastIndexOf('/', Math.min(prefixLength, path.length - 2));
  if (slash <= 0 || path.length - slash - 1 > nameLength) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

/** The records for what does not fit. */
function paxRecords(entry: TarEntry, path: ByteString): Map<ByteString, Buffer> {
  const records = new Map<ByteString, Buffer>();
  for (const [name, value] of entry.xattrs) records.set(xattrKey(name), value);
  if (splitPath(path) === undefined) records.set('path', text(path));
  if (entry.linkTarget.length > FIELDS.linkname[1]) records.set('linkpath', text(entry.linkTarget));
  for (const field of ['uid', 'gid', 'size'] as const) {
    if (!fitsOctal(entry[field], FIELDS[field][1])) records.set(field, text(String(entry[field])));
  }
  if (entry.mtime.nsec !== 0 || !fitsOctal(entry.mtime.sec, FIELDS.mtime[1])) {
    records.set('mtime', text(formatPaxTime(entry.mtime)));
  }
  if (entry.atime !== undefined) records.set('atime', text(formatPaxTime(entry.atime)));
  return records;
}

interface Block {
  readonly path: SplitPath;
  readonly typeflag: string;
  readonly size: number;
  readonly entry: TarEntry | undefined;
}

/** `entry` undefined: a header that only describes the next one. */
function encodeBlock({ path, typeflag, size, entry }: Block): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  const put = (field: keyof typeof FIELDS, value: ByteString): void => {
    const [offset, length] = FIELDS[field];
    block.write(value, offset, length, 'latin1');
  };
  const octal = (field: keyof typeof FIELDS, value: number): void => writeOctal(block, ...FIELDS[field], value);
  put('name', path.name);
  octal('mode', entry?.mode ?? 0);
  octal('uid', entry?.uid ?? 0);
  octal('gid', entry?.gid ?? 0);
  octal('size', size);
  octal('mtime', entry?.mtime.sec ?? 0);
  put('typeflag', typeflag);
  put('linkname', entry?.linkTarget.slice(0, FIELDS.linkname[1]) ?? '');
  put('magic', 'ustar\x0000');
  octal('devmajor', entry?.devMajor ?? 0);
  octal('devminor', entry?.devMinor ?? 0);
  put('prefix', path.prefix);
  // Six digits, NUL, blank: how every writer since v7 fills this field.
  put('chksum', `${checksumOf(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Two blocks of zeros end an archive; parts of them pad content. */
const ZEROS = Buffer.alloc(2 * BLOCK_SIZE);

function paddingAfter(size: number): Buffer {
  return ZEROS.subarray(0, -size & (BLOCK_SIZE - 1));
}

/** The header blocks of an entry; its content follows. */
export function encodeHeader(entry: TarEntry): Buffer {
  const path = entry.type === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  const records = paxRecords(entry, path);
  const main = encodeBlock({
    // A reader without PAX gets the start of the path.
    path: splitPath(path) ?? { name: path.slice(0, FIELDS.name[1]), prefix: '' },
    typeflag: TYPEFLAGS[entry.type],
    size: entry.size,
    entry,
  });
  if (records.size === 0) return main;
  const content = formatPax(records);
  // The name is of no meaning to readers that know PAX; a fixed one keeps the path out of the block twice.
  const pax = encodeBlock({
    path: { name: 'PaxHeaders/0', prefix: '' },
    typeflag: 'x',
    size: content.length,
    entry: undefined,
  });
  return Buffer.concat([pax, content, paddingAfter(content.length), main]);
}

/** Takes bytes in order, one chunk at a time. A chunk is the sink's own until the promise it returns, if any, is fulfilled. */
export type ByteSink = (chunk: Uint8Array) => Promise<void> | void;

const BUFFER_SIZE = 1 << 20;

/**
 * Writes entries to a sink, in large chunks: `entry`, then exactly `size` bytes of content, and `finish` or `abandon` at the
 * end. While the sink has one chunk, the next one is filled.
 */
export class TarWriter {
  readonly #sink: ByteSink;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  #other = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  /** What the sink does with `#other`. */
  #sinking: Promise<void> | undefined;
  #used = 0;
  /** Bytes of the current entry's content still to come. */
  #left = 0;
  #padding = 0;
  readonly #onStructure: (bytes: Uint8Array) => void;

  /** `onStructure` gets all bytes but content, in order, when they are written. */
  constructor(sink: ByteSink, onStructure: (bytes: Uint8Array) => void = () => undefined) {
    this.#sink = sink;
    this.#onStructure = onStructure;
  }

  async entry(entry: TarEntry): Promise<void> {
    this.#expectNoContent();
    await this.#structure(encodeHeader(entry));
    this.#left = entry.size;
    this.#padding = paddingAfter(entry.size).length;
  }

  async content(chunk: Uint8Array): Promise<void> {
    if (chunk.length > this.#left) throw new RangeError('more content than the header says');
    await this.#append(chunk);
    this.#left -= chunk.length;
    if (this.#left === 0) await this.#structure(ZEROS.subarray(0, this.#padding));
  }

  /**
   * The whole content of the entry, from a function that fills a buffer from its start and returns how much it has put
   * there. Returns false where it returned 0 before the end: the archive is of no use then.
   */
  async contentFrom(read: (into: Buffer) => number): Promise<boolean> {
    while (this.#left > 0) {
      if (this.#used === BUFFER_SIZE) await this.#flush();
      const got = read(this.#buffer.subarray(this.#used, Math.min(BUFFER_SIZE, this.#used + this.#left)));
      if (got === 0) return false;
      this.#used += got;
      this.#left -= got;
    }
    await this.#structure(ZEROS.subarray(0, this.#padding));
    return true;
  }

  /** Ends the archive; everything has reached the sink then. */
  async finish(): Promise<void> {
    this.#expectNoContent();
    await this.#structure(ZEROS);
    await this.#flush();
    await this.#sinking;
  }

  /** Waits for the sink to be done with what it has; nothing more follows. */
  async abandon(): Promise<void> {
    await this.#sinking?.catch(() => undefined);
  }

  async #structure(bytes: Uint8Array): Promise<void> {
    this.#onStructure(bytes);
    await this.#append(bytes);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#used === BUFFER_SIZE) await this.#flush();
      const piece = bytes.subarray(done, done + BUFFER_SIZE - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      done += piece.length;
    }
  }

  async #flush(): Promise<void> {
    await this.#sinking;
    const sinking = this.#sink(this.#buffer.subarray(0, this.#used));
    this.#sinking = sinking ?? undefined;
    // It is waited for, and its failure thrown, before the next chunk.
    this.#sinking?.catch(() => undefined);
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
    this.#used = 0;
  }

  #expectNoContent(): void {
    if (this.#left > 0) throw new RangeError(`${String(this.#left)} bytes of content are missing`);
  }
}
