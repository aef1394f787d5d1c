// Asking the kernel for links, addresses and routes: what ip(8) does, without a process for it.

import { VeneerError, SysError, errno } from '../../core/index.js';
import { close, must, netlinkSocket, receiveThere, sendThere } from '../../sys/index.js';
import { encodeMessages, parseAnswers } from './message.js';
import type { Message } from './message.js';

/** More than one answer of the kernel is (NLMSG_GOODSIZE, and what a link has to say of itself). */
const ROOM = 64 * 1024;

/** To the network namespace in which it was opened, whichever the process is in later. */
export class RouteSocket implements Disposable {
  readonly #fd = must(netlinkSocket(), 'socket', 'netlink');

  /**
   * Has the kernel do one thing after the other, and returns what was asked for. That takes less than a millisecond, unless others
   * do the same (rtnl_mutex). Throws `unavailable` with the first thing that it refuses; it tries the others all the same.
   */
  ask(...messages: readonly Message[]): Buffer[] {
    must(sendThere(this.#fd, encodeMessages(messages)), 'send', 'netlink');
    const data: Buffer[] = [];
    const statuses: number[] = [];
    const into = Buffer.alloc(ROOM);
    while (statuses.length < messages.length) {
      const received = must(receiveThere(this.#fd, into), 'recv', 'netlink');
      for (const answer of parseAnswers(Buffer.from(into.subarray(0, received)))) {
        if (answer.kind === 'data') data.push(answer.body);
        else statuses.push(answer.status);
      }
    }
    const failed = statuses.findIndex((status) => status < 0);
    if (failed >= 0) throw refused(statuses[failed] ?? 0, messages[failed]?.type ?? 'netlink');
    return data;
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

function refused(status: number, type: string): VeneerError {
  const cause = new SysError(-status, type);
  const code = status === -errno.EPERM ? 'permission' : 'unavailable';
  return new VeneerError(code, `cannot make a network: ${cause.message}`, { cause });
}
