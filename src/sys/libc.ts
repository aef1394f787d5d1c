// The one door to native code: libc through koffi. Nothing here decides anything; each other file of
// this folder wraps one family of calls. Calls are synchronous and made on the calling thread, so errno, which is per
// thread, is still the call's own when it is read; the few that may take long can be made by another thread.

import type Koffi from 'koffi';
import { SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { loadKoffi } from './koffi.js';

let libc: ReturnType<typeof Koffi.load> | undefined;

type Native = (...args: readonly unknown[]) => number;

const fromLibc = (prototype: string): ReturnType<ReturnType<typeof Koffi.load>['func']> =>
  (libc ??= loadKoffi().load('libc.so.6')).func(prototype);

/**
 * Binds a libc function by its C prototype, when it is first called: most commands need few of them, and binding
 * all takes as long as starting Node. Variadic functions are bound with the arguments we pass.
 */
export function bind(prototype: string): Native {
  let native: Native | undefined;
  const get = (): Native => (native = fromLibc(prototype));
  const first = prototype.indexOf('(') + 1;
  const arity = prototype[first] === ')' ? 0 : prototype.split(',').length;
  // Spelled out by arity: collecting arguments in an array would cost more than the rest of the call.
  switch (arity) {
    case 0:
      return () => (native ?? get())();
    case 1:
      return (a) => (native ?? get())(a);
    case 2:
      return (a, b) => (native ?? get())(a, b);
    case 3:
      return (a, b, c) => (native ?? get())(a, b, c);
    case 4:
      return (a, b, c, d) => (native ?? get())(a, b, c, d);
    case 5:
      return (a, b, c, d, e) => (native ?? get())(a, b, c, d, e);
    default:
      return (a, b, c, d, e, f) => (native ?? get())(a, b, c, d, e, f);
  }
}

/** So many calls are made by other threads at a time; the rest waits. Koffi refuses more than 256 (`max_async_calls`). */
const MAX_ASIDE = 128;
/** The arguments of those calls, whose buffers must live as long. */
const aside = new Set<readonly unknown[]>();
const waiting: (() => void)[] = [];

/**
 * As `bind`, for calls that may take long: they are made by a thread of libuv's pool. The promise is settled in a turn of the
 * event loop, with the value or -errno. Buffers must be left alone until then.
 */
export function bindAside(prototype: string): (...args: readonly unknown[]) => Promise<number> {
  return callAside(() => fromLibc(prototype));
}

/** As `bindAside`, of a function of the running program itself; throws where there is none. */
export function bindOwnAside(prototype: string): (...args: readonly unknown[]) => Promise<number> {
  const native = loadKoffi().load(null).func(prototype);
  return callAside(() => native);
}

type NativeFunction = ReturnType<typeof fromLibc>;

function callAside(get: () => NativeFunction): (...args: readonly unknown[]) => Promise<number> {
  let native: NativeFunction | undefined;
  return async (...args) => {
    while (aside.size >= MAX_ASIDE) await new Promise<void>((resolve) => waiting.push(resolve));
    aside.add(args);
    const call = (native ??= get());
    return new Promise((resolve, reject) => {
      call.async(...args, (error: Error | null, value: number) => {
        // Koffi has brought the other thread's errno along, for the time of this callback.
        if (error === null) resolve(result(value));
        else reject(error);
        aside.delete(args);
        waiting.shift()?.();
      });
    });
  };
}

/** Binds a function of the running program itself. */
export function bindOwn(prototype: string): (...args: readonly unknown[]) => unknown {
  return loadKoffi().load(null).func(prototype) as (...args: readonly unknown[]) => unknown;
}

const libraries: ReturnType<typeof Koffi.load>[] = [];

/**
 * Loads a shared library, by its name or path, for the life of the process; false where it cannot be. What is loaded after it
 * and needs a library of that SONAME gets this one (dlopen(3)).
 */
export function loadLibrary(file: string): boolean {
  const { load } = loadKoffi();
  try {
    libraries.push(load(file));
    return true;
  } catch {
    return false;
  }
}

/** The result of a call that reports failure as -1: the value itself, or -errno. */
export function result(value: number): number {
  return value < 0 ? -loadKoffi().errno() : value;
}

/** Where the bytes of a buffer are, for structures that hold pointers; valid as long as the buffer lives. */
export function addressOf(buffer: Buffer): bigint {
  return loadKoffi().address(buffer);
}

/**
 * Turns a negative result into a SysError and passes every other one through. All functions of `sys`
 * return a value >= 0 or -errno, as the kernel's own ABI does; use `must` where failure is unexpected.
 */
export function must(value: number, syscall: string, path?: string): number {
  if (value < 0) throw new SysError(-value, syscall, path);
  return value;
}

const PATH_MAX = 4096;
const scratch = [Buffer.alloc(PATH_MAX + 4096), Buffer.alloc(PATH_MAX + 4096)] as const;

/**
 * A NUL-terminated copy of `bytes`, in one of two buffers that live until the next call with the same
 * slot. A name with a NUL inside, or a too long one, is cut to one the kernel refuses (ENOENT, ENAMETOOLONG).
 */
export function cString(bytes: ByteString, slot: 0 | 1 = 0): Buffer {
  const buffer = scratch[slot];
  const length = bytes.includes('\0') ? 0 : buffer.write(bytes, 0, buffer.length - 1, 'latin1');
  buffer[length] = 0;
  return buffer;
}
