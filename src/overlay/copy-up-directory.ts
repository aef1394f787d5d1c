// Copy-up of directories: an empty one of the same looks, made out of sight and shown by one rename.

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import type { RealDir } from '../stack/index.js';
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  Stat,
  close,
  entryPath,
  getxattr,
  mkdirat,
  openat,
  renameat2,
  setxattr,
  statx,
} from '../sys/index.js';
import type { XattrTarget } from '../sys/index.js';
import { setProtection } from '../whiteout/index.js';
import { statNode } from './attr.js';
import { copyFlags, copyTimes, copyXattrs } from './copy-attributes.js';
import { keepingTimes } from './keeping-times.js';
import type { DirNode, Node, Place } from './node.js';
import type { Overlay } from './overlay.js';
import { copyOwnership } from './ownership.js';
import { removeTree } from './work-dir.js';
import type { WorkDir } from './work-dir.js';

/** Records where a copy came from, if the lower file system can tell. */
export function setOrigin(o: Overlay, from: Place, to: string | number): number {
  const origin = keptOrigin(o, from) ?? o.origins.encode(from.dir, from.name);
  if (origin === undefined) return 0;
  const status = setxattr(to, `${o.namespace}origin`, origin);
  return status === -errno.EOPNOTSUPP ? 0 : status;
}

/**
 * Of a file of a layer that was writable once: what it was copied from itself, if it shows the number of that. A file of several
 * links has a number of its own, since which of them belong together is not known any more.
 */
function keptOrigin(o: Overlay, { dir, name }: Place): Buffer | undefined {
  if (!dir.layer.frozen || name === '') return undefined;
  const dirfd = dir.fd();
  if (dirfd < 0 || statx(dirfd, name, source) < 0 || source.nlink > 1) return undefined;
  const target = entryPath(dirfd, name);
  const value = getxattr(target, `${o.namespace}origin`);
  if (typeof value === 'number' || (o.origins.resolve(target, source) && source.nlink > 1)) return undefined;
  return value;
}

const source = new Stat();

/** Tells the kernel's overlay, before it is so, that a directory holds copies whose inode numbers are not their own. */
export function markImpure(o: Overlay, dir: DirNode): void {
  if (dir.impure || dir.upper === undefined) return;
  setxattr(entryPath(dir.upper.fd(), '.'), `${o.namespace}impure`, Buffer.from('y'));
  dir.impure = true;
}

/** Makes sure that a directory exists in the upper. Returns 0 or -errno (EROFS on a read-only mount). */
export function copyUpDirectory(o: Overlay, dir: DirNode): number {
  if (dir.upper !== undefined) return 0;
  const { work } = o;
  if (work === undefined) return -errno.EROFS;
  if (dir.at === undefined) return -errno.ENOENT;
  const { parent, name } = dir.at;
  const above = copyUpDirectory(o, parent);
  if (above < 0) return above;
  const lower = dir.parts[0]!;
  const stat = new Stat();
  const known = statNode(o, dir, stat);
  if (known < 0) return known;
  const temporary = work.newName();
  let status = stageDirectory(o, { work, from: lower, temporary }, stat);
  if (status >= 0) status = setOrigin(o, { dir: lower, name: '' }, entryPath(work.fd, temporary));
  if (status >= 0) status = keepProtection(o, dir, entryPath(work.fd, temporary));
  if (status < 0) {
    removeTree(work.fd, temporary);
    return status;
  }
  const upper = parent.writable;
  const shown = keepingTimes(upper, () => {
    markImpure(o, parent);
    return renameat2({ dirfd: work.fd, name: temporary }, { dirfd: upper.fd(), name });
  });
  if (shown < 0) {
    removeTree(work.fd, temporary);
    return shown;
  }
  dir.upper = upper.child(name);
  dir.parts = [dir.upper, ...dir.parts];
  return 0;
}

/** The flags that a node of a layer that was writable once has in an attribute only. Returns 0 or -errno. */
export function keepProtection(o: Overlay, node: Node, copy: XattrTarget): number {
  if (node.protection === 0) return 0;
  const status = setProtection(copy, o.namespace, node.protection);
  return status === -errno.EOPNOTSUPP ? 0 : status;
}

/** Makes an empty directory in the work directory that looks as another one, whose attributes are `stat`. */
export function stageDirectory(
  o: Overlay,
  place: { work: WorkDir; from: RealDir; temporary: ByteString },
  stat: Stat,
): number {
  const { work, from, temporary } = place;
  const made = mkdirat(work.fd, temporary, 0o700);
  if (made < 0) return made;
  const fd = from.fd();
  if (fd < 0) return fd;
  let status = copyXattrs(entryPath(fd, '.'), entryPath(work.fd, temporary));
  if (status >= 0) {
    const onCopy = (call: (fd: number) => number): number => onDirectory(work.fd, temporary, call);
    status = copyFlags(fd, { target: entryPath(work.fd, temporary), namespace: o.namespace, onCopy });
  }
  if (status >= 0) status = copyOwnership(o, { dirfd: work.fd, name: temporary }, stat);
  return status < 0 ? status : copyTimes(work.fd, temporary, stat);
}

function onDirectory(dirfd: number, name: ByteString, call: (fd: number) => number): number {
  const fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) return fd;
  const status = call(fd);
  close(fd);
  return status;
}
