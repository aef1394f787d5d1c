// Directory entries on their way into a reply buffer.

import type { ByteString } from '../core/index.js';
import { Entry } from './attr.js';
import type { DirectorySink } from './filesystem.js';
import { ENTRY_OUT } from './wire/abi.js';
import { direntLength, writeDirent, writeEntry } from './wire/reply.js';
import type { Validity } from './wire/reply.js';

export class ReplySink implements DirectorySink {
  readonly entry = new Entry();
  plus = false;
  readonly #buffer: Buffer;
  readonly #validity: Validity;
  #at = 0;
  #end = 0;

  constructor(buffer: Buffer, validity: Validity) {
    this.#buffer = buffer;
    this.#validity = validity;
  }

  /** Starts a listing of at most `size` bytes at `at`. */
  reset(at: number, size: number, plus: boolean): void {
    this.#at = at;
    this.#end = at + size;
    this.plus = plus;
  }

  fits(nameLength: number): boolean {
    return this.#at + (this.plus ? ENTRY_OUT.size : 0) + direntLength(nameLength) <= this.#end;
  }

  add(name: ByteString, type: number, next: number): void {
    if (this.plus) this.#at += writeEntry(this.#buffer, this.#at, this.entry, this.#validity);
    const { inoLow, inoHigh } = this.entry.attr;
    this.#at += writeDirent(this.#buffer, this.#at, { name, inoLow, inoHigh, type, next });
  }

  /** Where the listing ends. */
  get end(): number {
    return this.#at;
  }
}
