// Takes the place of sys/libc.js in a copy of the build: before every call that changes something on disk, the upper and
// the work directory are copied away, as a kill at this point would leave them. `VENEER_PHOTOS` says where:
// {upper, work, photos, armed}; nothing is copied before the file `armed` exists.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { bind as bindOriginal, bindAside as bindAsideOriginal } from './libc-original.js';

export * from './libc-original.js';

const CHANGES =
  /\b(mkdirat|mknodat|symlinkat|linkat|unlinkat|renameat2|fchmodat|fchmod|fchownat|utimensat|futimens|l?setxattr|fsetxattr|l?removexattr|fremovexattr|ftruncate64|fallocate64|copy_file_range|pwrite64)\(/;
/** Calls without a wrapper; of these, fchmodat2(2) changes something. */
const SYSCALLS = /\bsyscall\(/;
const SYS_FCHMODAT2 = 452;
const OPENS = /\bopenat\(/;
const O_CREAT = 0o100;

function photograph() {
  // The test's own process has this libc, too, and nothing to photograph.
  const places = JSON.parse(process.env.VENEER_PHOTOS ?? '{}');
  if (places.armed === undefined || !existsSync(places.armed)) return;
  const to = `${places.photos}/${String(readdirSync(places.photos).length).padStart(4, '0')}`;
  mkdirSync(to);
  // In one go: hard links lead from one to the other.
  execFileSync('cp', ['-a', places.upper, places.work, to]);
}

export function bind(prototype) {
  const call = bindOriginal(prototype);
  if (CHANGES.test(prototype)) {
    return (...args) => {
      photograph();
      return call(...args);
    };
  }
  if (SYSCALLS.test(prototype)) {
    return (...args) => {
      if (args[0] === SYS_FCHMODAT2) photograph();
      return call(...args);
    };
  }
  if (!OPENS.test(prototype)) return call;
  return (...args) => {
    if ((args[2] & O_CREAT) !== 0) photograph();
    return call(...args);
  };
}

export function bindAside(prototype) {
  const call = bindAsideOriginal(prototype);
  if (!CHANGES.test(prototype)) return call;
  return (...args) => {
    photograph();
    return call(...args);
  };
}
