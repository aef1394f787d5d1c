// Work on open files that may take long, left to other threads. It gets fds of its own: those of a handle are
// closed when the handle is, or when its file is copied up, and their numbers go to other files.

import type { Outcome } from '../fuse/index.js';
import { close, duplicate } from '../sys/index.js';
import { finallyDo } from './outcome.js';

/** Runs `work` on a duplicate of an fd. */
export function workLong(fd: number, work: (fd: number) => Promise<number>): Outcome {
  const own = duplicate(fd);
  if (own < 0) return own;
  return finallyDo(work(own), () => {
    close(own);
  });
}
