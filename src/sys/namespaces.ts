// Namespaces of the calling thread (namespaces(7)): that of the event loop. Processes which it starts have them, too.

import { bind, result } from './libc.js';

const nativeUnshare = bind('int unshare(int)');
const nativeSetns = bind('int setns(int, int)');

export const CLONE_NEWNET = 0x40000000;

/** unshare(2). */
export function unshare(kinds: number): number {
  return result(nativeUnshare(kinds));
}

/** setns(2). */
export function setns(fd: number, kind: number): number {
  return result(nativeSetns(fd, kind));
}
