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

/** A header block as it stands, names not yet combined with PAX records. */
export interface RawHeader {
  /** One char; `\0` in archives older than POSIX. */
  readonly typeflag: string;
  readonly path: ByteString;
  readonly linkname: ByteString;
  readonly number: (field: FieldName) => number | undefined;
}

/** Text up to the first NUL. */
export function fieldText(block: Buffer, field: FieldName, length: number = FIELDS[field][1]): ByteString {
  const [offset] = FIELDS[field];
  const end = block.subarray(offset, offset + length).indexOf(0);
  return block.toString('latin1', offset, end < 0 ? offset + length : offset + end);
}

/** The two sums in use: of unsigned bytes (POSIX), and of signed ones (some historic writers). */
function checksums(block: Buffer): readonly [number, number] {
  const [start, length] = FIELDS.chksum;
  let unsigned = 0;
  let highBytes = 0;
  for (let index = 0; index < BLOCK_SIZE; index += 1) {
    const byte = index >= start && index < start + length ? 0x20 : (block[index] ?? 0);
    unsigned += byte;
    highBytes += byte >> 7;
  }
  return [unsigned, unsigned - 256 * highBytes];
}

/** The checksum to write into a block: that of unsigned bytes. */
export function checksumOf(block: Buffer): number {
  return checksums(block)[0];
}

const ZEROS = Buffer.alloc(BLOCK_SIZE);

export function isZeroBlock(block: Buffer): boolean {
  return block.equals(ZEROS);
}

/** Only POSIX archives have a prefix; GNU's keep times in its place, star's end it 24 bytes earlier. */
function prefixOf(block: Buffer): ByteString {
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return '';
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  return fieldText(block, 'prefix', isStar ? 131 : FIELDS.prefix[1]);
}

/** Decodes a block, or returns undefined where its checksum is wrong: it is no header, or a damaged one. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  const stored = parseNumber(block, ...FIELDS.chksum);
  if (stored === undefined || !checksums(block).includes(stored)) return undefined;
  const prefix = prefixOf(block);
  const name = fieldText(block, 'name');
  return {
    typeflag: block.toString('latin1', 156, 157),
    path: prefix === '' ? name : `${prefix}/${name}`,
    linkname: fieldText(block, 'linkname'),
    number: (field) => parseNumber(block, ...FIELDS[field]),
  };
}
