// Work on open files that may take long, left to the other thread. It gets fds of its own: those of a handle are
// closed when the handle is, or when its file is copied up, and their numbers go to other files.

import type { Job, Outcome } from '../fuse/index.js';
import { close, duplicate } from '../sys/index.js';
import { finallyDo } from './outcome.js';
import type { Overlay } from './overlay.js';

/** Runs a job on duplicates of `fds`. */
export function workLong(o: Overlay, fds: readonly number[], job: (fds: readonly number[]) => Job): Outcome {
  const own: number[] = [];
  for (const fd of fds) {
    const copy = duplicate(fd);
    if (copy < 0) {
      for (const made of own) close(made);
      return copy;
    }
    own.push(copy);
  }
  return finallyDo(o.offload.run(job(own)), () => {
    for (const fd of own) close(fd);
  });
}
