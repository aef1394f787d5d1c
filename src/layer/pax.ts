// PAX extended headers (POSIX.1-2017, pax, "pax Extended Header"): records `LENGTH KEY=VALUE\n`, where LENGTH
// counts the whole record in decimal, itself included. Values are bytes.

import type { ByteString } from '../core/index.js';
import type { Timestamp } from '../sys/index.js';

export type PaxRecords = ReadonlyMap<ByteString, Buffer>;

/** The records of one header, or of several that add up. */
export class PaxHeader {
  readonly records = new Map<ByteString, Buffer>();
  /** Bytes of all keys and values. */
  size = 0;

  /** A record replaces an earlier one of its key. */
  add(records: PaxRecords): void {
    for (const [key, value] of records) {
      const old = this.records.get(key);
      this.size += old === undefined ? key.length + value.length : value.length - old.length;
      this.records.set(key, value);
    }
  }
}

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/** Parses a header's content; a later record of a key wins. Returns what is wrong with it as text, if anything is. */
export function parsePax(content: Buffer): Map<ByteString, Buffer> | string {
  const records = new Map<ByteString, Buffer>();
  for (let start = 0; start < content.length;) {
    const space = content.indexOf(SPACE, start);
    const digits = space < 0 ? '' : content.toString('latin1', start, Math.min(space, start + 12));
    if (!/^[1-9][0-9]{0,9}$/.test(digits)) return 'a PAX record has no length';
    const end = start + Number(digits);
    if (end > content.length || end <= space + 1 || content[end - 1] !== NEWLINE) {
      return 'the length of a PAX record is wrong';
    }
    const equals = content.indexOf(EQUALS, space);
    if (equals <= space + 1 || equals >= end) return 'a PAX record is not KEY=VALUE';
    const key = content.toString('latin1', space + 1, equals);
    if (key.includes('\0')) return 'the key of a PAX record has a NUL';
    records.set(key, Buffer.from(content.subarray(equals + 1, end - 1)));
    start = end;
  }
  return records;
}

/** The content of an extended header: records in the byte order of their keys. */
export function formatPax(records: PaxRecords): Buffer {
  const keys = [...records.keys()].sort();
  return Buffer.concat(keys.map((key) => formatRecord(key, records.get(key) ?? Buffer.alloc(0))));
}

function formatRecord(key: ByteString, value: Buffer): Buffer {
  const rest = key.length + value.length + ' =\n'.length;
  let length = rest + String(rest).length;
  // The digits may grow by their own number.
  length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${String(length)} ${key}=`, 'latin1'), value, Buffer.from('\n')]);
}

/** A decimal integer that is safe, or undefined. */
export function parsePaxInteger(value: Buffer): number | undefined {
  const text = value.toString('latin1');
  const number = /^-?[0-9]{1,20}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Decimal seconds with any number of digits after the point, of which nine count: cut, not rounded. */
export function parsePaxTime(value: Buffer): Timestamp | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)([0-9]{1,20})(?:\.([0-9]*))?$/.exec(value.toString('latin1')) ?? [];
  const sec = Number(whole);
  if (whole === undefined || !Number.isSafeInteger(sec)) return undefined;
  const nsec = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { sec, nsec };
  return nsec === 0 ? { sec: 0 - sec, nsec: 0 } : { sec: -sec - 1, nsec: 1e9 - nsec };
}

/** The inverse of `parsePaxTime`. */
export function formatPaxTime(time: Timestamp): string {
  const negative = time.sec < 0;
  const borrowed = negative && time.nsec > 0;
  const whole = Math.abs(time.sec) - (borrowed ? 1 : 0);
  const nanoseconds = borrowed ? 1e9 - time.nsec : time.nsec;
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  return `${negative ? '-' : ''}${String(whole)}${fraction === '' ? '' : `.${fraction}`}`;
}

const XATTR_PREFIX = 'SCHILY.xattr.';

/** A key cannot hold `=`; GNU tar writes it, and its own escape character, in hex. */
export function xattrKey(name: ByteString): ByteString {
  return XATTR_PREFIX + name.replace(/[%=]/g, (char) => (char === '%' ? '%25' : '%3D'));
}

/** The attribute's name, or undefined for a record of another kind. */
export function xattrName(key: ByteString): ByteString | undefined {
  if (!key.startsWith(XATTR_PREFIX)) return undefined;
  return key.slice(XATTR_PREFIX.length).replace(/%(25|3D)/g, (_, hex) => (hex === '25' ? '%' : '='));
}
