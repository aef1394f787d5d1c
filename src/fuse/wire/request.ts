// A request as the kernel wrote it into our buffer. Pure and total: a view that is moved from message to
// message without allocating; whatever the bytes are, it answers or throws a WireError.

import { SysError, errno } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import { IN_HEADER } from './abi.js';

/** A message that is not what the protocol says. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const HIGH = 0x100000000;

export class Request {
  readonly buffer: Buffer;
  #length = 0;
  /** Where the next name is read from; set by `body`. */
  #cursor = 0;
  opcode = 0;
  /** The kernel's id of the request, in halves: echoed, never computed with. */
  uniqueLow = 0;
  uniqueHigh = 0;
  nodeid = 0;
  uid = 0;
  gid = 0;
  pid = 0;
  #end = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  /** Takes up the message in the first `length` bytes of the buffer. Throws WireError for an impossible header. */
  reset(length: number): void {
    const { buffer } = this;
    if (length < IN_HEADER.size) throw new WireError(`short header: ${String(length)} bytes`);
    const declared = buffer.readUInt32LE(IN_HEADER.len);
    if (declared !== length) {
      throw new WireError(`message of ${String(length)} bytes declares ${String(declared)}`);
    }
    this.#length = length;
    this.opcode = buffer.readUInt32LE(IN_HEADER.opcode);
    this.uniqueLow = buffer.readUInt32LE(IN_HEADER.unique);
    this.uniqueHigh = buffer.readUInt32LE(IN_HEADER.unique + 4);
    this.nodeid = this.#wide(IN_HEADER.nodeid);
    this.uid = buffer.readUInt32LE(IN_HEADER.uid);
    this.gid = buffer.readUInt32LE(IN_HEADER.gid);
    this.pid = buffer.readUInt32LE(IN_HEADER.pid);
    const extensions = buffer.readUInt16LE(IN_HEADER.extlen) * 8;
    this.#end = length - extensions;
    if (this.#end < IN_HEADER.size) throw new WireError(`extensions of ${String(extensions)} bytes do not fit`);
    this.#cursor = IN_HEADER.size;
  }

  get length(): number {
    return this.#length;
  }

  /** Claims the fixed part of the body, `size` bytes; names follow it. Throws WireError where it is shorter. */
  body(size: number): void {
    const end = IN_HEADER.size + size;
    if (end > this.#end) {
      throw new WireError(`body of ${String(this.#end - IN_HEADER.size)} bytes, ${String(size)} wanted`);
    }
    this.#cursor = end;
  }

  #wide(at: number): number {
    const value = this.buffer.readUInt32LE(at + 4) * HIGH + this.buffer.readUInt32LE(at);
    if (value > Number.MAX_SAFE_INTEGER) throw new WireError(`value at ${String(at)} exceeds 53 bits`);
    return value;
  }

  /** A 32-bit field of the body. */
  u32(offset: number): number {
    return this.buffer.readUInt32LE(IN_HEADER.size + offset);
  }

  /** A 64-bit field that is a number of ours; beyond 53 bits a WireError. */
  u64(offset: number): number {
    return this.#wide(IN_HEADER.size + offset);
  }

  /**
   * A 64-bit file offset or size. No file reaches 53 bits, so for more the answer is known without asking:
   * SysError with `error`, EFBIG where something would be written there.
   */
  offset(offset: number, error: number = errno.EFBIG): number {
    const at = IN_HEADER.size + offset;
    if (this.buffer.readUInt32LE(at + 4) >= 1 << 21) throw new SysError(error, 'offset');
    return this.#wide(at);
  }

  /** A signed 64-bit field (seconds). */
  i64(offset: number): number {
    const at = IN_HEADER.size + offset;
    return this.buffer.readInt32LE(at + 4) * HIGH + this.buffer.readUInt32LE(at);
  }

  /** The next NUL-terminated name after the fixed part. Throws WireError where no NUL ends it. */
  name(): ByteString {
    const end = this.buffer.indexOf(0, this.#cursor);
    if (end < 0 || end >= this.#end) throw new WireError('name without an end');
    const name = this.buffer.toString('latin1', this.#cursor, end);
    this.#cursor = end + 1;
    return name;
  }

  /** The `size` bytes after what was read so far: a view, valid until the next message. */
  data(size: number): Buffer {
    const end = this.#cursor + size;
    if (end > this.#end)
      throw new WireError(`${String(size)} bytes of data declared, ${String(this.#end - this.#cursor)} sent`);
    const data = this.buffer.subarray(this.#cursor, end);
    this.#cursor = end;
    return data;
  }
}
