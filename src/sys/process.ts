// What concerns the process and its threads: waiting, wake-ups, limits, identity.

import { O_NONBLOCK, POLLIN } from './constants.js';
import { bind, bindAside, must, result } from './libc.js';

const nativePoll = bind('int poll(void *, unsigned long, int)');
const nativeGetrlimit = bind('int getrlimit64(int, void *)');
const nativeSetrlimit = bind('int setrlimit64(int, void *)');
const nativeKill = bind('int kill(int, int)');
const nativeSchedYield = bind('int sched_yield()');

/** A set of fds to wait on: `struct pollfd[]`, kept between calls. */
export class PollSet {
  readonly #bytes: Buffer;
  readonly #count: number;

  /** `events` are for all, or one value for each; errors and hang-ups are told in any case. */
  constructor(fds: readonly number[], events: number | readonly number[]) {
    this.#bytes = Buffer.alloc(8 * fds.length);
    this.#count = fds.length;
    fds.forEach((fd, index) => {
      this.#bytes.writeInt32LE(fd, index * 8);
      this.#bytes.writeInt16LE(typeof events === 'number' ? events : (events[index] ?? 0), index * 8 + 4);
    });
  }

  /** The number of ready fds, 0 when `timeout` milliseconds (-1: for ever) passed, or -errno. */
  wait(timeout: number): number {
    return result(nativePoll(this.#bytes, this.#count, timeout));
  }

  /** The events of the fd at `index` that the last wait found. */
  ready(index: number): number {
    return this.#bytes.readInt16LE(index * 8 + 6);
  }
}

const nativePollAside = bindAside('int poll(void *, unsigned long, int)');

/** Resolves when an fd has an error or is hung up, which a thread waits for; to 1, or -errno. */
export function failureAside(fd: number): Promise<number> {
  const polled = Buffer.alloc(8);
  polled.writeInt32LE(fd, 0);
  return nativePollAside(polled, 1, -1);
}

const nativePidfdOpen = bind('intptr_t syscall(intptr_t, int, unsigned int)');
/** No libc wrapper before glibc 2.36; the number is the same on every architecture. */
const SYS_PIDFD_OPEN = 434;

/** An fd that stands for a process and no later one of its number (pidfd_open(2)), close-on-exec; or -errno. */
export function openProcess(pid: number): number {
  return result(nativePidfdOpen(SYS_PIDFD_OPEN, pid, 0));
}

/** Resolves to 1 when the process of such an fd has ended, waited for or not; to 0 after `timeout` milliseconds, or to -errno. */
export function endAside(processFd: number, timeout: number): Promise<number> {
  const polled = Buffer.alloc(8);
  polled.writeInt32LE(processFd, 0);
  polled.writeInt16LE(POLLIN, 4);
  return nativePollAside(polled, 1, timeout);
}

const nativeExit = bind('void _exit(int)');

/** Ends this process now: what Node would take down first, the kernel frees. What was not written yet is lost. */
export function exitAtOnce(code: number): void {
  nativeExit(code);
}

/** The limits of a resource (getrlimit(2)); 2^64 - 1 is none. Throws a SysError. */
export function getResourceLimit(resource: number): { soft: bigint; hard: bigint } {
  const limit = Buffer.alloc(16);
  must(result(nativeGetrlimit(resource, limit)), 'getrlimit');
  return { soft: limit.readBigUInt64LE(0), hard: limit.readBigUInt64LE(8) };
}

/** Raises the soft limit of a resource to its hard limit and returns it, or -errno. */
export function raiseLimit(resource: number): number {
  const limit = Buffer.alloc(16);
  const status = result(nativeGetrlimit(resource, limit));
  if (status < 0) return status;
  limit.copy(limit, 0, 8, 16);
  const raised = result(nativeSetrlimit(resource, limit));
  return raised < 0 ? raised : Number(limit.readBigUInt64LE(0));
}

/** kill(2); signal 0 probes. */
export function kill(pid: number, signal: number): number {
  return result(nativeKill(pid, signal));
}

const nativeFcntl = bind('int fcntl(int, int, int)');
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;

/** Whether an fd is closed by exec; -errno for one that is not open. */
export function isCloseOnExec(fd: number): number {
  const flags = result(nativeFcntl(fd, F_GETFD, 0));
  return flags < 0 ? flags : flags & FD_CLOEXEC;
}

/** Lets a program that this process becomes have an fd. */
export function keepOnExec(fd: number): number {
  return result(nativeFcntl(fd, F_SETFD, 0));
}

const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
/** Ignored unless asked for. */
const SIGURG = 23;

/**
 * Whether anybody has the file of a read-only fd open or mapped for writing, as far as can be told: only then a read lease
 * is refused (generic_setlease). Without rights to a lease, or leases, true.
 */
export function hasWriters(fd: number): boolean {
  // Whoever opens it for writing in between is told by a signal to us, which must not be SIGIO: that one kills.
  nativeFcntl(fd, F_SETSIG, SIGURG);
  const leased = nativeFcntl(fd, F_SETLEASE, F_RDLCK) === 0;
  if (leased) nativeFcntl(fd, F_SETLEASE, F_UNLCK);
  return !leased;
}

/** A second fd of the same open file, close-on-exec. */
export function duplicate(fd: number): number {
  return result(nativeFcntl(fd, F_DUPFD_CLOEXEC, 3));
}

/** Makes reads and writes answer EAGAIN instead of waiting (O_NONBLOCK). */
export function setNonBlocking(fd: number): number {
  const flags = result(nativeFcntl(fd, F_GETFL, 0));
  return flags < 0 ? flags : result(nativeFcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

/** Lets others who wait for this processor go first (sched_yield(2)). */
export function yieldProcessor(): void {
  nativeSchedYield();
}
