// Combines a header block with the PAX records and GNU long names that stand before it. Records of the entry's own
// header beat global ones, both beat the block; an empty record takes a value back to the block's.

import type { ByteString } from '../core/index.js';
import type { Timestamp } from '../sys/index.js';
import { parsePaxInteger, parsePaxTime, xattrName } from './pax.js';
import type { PaxHeader, PaxRecords } from './pax.js';
import { entryError } from './tar-entry.js';
import type { TarEntry, TarType } from './tar-entry.js';
import type { RawHeader } from './tar-header.js';

/** What the headers before an entry say about it alone. */
export interface Description {
  readonly records: PaxHeader;
  longName: ByteString | undefined;
  longLink: ByteString | undefined;
}

/** `0`, NUL (v7) and `7` (contiguous) are all files. */
const TYPES: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
};

/** (uid_t)-1 means "leave as it is" to chown(2), so it cannot own a file. */
const MAX_ID = 0xfffffffe;
/** Of 32-bit device numbers, `new_encode_dev` in linux/kdev_t.h. */
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xfffff;

class FieldReader {
  readonly #header: RawHeader;
  readonly #local: PaxRecords | undefined;
  readonly #global: PaxRecords;
  readonly #hasRecords: boolean;
  readonly path: ByteString;

  constructor(header: RawHeader, description: Description | undefined, global: PaxRecords) {
    this.#header = header;
    this.#local = description?.records.records;
    this.#global = global;
    this.#hasRecords = description !== undefined || global.size > 0;
    this.path = description?.longName ?? header.path;
    this.path = this.text('path', this.path);
  }

  record(key: ByteString): Buffer | undefined {
    if (!this.#hasRecords) return undefined;
    const value = this.#local?.get(key) ?? this.#global.get(key);
    return value === undefined || value.length === 0 ? undefined : value;
  }

  text(key: 'path' | 'linkpath', fallback: ByteString): ByteString {
    const value = this.record(key);
    if (value === undefined) return fallback;
    if (value.includes(0)) throw entryError('integrity', this.path, `its PAX '${key}' has a NUL`);
    return value.toString('latin1');
  }

  /** An integer in [0, max], from the PAX record or the block. */
  integer(field: 'size' | 'uid' | 'gid' | 'devmajor' | 'devminor', max: number): number {
    const value = this.record(field);
    const number = value === undefined ? this.#header.number(field) : parsePaxInteger(value);
    if (number === undefined) throw entryError('integrity', this.path, `its ${field} is malformed`);
    if (number < 0 || number > max) throw entryError('integrity', this.path, `its ${field} is ${String(number)}`);
    return number;
  }

  mode(): number {
    const mode = this.#header.number('mode');
    if (mode === undefined || mode < 0) throw entryError('integrity', this.path, 'its mode is malformed');
    return mode % 0o10000;
  }

  mtime(): Timestamp {
    const paxTime = this.time('mtime');
    if (paxTime !== undefined) return paxTime;
    const sec = this.#header.number('mtime');
    if (sec === undefined) throw entryError('integrity', this.path, 'its mtime is malformed');
    return { sec, nsec: 0 };
  }

  time(key: 'mtime' | 'atime'): Timestamp | undefined {
    const value = this.record(key);
    if (value === undefined) return undefined;
    const time = parsePaxTime(value);
    if (time === undefined) throw entryError('integrity', this.path, `its ${key} is malformed`);
    return time;
  }

  xattrs(): ReadonlyMap<ByteString, Buffer> {
    if (!this.#hasRecords) return NO_XATTRS;
    const xattrs = new Map<ByteString, Buffer>();
    // An empty value is a value here: attributes may be empty, and cannot be taken back.
    for (const records of [this.#global, this.#local]) {
      for (const [key, value] of records ?? NO_XATTRS) {
        const name = xattrName(key);
        if (name !== undefined) xattrs.set(name, value);
        else if (key.startsWith('GNU.sparse.')) throw entryError('unsupported', this.path, 'it is a sparse file');
      }
    }
    return xattrs;
  }
}

const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();

function typeOf(header: RawHeader, path: ByteString): TarType {
  const type = TYPES[header.typeflag];
  if (header.typeflag === 'S') throw entryError('unsupported', path, 'it is a sparse file');
  if (type === undefined) {
    throw entryError('unsupported', path, `it is of the unknown type ${JSON.stringify(header.typeflag)}`);
  }
  // v7 archives have no type for directories.
  return header.typeflag === '\0' && path.endsWith('/') ? 'directory' : type;
}

/** The entry that a header and its extensions describe. Throws `integrity` or `unsupported`, naming the entry. */
export function mergeEntry(header: RawHeader, description: Description | undefined, global: PaxRecords): TarEntry {
  const fields = new FieldReader(header, description, global);
  const type = typeOf(header, fields.path);
  const size = fields.integer('size', Number.MAX_SAFE_INTEGER);
  const isDevice = type === 'char' || type === 'block';
  const isLink = type === 'symlink' || type === 'hardlink';
  const atime = fields.time('atime');
  return {
    path: fields.path,
    type,
    mode: fields.mode(),
    uid: fields.integer('uid', MAX_ID),
    gid: fields.integer('gid', MAX_ID),
    // Links keep the size of what they link to in some archives; no content follows.
    size: type === 'file' ? size : 0,
    mtime: fields.mtime(),
    ...(atime === undefined ? {} : { atime }),
    linkTarget: isLink ? fields.text('linkpath', description?.longLink ?? header.linkname) : '',
    devMajor: isDevice ? fields.integer('devmajor', MAX_MAJOR) : 0,
    devMinor: isDevice ? fields.integer('devminor', MAX_MINOR) : 0,
    xattrs: fields.xattrs(),
  };
}
