// What must hold of the directories of a mount before it is made: each failure is one clear line. The paths
// are the user's own; what lies inside them is not looked at.

import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { hasCode, messageOf, SysError, toByteString, VeneerError } from '../core/index.js';
import { AT_FDCWD, AT_REMOVEDIR, DT_UNKNOWN, O_DIRECTORY, O_RDONLY } from '../sys/index.js';
import type { MountEntry } from '../sys/index.js';
import { close, entryPath, listDirectory, mkdirat, mountEntries, openat, setxattr, unlinkat } from '../sys/index.js';

export interface OverlayDirectories {
  /** Top first. */
  readonly lowerdir: readonly string[];
  readonly upperdir?: string | undefined;
  readonly workdir?: string | undefined;
  readonly mountpoint: string;
}

/** A directory that is there: what the options call it, as given, and as the kernel knows it. */
interface Directory {
  readonly role: string;
  readonly given: string;
  readonly real: string;
  readonly dev: bigint;
  readonly ino: bigint;
  /** Where it is in its own file system, which is one place however many bind mounts lead there. */
  readonly place: string;
  /** Itself and all directories above, as `identity` has them. */
  readonly chain: ReadonlySet<string>;
}

/** In the order of mounting. */
type MountTable = readonly MountEntry[];

function missing(role: string, given: string, error: unknown): VeneerError {
  const code = hasCode(error, 'ENOENT') ? 'not-found' : hasCode(error, 'EACCES') ? 'permission' : 'invalid';
  const why = hasCode(error, 'ENOENT')
    ? 'no such directory'
    : hasCode(error, 'EACCES')
      ? 'permission denied'
      : hasCode(error, 'ENOTCONN')
        ? 'a dead FUSE mount lies there'
        : messageOf(error);
  const hint = hasCode(error, 'ENOTCONN') ? { hint: `umount -l '${given}' removes it` } : {};
  return new VeneerError(code, `overlay: ${role} '${given}': ${why}`, { cause: error, ...hint });
}

function directory(role: string, given: string, mounts: MountTable): Directory {
  let stat;
  let real;
  try {
    real = realpathSync(given);
    stat = statSync(real, { bigint: true });
  } catch (error) {
    throw missing(role, given, error);
  }
  if (!stat.isDirectory()) throw new VeneerError('invalid', `overlay: ${role} '${given}' is not a directory`);
  const { dev, ino } = stat;
  return { role, given, real, dev, ino, place: placeOf(real, mounts), chain: chainOf(real) };
}

const identity = ({ dev, ino }: { dev: bigint; ino: bigint }): string => `${dev}:${ino}`;

const isSame = (a: Directory, b: Directory): boolean => identity(a) === identity(b);

function chainOf(real: string): Set<string> {
  const chain = new Set<string>();
  for (let at = real; ; at = path.dirname(at)) {
    const stat = statSync(at, { bigint: true, throwIfNoEntry: false });
    if (stat !== undefined) chain.add(identity(stat));
    if (at === path.dirname(at)) return chain;
  }
}

function placeOf(real: string, mounts: MountTable): string {
  const bytes = toByteString(real);
  const covers = (mountpoint: string): boolean =>
    mountpoint === '/' || bytes === mountpoint || bytes.startsWith(`${mountpoint}/`);
  let best: MountEntry | undefined;
  for (const entry of mounts) {
    if (covers(entry.mountpoint) && entry.mountpoint.length >= (best?.mountpoint.length ?? 0)) best = entry;
  }
  if (best === undefined) return bytes;
  return path.posix.join(best.root, path.posix.relative(best.mountpoint, bytes));
}

/** True when `inner` is `outer` or lies in it, whatever symlinks, mounts and bind mounts the paths go through. */
function isInside(inner: Directory, outer: Directory): boolean {
  if (inner.dev === outer.dev) {
    const way = path.posix.relative(outer.place, inner.place);
    if (way !== '..' && !way.startsWith('../')) return true;
  }
  return inner.chain.has(identity(outer));
}

function refuseInside(inner: Directory, outer: Directory, why: string): void {
  if (!isInside(inner, outer)) return;
  const where = isSame(inner, outer) ? 'the same directory as' : 'inside';
  throw new VeneerError(
    'invalid',
    `overlay: ${inner.role} '${inner.given}' is ${where} ${outer.role} '${outer.given}'`,
    {
      hint: why,
    },
  );
}

function refuseRepeated(lowers: readonly Directory[]): void {
  const seen = new Map<string, Directory>();
  for (const lower of lowers) {
    const twin = seen.get(identity(lower));
    seen.set(identity(lower), lower);
    if (twin === undefined) continue;
    const names = twin.given === lower.given ? '' : `, first as '${twin.given}'`;
    throw new VeneerError('invalid', `overlay: lowerdir '${lower.given}' is given twice${names}`);
  }
}

/** A file system mounted by us or by overlayfs; what else is mounted there may be mounted over. */
const UNION = /^(fuse\..*|fuse|overlay)$/;

function refuseMounted(mountpoint: string, real: string, mounts: MountTable): void {
  const bytes = toByteString(real);
  const there = mounts.findLast((entry) => entry.mountpoint === bytes);
  if (there === undefined || !UNION.test(there.type)) return;
  throw new VeneerError('in-use', `overlay: mount point '${mountpoint}' is in use: ${there.type} is mounted there`, {
    hint: `umount '${mountpoint}' first, or choose another directory`,
  });
}

function checkMountpoint(given: string, mounts: MountTable): void {
  // The mount table first: asking a mount whose server hangs for its attributes would hang, too.
  const absolute = path.resolve(given);
  try {
    refuseMounted(given, path.join(realpathSync(path.dirname(absolute)), path.basename(absolute)), mounts);
  } catch (error) {
    if (error instanceof VeneerError) throw error;
    throw missing('mount point', given, error);
  }
  refuseMounted(given, directory('mount point', given, mounts).real, mounts);
}

function probeFailure(work: Directory, status: number, what: string): VeneerError {
  const cause = new SysError(-status, what, work.given);
  return new VeneerError('unsupported', `overlay: workdir '${work.given}': ${cause.message}`, {
    hint: 'upperdir and workdir need a writable file system that has extended attributes, such as ext4, xfs, btrfs or tmpfs',
    cause,
  });
}

/** Finds out what the file system of upper and work can do, with a directory made for it and removed again. */
function probe(work: Directory): void {
  const dirfd = openat(AT_FDCWD, toByteString(work.real), O_RDONLY | O_DIRECTORY);
  if (dirfd < 0) throw probeFailure(work, dirfd, 'open');
  const name = `.veneer-probe-${process.pid}`;
  try {
    const made = mkdirat(dirfd, name, 0o700);
    if (made < 0) throw probeFailure(work, made, 'mkdir');
    const target = entryPath(dirfd, name);
    const value = Buffer.from('y');
    const trusted = setxattr(target, 'trusted.overlay.opaque', value);
    const marked = trusted < 0 ? setxattr(target, 'user.overlay.opaque', value) : trusted;
    if (marked < 0) throw probeFailure(work, marked, 'setxattr');
    const entries = listDirectory(dirfd);
    if (typeof entries === 'number') throw probeFailure(work, entries, 'getdents64');
    if (entries.find((entry) => entry.name === name)?.type === DT_UNKNOWN) {
      throw new VeneerError(
        'unsupported',
        `overlay: workdir '${work.given}': its file system does not tell types in listings`,
        {
          hint: 'an xfs made with ftype=0 is such a one: use another file system',
        },
      );
    }
  } finally {
    unlinkat(dirfd, name, AT_REMOVEDIR);
    close(dirfd);
  }
}

function checkWritable(
  lowers: readonly Directory[],
  upper: Directory,
  workdir: string | undefined,
  mounts: MountTable,
): void {
  if (workdir === undefined) {
    throw new VeneerError('invalid', `overlay: upperdir '${upper.given}' needs a workdir`, {
      hint: 'workdir=DIR: an empty directory beside upperdir, on the same file system',
    });
  }
  const work = directory('workdir', workdir, mounts);
  const apart = 'upperdir and workdir must be two directories beside each other';
  refuseInside(work, upper, apart);
  refuseInside(upper, work, apart);
  for (const lower of lowers) {
    refuseInside(upper, lower, 'what is written to upperdir would change the layer below it');
    refuseInside(lower, upper, 'what is written to upperdir would change the layer below it');
    refuseInside(work, lower, 'what is staged in workdir would show in the layer');
    refuseInside(lower, work, 'workdir is cleared at each mount');
  }
  if (work.dev !== upper.dev) {
    throw new VeneerError(
      'invalid',
      `overlay: upperdir '${upper.given}' and workdir '${work.given}' are on different file systems`,
      { hint: 'files are renamed from workdir to upperdir: put them beside each other' },
    );
  }
  probe(work);
}

/** Throws a VeneerError that names the directory and what is wrong with it. Changes nothing that stays. */
export function validateOverlay({ lowerdir, upperdir, workdir, mountpoint }: OverlayDirectories): void {
  if (lowerdir.length === 0) throw new VeneerError('invalid', 'overlay: no lowerdir is given');
  const mounts = mountEntries();
  const lowers = lowerdir.map((given) => directory('lowerdir', given, mounts));
  refuseRepeated(lowers);
  if (upperdir !== undefined) checkWritable(lowers, directory('upperdir', upperdir, mounts), workdir, mounts);
  checkMountpoint(mountpoint, mounts);
}
