// The 512-byte header block: POSIX.1-1988 ustar, its GNU and star dialects, and what was before (v7).

import type { ByteString } from '../core/index.js';
import { parseNumber } from './tar-numbers.js';

export const BLOCK_SIZE = 512;

/** Field offsets and lengths (POSIX.1-2017, pax, "ustar Header Block"). */
export const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  chksum: [148, 8],
  typeflag: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} satisfies Record<string, readonly [offset: number, length: number]>;

type FieldName = keyof typeof FIELDS;

/** A header block as it stands, names not yet combined with PAX records. Valid as long as the block. */
export class RawHeader {
  readonly #block: Buffer;
  /** One char; `\0` in archives older than POSIX. */
  readonly typeflag: string;
  readonly path: ByteString;

  constructor(block: Buffer) {
    this.#block = block;
    this.typeflag = String.fromCharCode(block[FIELDS.typeflag[0]] ?? 0);
    const prefix = prefixOf(block);
    const name = fieldText(block, 'name');
    this.path = prefix === '' ? name : `${prefix}/${name}`;
  }

  get linkname(): ByteString {
    return fieldText(this.#block, 'linkname');
  }

  number(field: FieldName): number | undefined {
    const [offset, length] = FIELDS[field];
    return parseNumber(this.#block, offset, length);
  }
}

/** Text up to the first NUL. */
function fieldText(block: Buffer, field: FieldName, length: number = FIELDS[field][1]): ByteString {
  const [offset] = FIELDS[field];
  let end = offset;
  while (end < offset + length && block[end] !== 0) end += 1;
  return end === offset ? '' : block.toString('latin1', offset, end);
}

/** Bytes of the checksum field count as blanks. */
function sumOf(block: Buffer, weigh: (byte: number) => number): number {
  const [start, length] = FIELDS.chksum;
  let sum = 0;
  for (let index = 0; index < BLOCK_SIZE; index += 1) sum += weigh(block[index] ?? 0);
  for (let index = start; index < start + length; index += 1) sum += 0x20 - weigh(block[index] ?? 0);
  return sum;
}

const unsigned = (byte: number): number => byte;
const signed = (byte: number): number => (byte << 24) >> 24;

/** The checksum to write into a block: that of unsigned bytes. */
export function checksumOf(block: Buffer): number {
  return sumOf(block, unsigned);
}

const ZEROS = Buffer.alloc(BLOCK_SIZE);

export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(ZEROS);
}

const MAGIC = Buffer.from('ustar\0');

/** Only POSIX archives have a prefix; GNU's keep times in its place, star's end it 24 bytes earlier. */
function prefixOf(block: Buffer): ByteString {
  const [prefixAt] = FIELDS.prefix;
  const [magicAt] = FIELDS.magic;
  if (block[prefixAt] === 0 || block.compare(MAGIC, 0, MAGIC.length, magicAt, magicAt + MAGIC.length) !== 0) return '';
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  return fieldText(block, 'prefix', isStar ? 131 : FIELDS.prefix[1]);
}

/** Decodes a block, or returns undefined where its checksum is wrong: it is no header, or a damaged one. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  const [offset, length] = FIELDS.chksum;
  const stored = parseNumber(block, offset, length);
  // POSIX sums unsigned bytes, some historic writers signed ones.
  if (stored === undefined || (stored !== sumOf(block, unsigned) && stored !== sumOf(block, signed))) return undefined;
  return new RawHeader(block);
}
