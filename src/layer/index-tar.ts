// Where the members of a plain tar file are: its headers are read, the content between them is not.

import { read as readFile } from 'node:fs';
import { promisify } from 'node:util';
import type { SkippingSource } from './byte-reader.js';
import type { LayerLimits } from './limits.js';
import { entryError } from './tar-entry.js';
import type { TarEntry } from './tar-entry.js';
import { TarReader } from './tar-reader.js';

const read = promisify(readFile);

export interface IndexedEntry {
  readonly entry: TarEntry;
  /** Of its content in the file, in bytes. */
  readonly offset: number;
}

export interface IndexTarOptions {
  /** Of the file, in bytes. */
  readonly size: number;
  readonly limits?: Partial<LayerLimits>;
}

/** A header, with what it needs of PAX records, fits in most cases. */
const CHUNK = 4096;

class HeaderSource implements SkippingSource {
  readonly #fd: number;
  readonly #size: number;
  #position = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  skip(bytes: number): void {
    this.#position += bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    while (this.#position < this.#size) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, this.#size - this.#position));
      const { bytesRead } = await read(this.#fd, buffer, 0, buffer.length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

/**
 * The members of an archive in an open file, in their order. What follows the end marker is not looked at.
 *
 * Errors: those of `TarReader.next`, and `integrity` for content that reaches beyond the end of the file.
 */
export async function indexTar(fd: number, { size, limits = {} }: IndexTarOptions): Promise<IndexedEntry[]> {
  const reader = new TarReader(new HeaderSource(fd, size), { limits });
  const found: IndexedEntry[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const offset = reader.contentOffset;
    if (offset + entry.size > size) {
      const missing = String(offset + entry.size - size);
      throw entryError('integrity', entry.path, `the archive ends ${missing} bytes before the end of its content`);
    }
    found.push({ entry, offset });
  }
  return found;
}
