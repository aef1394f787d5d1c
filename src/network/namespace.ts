// A network namespace for a container that is not there yet.

import { closeSync, openSync } from 'node:fs';
import { CLONE_NEWNET, must, setns, unshare } from '../sys/index.js';
import { RouteSocket } from './netlink/route-socket.js';

/** Of the thread that asks: others may be in another one. */
const OWN = '/proc/thread-self/ns/net';

/** Nothing keeps it but whoever has it open or is in it: it goes with this process, if not with a container that has joined it. */
export class NetworkNamespace implements Disposable {
  readonly fd: number;
  /** For who works in it. */
  readonly routes: RouteSocket;
  #isOpen = true;

  private constructor(fd: number, routes: RouteSocket) {
    this.fd = fd;
    this.routes = routes;
  }

  /** Makes one. This thread is in it for a moment, in which it does nothing else. */
  static make(): NetworkNamespace {
    const own = openSync(OWN, 'r');
    try {
      must(unshare(CLONE_NEWNET), 'unshare');
      try {
        return new NetworkNamespace(openSync(OWN, 'r'), new RouteSocket());
      } finally {
        must(setns(own, CLONE_NEWNET), 'setns');
      }
    } finally {
      closeSync(own);
    }
  }

  /** Where other processes find it while this one has it open. */
  get path(): string {
    return `/proc/${String(process.pid)}/fd/${String(this.fd)}`;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.routes[Symbol.dispose]();
    closeSync(this.fd);
  }
}
