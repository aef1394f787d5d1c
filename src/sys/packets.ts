// Sockets of packets (unix(7), SOCK_SEQPACKET), which Node does not know. Waiting is done by a thread of libuv's pool.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { close } from './file.js';
import { addressOf, bind, bindAside, result } from './libc.js';

const nativeSocket = bind('int socket(int, int, int)');
const nativeConnect = bind('int connect(int, void *, unsigned int)');
const nativeShutdown = bind('int shutdown(int, int)');
const sendAside = bindAside('intptr_t send(int, void *, size_t, int)');
const recvmmsgAside = bindAside('int recvmmsg(int, void *, unsigned int, int, void *)');

const AF_UNIX = 1;
/** SOCK_SEQPACKET | SOCK_CLOEXEC. */
const SEQPACKET = 0o2000005;
const SUN_PATH = 108;

/** Connects to a socket of packets; its fd, or -errno: -ENAMETOOLONG from 108 bytes of path on. */
export function connectPackets(path: ByteString): number {
  if (path.length >= SUN_PATH) return -errno.ENAMETOOLONG;
  const address = Buffer.alloc(2 + SUN_PATH);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2, 'latin1');
  const socket = result(nativeSocket(AF_UNIX, SEQPACKET, 0));
  if (socket < 0) return socket;
  const status = result(nativeConnect(socket, address, address.length));
  if (status === 0) return socket;
  close(socket);
  return status;
}

const MSG_NOSIGNAL = 0x4000;

/** Sends one packet, and waits until there is room for it: the number of bytes, or -errno. */
export function sendPacket(socket: number, bytes: Uint8Array): Promise<number> {
  return sendAside(socket, bytes, bytes.length, MSG_NOSIGNAL);
}

/** No more is sent: the other side reads an end. */
export function endPackets(socket: number): number {
  return result(nativeShutdown(socket, 1));
}

/** Nothing more comes or goes; whoever waits for a packet wakes up, and finds the end. */
export function shutDown(socket: number): number {
  return result(nativeShutdown(socket, 2));
}

const MSG_TRUNC = 0x20;
/** The first packet is waited for, what has come by then is taken along. */
const MSG_WAITFORONE = 0x10000;
/** sizeof(struct mmsghdr): a struct msghdr, and the length of what came. */
const HEADER = 64;
const MSG_FLAGS = 48;
const MSG_LENGTH = 56;
const IOVEC = 16;

/** Receives packets that begin with a byte which says what they are, many at a time. */
export class PacketReceiver {
  readonly #socket: number;
  readonly #count: number;
  readonly #size: number;
  readonly #headers: Buffer;
  readonly #vectors: Buffer;
  readonly #kinds: Buffer;
  readonly #data: Buffer;

  /** At most `count` packets at a time, each of at most `size` bytes after the first. */
  constructor(socket: number, { count, size }: { readonly count: number; readonly size: number }) {
    this.#socket = socket;
    this.#count = count;
    this.#size = size;
    this.#headers = Buffer.alloc(count * HEADER);
    this.#vectors = Buffer.alloc(count * 2 * IOVEC);
    this.#kinds = Buffer.alloc(count);
    this.#data = Buffer.alloc(count * size);
    const [vectors, kinds, data] = [addressOf(this.#vectors), addressOf(this.#kinds), addressOf(this.#data)];
    for (let at = 0; at < count; at += 1) {
      const vector = at * 2 * IOVEC;
      this.#vectors.writeBigUInt64LE(kinds + BigInt(at), vector);
      this.#vectors.writeBigUInt64LE(1n, vector + 8);
      this.#vectors.writeBigUInt64LE(data + BigInt(at * size), vector + IOVEC);
      this.#vectors.writeBigUInt64LE(BigInt(size), vector + IOVEC + 8);
      this.#headers.writeBigUInt64LE(vectors + BigInt(vector), at * HEADER + 16);
      this.#headers.writeBigUInt64LE(2n, at * HEADER + 24);
    }
  }

  /** Waits for packets: how many came, or -errno. What the last call brought is overwritten. */
  receive(): Promise<number> {
    return recvmmsgAside(this.#socket, this.#headers, this.#count, MSG_WAITFORONE, null);
  }

  /** The bytes of a packet, its first one included; 0 is the end. */
  length(packet: number): number {
    return this.#headers.readUInt32LE(packet * HEADER + MSG_LENGTH);
  }

  /** Whether a packet was longer than there was room for. */
  isCut(packet: number): boolean {
    return (this.#headers.readInt32LE(packet * HEADER + MSG_FLAGS) & MSG_TRUNC) !== 0;
  }

  /** A packet's first byte. */
  kind(packet: number): number {
    return this.#kinds.readUInt8(packet);
  }

  /** What follows the first byte of some packets, `from` to before `to`: in one piece where all but the last fill their room. */
  content(from: number, to: number): Buffer {
    const pieces: Buffer[] = [];
    let start = from * this.#size;
    for (let packet = from; packet < to; packet += 1) {
      const end = packet * this.#size + this.length(packet) - 1;
      if (packet + 1 < to && end === (packet + 1) * this.#size) continue;
      pieces.push(this.#data.subarray(start, end));
      start = (packet + 1) * this.#size;
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }
}
