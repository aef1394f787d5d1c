// One mounted connection: negotiates with the kernel, then answers requests until the file system is un-mounted.

import { SysError, VeneerError, errno } from '../core/index.js';
import { POLLIN, PollSet, ioctl, read, write } from '../sys/index.js';
import { Dispatcher } from './dispatch.js';
import type { Filesystem, Kernel } from './filesystem.js';
import type { Offload } from './offload.js';
import { SpinBudget } from './spin.js';
import type { Statistics } from './statistics.js';
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

export interface SessionOptions {
  /** The mounted FUSE device, non-blocking. */
  readonly device: number;
  readonly filesystem: Filesystem;
  readonly offload: Offload;
  readonly validity: Validity;
  /** Whether to ask for passthrough (the kernel grants it to CAP_SYS_ADMIN). */
  readonly passthrough: boolean;
  readonly acl: boolean;
  /** Let the kernel open files without telling us: for a file system that nobody can change. */
  readonly noOpen: boolean;
  readonly statistics: Statistics;
  /** Called once the kernel and we have agreed: from here on the mount answers. */
  readonly onReady: () => void;
  /** Called before the thread goes to sleep. */
  readonly onIdle: () => void;
  readonly logError: (message: string, error: unknown) => void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #request = new Request(Buffer.alloc(MAX_WRITE + HEADER_ROOM));
  readonly #reply = Buffer.alloc(MAX_WRITE + HEADER_ROOM);
  readonly #dispatcher: Dispatcher;
  readonly #poll: PollSet;
  readonly #spin = new SpinBudget();
  #ready = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#poll = new PollSet([options.device, options.offload.wakeFd], POLLIN);
    this.#dispatcher = new Dispatcher({
      filesystem: options.filesystem,
      replyBuffer: this.#reply,
      validity: options.validity,
      statistics: options.statistics,
      noOpen: options.noOpen,
      send: (length) => {
        this.#send(length);
      },
      logError: options.logError,
    });
  }

  /** Serves until un-mounted. Throws VeneerError if the kernel is too old, SysError if the device fails. */
  async run(): Promise<void> {
    const { offload, filesystem } = this.#options;
    for (;;) {
      const length = this.#next();
      if (length === 0) break;
      if (length > 0) this.#handle(length);
      if (this.#dispatcher.pending > 0 && (offload.collect() || offload.pending === 0)) await turn();
    }
    while (this.#dispatcher.pending > 0) {
      if (offload.pending > 0) this.#poll.wait(LINGER);
      offload.collect();
      await turn();
    }
    filesystem.destroy();
  }

  /** The length of the next request; 0 when un-mounted; -1 when something else wants attention. */
  #next(): number {
    let tries = -1;
    for (;;) {
      const length = read(this.#options.device, this.#request.buffer);
      if (length > 0) {
        if (tries > 0) this.#spin.rewarded();
        return length;
      }
      switch (-length) {
        case errno.ENODEV:
          return 0;
        case errno.EINTR:
        case errno.ENOENT:
          // ENOENT: the request was interrupted before we took it.
          continue;
        case errno.EAGAIN:
          break;
        default:
          throw new SysError(-length, 'read', '/dev/fuse');
      }
      if (this.#dispatcher.pending > 0 && this.#options.offload.pending === 0) return -1;
      if (tries < 0) tries = this.#spin.tries();
      else if (tries > 0) {
        tries -= 1;
        if (tries === 0) this.#spin.wasted();
      }
      if (tries > 0) continue;
      this.#options.onIdle();
      this.#poll.wait(-1);
      if (this.#dispatcher.pending > 0) return -1;
    }
  }

  #handle(length: number): void {
    try {
      this.#request.reset(length);
    } catch (error) {
      // Without a header there is nobody to answer.
      this.#options.logError('unreadable request', error);
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
    this.#send(length);
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

  #send(length: number): void {
    const sent = write(this.#options.device, this.#reply, length);
    if (sent >= 0) return;
    // ENOENT: the client gave up waiting (a signal); ENODEV: un-mounted meanwhile. Nobody reads the answer.
    if (sent === -errno.ENOENT || sent === -errno.ENODEV) return;
    const error = this.#reply.readInt32LE(OUT_HEADER.error);
    const what = `reply of ${String(length)} bytes, error ${String(error)}`;
    this.#options.logError(`the kernel refused a ${what}`, new SysError(-sent, 'write', '/dev/fuse'));
  }
}

/** Milliseconds between looks at work still going on after the un-mount. */
const LINGER = 10;

/** Lets all promise continuations run: a whole turn of the event loop, not only the next microtask. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
