// What files hold, in memory: the truth that data-player.ts compares with.

import { MAX_SIZE, PAGE } from './data-operations.js';
import type { FALLOCATE } from './data-operations.js';

/** A file's bytes; those beyond `size` are zero. */
export class Content {
  readonly bytes = Buffer.alloc(MAX_SIZE);
  size: number;
  /** Written through a mapping, and not synced since. */
  mapped = false;

  constructor(bytes: Uint8Array) {
    this.bytes.set(bytes);
    this.size = bytes.length;
  }

  get shown(): Buffer {
    return this.bytes.subarray(0, this.size);
  }

  read(at: number, length: number): Buffer {
    return this.shown.subarray(at, at + length);
  }

  write(at: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, at);
    this.size = Math.max(this.size, at + bytes.length);
  }

  truncate(size: number): void {
    this.bytes.fill(0, size);
    this.size = size;
  }

  fallocate(mode: keyof typeof FALLOCATE, at: number, length: number): void {
    const end = at + length;
    switch (mode) {
      case 'keep':
        return;
      case 'allocate':
        this.size = Math.max(this.size, end);
        return;
      case 'punch':
      case 'zero-keep':
        this.bytes.fill(0, at, Math.min(end, this.size));
        return;
      case 'zero':
        this.bytes.fill(0, at, end);
        this.size = Math.max(this.size, end);
        return;
      case 'collapse':
        this.bytes.copyWithin(at, end, this.size);
        this.truncate(this.size - length);
        return;
      case 'insert':
        this.bytes.copyWithin(end, at, this.size);
        this.bytes.fill(0, at, end);
        this.size += length;
    }
  }
}

/** One file of the case, under all its names. */
export interface FileModel {
  readonly names: readonly string[];
  /** Shared with the handles that see it; replaced when readers of the lower file keep that one. */
  content: Content;
  /** Still the lower file, as nothing has changed yet. */
  lower: boolean;
  /** Has been in the upper since before it could be opened, or was opened for writing since. */
  settled: boolean;
  /** Was frozen in the upper: which of its readers see what is written next depends on its sizes until now. */
  frozen?: boolean;
}

/**
 * What a handle or a mapping of it may show. More than one: it was opened for reading after a copy-up that changed no
 * data, and whether that had the lower file or the copy depends on which close was processed when.
 */
export interface View {
  contents: Content[];
  readonly file: FileModel;
  /** Opened for reading after a copy-up that changed no data, and before one that did. */
  readonly unsure: boolean;
  readonly writable: boolean;
}

/** A sequence of bytes, none of them zero, so that a hole shows. */
export function pattern(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 1)
    bytes[index] = 1 + ((seed * 37 + index * 7 + (index >> 8) * 11) % 255);
  return bytes;
}

/** Where two differ first, in words; undefined where they do not. */
export function difference(expected: Uint8Array, got: Uint8Array): string | undefined {
  if (Buffer.compare(expected, got) === 0) return undefined;
  if (expected.length !== got.length) return `${String(got.length)} bytes instead of ${String(expected.length)}`;
  const wrong = [...got.keys()].filter((index) => got[index] !== expected[index]);
  const show = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(wrong[0], wrong[0]! + 16)).toString('hex');
  const first = `${String(wrong[0])} (page ${String(Math.floor(wrong[0]! / PAGE))})`;
  return `${String(wrong.length)} bytes from ${first} to ${String(wrong.at(-1))} differ: ${show(got)} instead of ${show(expected)}`;
}
