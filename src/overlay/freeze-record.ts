// What a freeze is about to do, written down in the work directory. The names of a file that is being written are given to its copy one
// after the other, and the kernel writes to the file past us all the while: should the server die in between, whoever comes next has
// the names back as they were, or, where the upper has been renamed already, goes on with the new one.

import { existsSync, readFileSync } from 'node:fs';
import { errno, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { LayerDir, RealDir } from '../stack/index.js';
import type { Ino } from '../stack/index.js';
import {
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  Stat,
  close,
  entryPath,
  flock,
  fsyncAside,
  openat,
  renameat2,
  statx,
  unlinkat,
  write,
} from '../sys/index.js';
import { keepingTimes } from './keeping-times.js';
import type { Place } from './node.js';
import type { WorkDir } from './work-dir.js';

const RECORD = 'freezing';
/** Milliseconds: a server that is killed may give up its lock a moment after its mount. */
const GRACE = 500;
const PAUSE = 5;

/** A name of a file and one in the work directory that change places. */
export interface Exchange {
  /** Below the upper directory. */
  readonly path: ByteString;
  /** In the work directory. */
  readonly temporary: ByteString;
  /** What has the name before that, and afterwards. */
  readonly file: Ino;
  readonly copy: Ino;
}

export interface FreezePlan {
  /** The next upper, in the work directory. */
  readonly fresh: ByteString;
  readonly exchanges: readonly Exchange[];
}

/** Returns 0 or -errno. */
export async function recordFreeze(
  work: WorkDir,
  plan: FreezePlan,
  { volatile }: { volatile: boolean },
): Promise<number> {
  const content = Buffer.from(JSON.stringify(plan), 'latin1');
  const fd = openat(work.fd, RECORD, O_CREAT | O_TRUNC | O_WRONLY, 0o600);
  if (fd < 0) return fd;
  const written = write(fd, content);
  let status = written >= 0 && written < content.length ? -errno.ENOSPC : written;
  if (status >= 0 && !volatile) status = await fsyncAside(fd);
  if (status >= 0 && !volatile) status = await fsyncAside(work.fd);
  close(fd);
  if (status < 0) forgetFreeze(work);
  return Math.min(status, 0);
}

/** It has been done, or taken back. */
export function forgetFreeze(work: WorkDir): void {
  unlinkat(work.fd, RECORD);
}

export interface InterruptedFreeze {
  /** Need not exist. */
  readonly upperdir: string;
  readonly workdir: string;
}

/**
 * Puts right what a server left behind that died while it froze an upper directory. To be called before anybody reads or mounts that;
 * nothing happens while a mount has it, nor where there is nothing to do.
 */
export function recoverFreeze({ upperdir, workdir }: InterruptedFreeze): void {
  const root = openat(AT_FDCWD, toByteString(workdir), O_RDONLY | O_DIRECTORY);
  if (root < 0) return;
  const work = openat(root, 'work', O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const plan = work < 0 ? undefined : readPlan(work);
    if (plan === undefined || !locks(root)) return;
    // Before the upper is renamed, the files that are exchanged are in it.
    const isRenamed =
      renameat2({ dirfd: work, name: plan.fresh }, { dirfd: AT_FDCWD, name: toByteString(upperdir) }) >= 0;
    if (!isRenamed && existsSync(upperdir)) takeBack(work, upperdir, plan.exchanges);
    unlinkat(work, RECORD);
  } finally {
    if (work >= 0) close(work);
    close(root);
  }
}

function locks(fd: number): boolean {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + GRACE;
  while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    if (performance.now() > end) return false;
    Atomics.wait(nothing, 0, 0, PAUSE);
  }
  return true;
}

/** One that was not completely written is of a freeze that had not begun. */
function readPlan(work: number): FreezePlan | undefined {
  try {
    return JSON.parse(readFileSync(entryPath(work, RECORD), 'latin1')) as FreezePlan;
  } catch {
    return undefined;
  }
}

function takeBack(work: number, upperdir: string, exchanges: readonly Exchange[]): void {
  const layer = new LayerDir(upperdir, 0);
  for (const exchange of exchanges.toReversed()) {
    const directories = [new RealDir(layer)];
    const names = exchange.path.split('/');
    const name = names.pop() ?? '';
    for (const above of names) directories.unshift(directories[0]!.child(above));
    takeBackName(work, { dir: directories[0]!, name }, exchange);
    for (const dir of directories) dir.close();
  }
  layer.close();
}

function takeBackName(work: number, at: Place, { temporary, file, copy }: Exchange): void {
  const { dir, name } = at;
  const dirfd = dir.fd();
  if (dirfd < 0 || !isInode(dirfd, name, copy) || !isInode(work, temporary, file)) return;
  keepingTimes(dir, () => renameat2({ dirfd: work, name: temporary }, { dirfd: dir.fd(), name }, RENAME_EXCHANGE));
}

function isInode(dirfd: number, name: ByteString, { inoLow, inoHigh }: Ino): boolean {
  const stat = new Stat();
  return statx(dirfd, name, stat) >= 0 && stat.inoLow === inoLow && stat.inoHigh === inoHigh;
}
