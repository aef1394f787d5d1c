// Sockets between processes, and file descriptors that travel through them (unix(7), cmsg(3)).

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { O_NONBLOCK } from './constants.js';
import { close } from './file.js';
import { addressOf, bind, result } from './libc.js';

const nativeSocketpair = bind('int socketpair(int, int, int, void *)');
const nativeRecvmsg = bind('intptr_t recvmsg(int, void *, int)');

const AF_UNIX = 1;
/** SOCK_STREAM | SOCK_CLOEXEC. */
const STREAM = 0o2000001;
const SOL_SOCKET = 1;

/** Two connected stream sockets, or -errno. */
export function socketPair(): readonly [number, number] | number {
  const fds = Buffer.alloc(8);
  const status = result(nativeSocketpair(AF_UNIX, STREAM, 0, fds));
  return status < 0 ? status : [fds.readInt32LE(0), fds.readInt32LE(4)];
}

const nativeSocket = bind('int socket(int, int, int)');
const nativeConnect = bind('int connect(int, void *, unsigned int)');
const nativeGetsockopt = bind('int getsockopt(int, int, int, void *, void *)');

/** A unix socket's address: its family, and its path with a NUL at the end. */
const SUN_PATH = 108;
const SO_PEERCRED = 17;

/** The process that has begun to listen at the path of a stream socket: its number, 0 where that is another namespace's, or -errno. */
export function listenerAt(path: ByteString): number {
  if (path.length >= SUN_PATH) return -errno.ENAMETOOLONG;
  const address = Buffer.alloc(2 + SUN_PATH);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2, 'latin1');
  const socket = result(nativeSocket(AF_UNIX, STREAM | O_NONBLOCK, 0));
  if (socket < 0) return socket;
  try {
    const connected = result(nativeConnect(socket, address, address.length));
    if (connected < 0) return connected;
    const credentials = Buffer.alloc(12);
    const length = Buffer.alloc(4);
    length.writeInt32LE(credentials.length, 0);
    const told = result(nativeGetsockopt(socket, SOL_SOCKET, SO_PEERCRED, credentials, length));
    return told < 0 ? told : credentials.readInt32LE(0);
  } finally {
    close(socket);
  }
}

const SCM_RIGHTS = 1;
/** MSG_DONTWAIT | MSG_CMSG_CLOEXEC. */
const FLAGS = 0x40000040;

/** The layout of what recvmsg takes, in one buffer: struct msghdr, struct iovec, the data, struct cmsghdr with one fd. */
const IOVEC = 56;
const DATA = 72;
const CONTROL = 80;
const CONTROL_SIZE = 24;
const CMSG_LEN = 20;

/** The file descriptor that was sent through a socket, close-on-exec; -EAGAIN where nothing has come, -ENODATA where no fd came. */
export function receiveFd(socket: number): number {
  const bytes = Buffer.alloc(256);
  const address = addressOf(bytes);
  bytes.writeBigUInt64LE(address + BigInt(IOVEC), 16);
  bytes.writeBigUInt64LE(1n, 24);
  bytes.writeBigUInt64LE(address + BigInt(CONTROL), 32);
  bytes.writeBigUInt64LE(BigInt(CONTROL_SIZE), 40);
  bytes.writeBigUInt64LE(address + BigInt(DATA), IOVEC);
  bytes.writeBigUInt64LE(1n, IOVEC + 8);
  const received = result(nativeRecvmsg(socket, bytes, FLAGS));
  if (received < 0) return received;
  const hasFd =
    bytes.readBigUInt64LE(40) >= BigInt(CMSG_LEN) &&
    bytes.readBigUInt64LE(CONTROL) === BigInt(CMSG_LEN) &&
    bytes.readInt32LE(CONTROL + 8) === SOL_SOCKET &&
    bytes.readInt32LE(CONTROL + 12) === SCM_RIGHTS;
  return hasFd ? bytes.readInt32LE(CONTROL + 16) : -errno.ENODATA;
}
