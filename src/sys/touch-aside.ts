// Reading ahead: another thread looks at many paths, so that what the disk knows of them is in memory when we ask.
//
// One call of glob(3) with all paths as alternatives in braces: each is looked up (lstat(2)), without a turn of ours for each.
// A call in another thread costs as much as several look-ups of what is in memory, so it has to be worth it.

import { bind, bindAside } from './libc.js';

/** GLOB_NOSORT | GLOB_BRACE, glob.h. */
const FLAGS = (1 << 2) | (1 << 10);
/** sizeof (glob_t). */
const GLOB_SIZE = 72;

const globAside = bindAside('int glob(void *, int, void *, void *)');
const globfree = bind('void globfree(void *)');

/** Whether glob(3) takes a path as it is. */
const PLAIN = /^[\w./+@:=-]+$/;

/** Has the paths looked at, those that are plain; when, and whether they exist, nobody is told. */
export function touchAside(paths: readonly string[]): void {
  const plain = paths.filter((path) => PLAIN.test(path));
  if (plain.length < 2) return;
  const found = Buffer.alloc(GLOB_SIZE);
  void globAside(Buffer.from(`{${plain.join(',')}}\0`, 'latin1'), FLAGS, null, found).finally(() => {
    globfree(found);
  });
}
