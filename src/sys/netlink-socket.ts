// Sockets that the kernel answers (netlink(7)).

import { bind, result } from './libc.js';

const nativeSocket = bind('int socket(int, int, int)');
const nativeSend = bind('intptr_t send(int, void *, size_t, int)');
const nativeRecv = bind('intptr_t recv(int, void *, size_t, int)');

const AF_NETLINK = 16;
/** SOCK_RAW | SOCK_CLOEXEC. */
const RAW = 0o2000003;
const NETLINK_ROUTE = 0;
const MSG_DONTWAIT = 0x40;

/** A socket to the links, addresses and routes (rtnetlink(7)) of the network namespace that the thread is in now; its fd, or -errno. */
export function netlinkSocket(): number {
  return result(nativeSocket(AF_NETLINK, RAW, NETLINK_ROUTE));
}

/** Sends to the kernel, which has done what is asked, and has answered, when this returns: the number of bytes, or -errno. */
export function sendThere(socket: number, bytes: Buffer): number {
  return result(nativeSend(socket, bytes, bytes.length, 0));
}

/** Receives what is there: the number of bytes, -EAGAIN where there is nothing, or another -errno. */
export function receiveThere(socket: number, into: Buffer): number {
  return result(nativeRecv(socket, into, into.length, MSG_DONTWAIT));
}
