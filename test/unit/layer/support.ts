// Archives built by hand for the tests of the layer room: fields can hold what no writer would put there.

import { TarWriter } from '../../../src/layer/index.js';
import type { TarEntry } from '../../../src/layer/index.js';
import { readTar } from '../../../src/layer/index.js';
import type { ReadTarOptions } from '../../../src/layer/index.js';

export const END = Buffer.alloc(1024);

export interface RawFields {
  readonly name?: string | Buffer;
  readonly typeflag?: string;
  /** Texts go in as they are; numbers as octal. */
  readonly size?: string | number | Buffer;
  readonly mode?: string | number;
  readonly uid?: string | number | Buffer;
  readonly gid?: string | number | Buffer;
  readonly mtime?: string | number | Buffer;
  readonly linkname?: string;
  readonly magic?: string;
  readonly devmajor?: string | number;
  readonly devminor?: string | number;
  readonly prefix?: string;
  readonly trailer?: string;
  readonly checksum?: string;
}

/** One header block. */
export function block(fields: RawFields): Buffer {
  const bytes = Buffer.alloc(512);
  const put = (value: string | number | Buffer | undefined, offset: number, length: number) => {
    if (value === undefined) return;
    const text = typeof value === 'number' ? value.toString(8).padStart(length - 1, '0') : value;
    (Buffer.isBuffer(text) ? text : Buffer.from(text, 'latin1')).copy(bytes, offset, 0, length);
  };
  put(fields.name ?? 'f', 0, 100);
  put(fields.mode ?? 0o644, 100, 8);
  put(fields.uid ?? 0, 108, 8);
  put(fields.gid ?? 0, 116, 8);
  put(fields.size ?? 0, 124, 12);
  put(fields.mtime ?? 0, 136, 12);
  put(fields.typeflag ?? '0', 156, 1);
  put(fields.linkname, 157, 100);
  put(fields.magic ?? 'ustar\x0000', 257, 8);
  put(fields.devmajor, 329, 8);
  put(fields.devminor, 337, 8);
  put(fields.prefix, 345, 155);
  put(fields.trailer, 508, 4);
  bytes.write('        ', 148, 'latin1');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(fields.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

export function padded(content: Buffer | string): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content, 'latin1');
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)]);
}

/** A header with its content. */
export function member(fields: RawFields, content: Buffer | string = ''): Buffer {
  return Buffer.concat([block({ size: content.length, ...fields }), padded(content)]);
}

export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`),
    Buffer.isBuffer(value) ? value : Buffer.from(value),
    Buffer.from('\n'),
  ]);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

export function pax(records: Record<string, string | Buffer>, typeflag = 'x'): Buffer {
  return member(
    { name: 'PaxHeader', typeflag },
    Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value))),
  );
}

/** A source of the bytes, in chunks of `size`. */
export async function* source(bytes: Buffer | readonly Buffer[], size = 65536): AsyncGenerator<Buffer, void> {
  const whole = Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes);
  for (let at = 0; at < whole.length; at += size) yield await Promise.resolve(whole.subarray(at, at + size));
}

export interface Unpacked extends TarEntry {
  readonly content: string;
}

/** Reads a whole archive into memory. */
export async function unpack(
  bytes: Buffer | readonly Buffer[],
  options: ReadTarOptions & { chunk?: number } = {},
): Promise<Unpacked[]> {
  const found: Unpacked[] = [];
  for await (const { entry, content } of readTar(source(bytes, options.chunk), options)) {
    const pieces: Buffer[] = [];
    await content((piece) => pieces.push(Buffer.from(piece)));
    found.push({ ...entry, content: Buffer.concat(pieces).toString('latin1') });
  }
  return found;
}

export function entry(path: string, fields: Partial<TarEntry> = {}): TarEntry {
  return {
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { sec: 1_700_000_000, nsec: 0 },
    linkTarget: '',
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
    ...fields,
  };
}

/** What TarWriter makes of entries with their content. */
export async function pack(entries: readonly (TarEntry & { readonly content?: string })[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new TarWriter((chunk) => void chunks.push(Buffer.from(chunk)));
  for (const { content = '', ...fields } of entries) {
    await writer.entry({ ...fields, size: content.length });
    if (content !== '') await writer.content(Buffer.from(content, 'latin1'));
  }
  await writer.finish();
  return Buffer.concat(chunks);
}
