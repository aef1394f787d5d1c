// One mounted connection: negotiates with the kernel, then answers requests until the file system is un-mounted.

import { SysError, VeneerError, errno } from '../core/index.js';
import {
  CpuLatency,
  POLLIN,
  PollSet,
  eventLoopFd,
  eventsHandled,
  ioctl,
  read,
  write,
  yieldProcessor,
} from '../sys/index.js';
import { Dispatcher } from './dispatch.js';
import type { Filesystem, Kernel } from './filesystem.js';
import type { Statistics } from './statistics.js';
import { Waiting } from './waiting.js';
import * as abi from './wire/abi.js';
import { OUT_HEADER, initFlag2, opcode } from './wire/abi.js';
import { chooseInit, readInit, writeInit } from './wire/init.js';
import { writeHeader, writeInvalidateAttributes } from './wire/reply.js';
import type { Validity } from './wire/reply.js';
import { Request } from './wire/request.js';

/** The largest read and write: 256 pages, the most a kernel allows without a sysctl. */
const MAX_WRITE = 1 << 20;
const PAGE_SIZE = 4096;
const HEADER_ROOM = 4096;

/** So many requests are answered in a row before others that live in the event loop (signals, visitors) have a turn. */
const LONGEST_STREAK = 64;
/**
 * So many turns it has before we sleep, after anything that JavaScript may go on with, an event in the last of them included: what is
 * done in one may ask for something to be watched, which the next one begins.
 */
const TURNS = 4;
/** Milliseconds after which it has one in any case before we sleep: timers are on no fd. */
const LONGEST_WAIT = 100;
/** So many replies that nobody waits for are kept back: the kernel counts them as background requests (MAX_BACKGROUND). */
const MOST_DONE = 8;
/** Milliseconds between looks at work still going on after the un-mount. */
const LINGER = 10;

/** What is polled, by index. */
const [DEVICE, EVENT_LOOP] = [0, 1];

export interface SessionOptions {
  /** The mounted FUSE device, non-blocking. */
  readonly device: number;
  readonly filesystem: Filesystem;
  readonly validity: Validity;
  /** Whether to ask for passthrough (the kernel grants it to CAP_SYS_ADMIN). */
  readonly passthrough: boolean;
  readonly acl: boolean;
  /** Let the kernel open files without telling us: for a file system that nobody can change. */
  readonly noOpen: boolean;
  /** While requests come quickly, keep idle processors from sleeping, where we may (it takes root). */
  readonly lowLatency: boolean;
  readonly statistics: Statistics;
  /** Called once the kernel and we have agreed: from here on the mount answers. */
  readonly onReady: () => void;
  /** Called before the thread goes to sleep: may do a little of what can wait. Whether there is more of that. */
  readonly onIdle: () => boolean;
  readonly logError: (message: string, error: unknown) => void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #request = new Request(Buffer.alloc(MAX_WRITE + HEADER_ROOM));
  readonly #reply = Buffer.alloc(MAX_WRITE + HEADER_ROOM);
  readonly #dispatcher: Dispatcher;
  readonly #poll: PollSet;
  readonly #latency: CpuLatency | undefined;
  readonly #waiting: Waiting;
  /** Requests done of which the kernel has not been told: nobody waits for that. */
  readonly #done: Buffer[] = [];
  readonly #spare: Buffer[] = [];
  /** Turns the event loop is to have before we sleep. */
  #turns = TURNS;
  #ready = false;
  /** What waits for a moment without requests. */
  readonly #held: (() => Promise<void>)[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#latency = options.lowLatency ? CpuLatency.open() : undefined;
    this.#waiting = new Waiting(this.#latency);
    const polled: number[] = [];
    polled[DEVICE] = options.device;
    polled[EVENT_LOOP] = eventLoopFd();
    this.#poll = new PollSet(polled, POLLIN);
    this.#dispatcher = new Dispatcher({
      filesystem: options.filesystem,
      replyBuffer: this.#reply,
      validity: options.validity,
      statistics: options.statistics,
      noOpen: options.noOpen,
      send: (length) => {
        this.#send(this.#reply, length);
      },
      sendLater: () => {
        this.#sendLater();
      },
      logError: (message, error) => {
        this.#logError(message, error);
      },
    });
  }

  /** Runs `work` while no request is in progress; those that come meanwhile wait. */
  hold<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#held.push(() => work().then(resolve, reject));
    });
  }

  async #runHeld(): Promise<void> {
    this.#sendDone();
    while (this.#dispatcher.pending > 0) await turn();
    for (let work = this.#held.shift(); work !== undefined; work = this.#held.shift()) await work();
    // Whoever asked for it is told before we sleep.
    this.#turns = TURNS;
  }

  /** Serves until un-mounted. Throws VeneerError if the kernel is too old, SysError if the device fails. */
  async run(): Promise<void> {
    try {
      await this.#serve();
    } finally {
      this.#latency?.close();
    }
    this.#options.filesystem.destroy();
  }

  async #serve(): Promise<void> {
    let streak = 0;
    // Whether we have asked for a while already, and the event loop had a turn since.
    let asked = false;
    let turned = 0;
    for (;;) {
      if (this.#held.length > 0) await this.#runHeld();
      const length = this.#take(asked);
      asked = false;
      if (length === 0) break;
      if (length > 0) {
        this.#handle(length);
        streak += 1;
        if (this.#dispatcher.pending === 0 && streak < LONGEST_STREAK) continue;
        this.#turns = TURNS;
      } else if (this.#turns > 0) {
        this.#turns -= 1;
      } else {
        if (performance.now() - turned < LONGEST_WAIT) {
          asked = this.#options.onIdle();
          if (asked || !this.#sleep()) continue;
        }
        this.#turns = TURNS;
      }
      // Some do wait for a RELEASE (fuse_sync_release), and there may always be another request.
      this.#sendDone();
      const events = eventsHandled();
      await turn();
      if (eventsHandled() !== events) this.#turns = TURNS;
      turned = performance.now();
      asked = length < 0;
      streak = 0;
    }
    while (this.#dispatcher.pending > 0) await turn(LINGER);
  }

  /** Sleeps until there is a request or the event loop has something to do, as it returns; or for a while. */
  #sleep(): boolean {
    if (this.#poll.wait(this.#waiting.sleep()) !== 0) return this.#poll.ready(EVENT_LOOP) !== 0;
    this.#waiting.slept();
    return false;
  }

  /** The length of the next request; 0 when un-mounted; -1 when there is none: at `once`, or after a while of asking. */
  #take(once: boolean): number {
    let until = 0;
    for (;;) {
      const length = read(this.#options.device, this.#request.buffer);
      if (length > 0) {
        if (until > 0) this.#waiting.rewarded();
        this.#waiting.taken();
        return length;
      }
      switch (-length) {
        case errno.ENODEV:
        // fuse_dev_do_read of a connection that was aborted.
        case errno.ECONNABORTED:
          return 0;
        case errno.EINTR:
        case errno.ENOENT:
          // ENOENT: the request was interrupted before we took it.
          continue;
        case errno.EAGAIN:
          this.#sendDone();
          break;
        default:
          throw new SysError(-length, 'read', '/dev/fuse');
      }
      if (until === 0) {
        const patience = once || this.#dispatcher.pending > 0 ? 0 : this.#waiting.patience();
        if (patience === 0) return -1;
        until = performance.now() + patience;
      } else if (performance.now() > until) {
        this.#waiting.wasted();
        return -1;
      }
      yieldProcessor();
    }
  }

  #handle(length: number): void {
    try {
      this.#request.reset(length);
    } catch (error) {
      // Without a header there is nobody to answer.
      this.#logError('unreadable request', error);
      return;
    }
    if (this.#request.opcode === opcode.INIT) this.#init();
    else this.#dispatcher.handle(this.#request);
  }

  #init(): void {
    const { filesystem, passthrough, acl } = this.#options;
    const offer = readInit(this.#request);
    if (offer.major !== abi.FUSE_KERNEL_VERSION || offer.minor < abi.FUSE_MIN_MINOR_VERSION) {
      throw new VeneerError('unsupported', `the kernel speaks FUSE ${String(offer.major)}.${String(offer.minor)}`, {
        hint: `version ${String(abi.FUSE_KERNEL_VERSION)}.${String(abi.FUSE_MIN_MINOR_VERSION)} (Linux 5.14) or later is needed`,
      });
    }
    const choice = chooseInit(offer, { passthrough, acl, maxWrite: MAX_WRITE, pageSize: PAGE_SIZE });
    filesystem.init(this.#kernel((choice.flags2 & initFlag2.PASSTHROUGH) !== 0));
    const length = OUT_HEADER.size + writeInit(this.#reply, OUT_HEADER.size, choice);
    const { uniqueLow, uniqueHigh } = this.#request;
    writeHeader(this.#reply, { length, error: 0, uniqueLow, uniqueHigh });
    this.#send(this.#reply, length);
    if (!this.#ready) this.#options.onReady();
    this.#ready = true;
  }

  #kernel(passthrough: boolean): Kernel {
    const { device } = this.#options;
    const map = Buffer.alloc(16);
    const closing = Buffer.alloc(4);
    const notification = Buffer.alloc(OUT_HEADER.size + abi.NOTIFY_INVAL_INODE.size);
    return {
      passthrough,
      openBacking(fd) {
        map.writeInt32LE(fd, 0);
        return ioctl(device, abi.FUSE_DEV_IOC_BACKING_OPEN, map);
      },
      closeBacking(id) {
        closing.writeInt32LE(id, 0);
        ioctl(device, abi.FUSE_DEV_IOC_BACKING_CLOSE, closing);
      },
      invalidateAttributes(nodeid) {
        // Failure means that the kernel has forgotten the node already.
        write(device, notification, writeInvalidateAttributes(notification, nodeid));
      },
    };
  }

  /** Keeps the reply in the reply buffer, a header alone, until no request waits. */
  #sendLater(): void {
    const reply = this.#spare.pop() ?? Buffer.alloc(OUT_HEADER.size);
    this.#reply.copy(reply, 0, 0, OUT_HEADER.size);
    this.#done.push(reply);
    if (this.#done.length >= MOST_DONE) this.#sendDone();
  }

  #sendDone(): void {
    for (let reply = this.#done.pop(); reply !== undefined; reply = this.#done.pop()) {
      this.#send(reply, reply.length);
      this.#spare.push(reply);
    }
  }

  #send(reply: Buffer, length: number): void {
    const sent = write(this.#options.device, reply, length);
    if (sent >= 0) return;
    // ENOENT: the client gave up waiting (a signal); ENODEV: un-mounted meanwhile. Nobody reads the answer.
    if (sent === -errno.ENOENT || sent === -errno.ENODEV) return;
    const error = reply.readInt32LE(OUT_HEADER.error);
    const what = `reply of ${String(length)} bytes, error ${String(error)}`;
    this.#logError(`the kernel refused a ${what}`, new SysError(-sent, 'write', '/dev/fuse'));
  }

  #logError(message: string, error: unknown): void {
    this.#options.logError(message, error);
    // A log may be written by and by.
    this.#turns = TURNS;
  }
}

/** Lets the event loop have a turn: now, or one that takes some milliseconds. */
function turn(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds > 0) setTimeout(resolve, milliseconds);
    else setImmediate(resolve);
  });
}
