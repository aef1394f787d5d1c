// Bookkeeping in a directory that its users do not see.

import type { RealDir } from '../stack/index.js';
import { Stat, fstatx, utimensat } from '../sys/index.js';
import { timesOf } from './copy-attributes.js';

/** Runs a change of a directory's entries that is none to its users: its times stay. Returns what it returns, or -errno. */
export function keepingTimes(dir: RealDir, change: () => number): number {
  const stat = new Stat();
  const fd = dir.fd();
  if (fd < 0) return fd;
  const known = fstatx(fd, stat);
  const status = change();
  if (known >= 0 && status >= 0) utimensat(dir.fd(), '.', timesOf(stat));
  return status;
}
