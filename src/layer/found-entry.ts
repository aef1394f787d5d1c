// A file of a layer directory as a tar entry: attributes without the overlay's own, and the way to its content.

import { displayBytes, errno, SysError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { entryPath, getxattr, listxattrat, must, openat, O_NOFOLLOW, O_RDONLY, readlinkat } from '../sys/index.js';
import type { Place, Stat } from '../sys/index.js';
import type { Found, FoundOther } from '../stack/index.js';
import { unescapeXattr } from '../whiteout/index.js';
import { statEntry, tarTypeOf } from './stat-entry.js';
import type { TarEntry } from './tar-entry.js';

/** Where the attributes of what was found are: a directory's are those of its top part. */
export function placeOf(found: Found): Place {
  if (found.kind === 'other') return { dirfd: must(found.dir.fd(), 'open', found.dir.path), name: found.name };
  const [top] = found.parts;
  return { dirfd: must(top?.fd() ?? -errno.ENOENT, 'open', top?.path), name: '.' };
}

const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();

/** The attributes a user sees. */
export function readXattrs({ dirfd, name }: Place): ReadonlyMap<ByteString, Buffer> {
  const kept = listxattrat(dirfd, name);
  if (typeof kept === 'number') throw new SysError(-kept, 'listxattr', name);
  if (kept.length === 0) return NO_XATTRS;
  const path = entryPath(dirfd, name);
  const xattrs = new Map<ByteString, Buffer>();
  for (const keptName of kept) {
    const userName = unescapeXattr(keptName);
    if (userName === undefined) continue;
    const value = getxattr(path, keptName);
    if (typeof value !== 'number') xattrs.set(userName, value);
    else if (value !== -errno.ENODATA) throw new SysError(-value, 'getxattr', displayBytes(keptName));
  }
  return xattrs;
}

/** The text of a symlink. */
export function readLink({ dirfd, name }: Place): ByteString {
  const target = readlinkat(dirfd, name);
  if (typeof target === 'number') throw new SysError(-target, 'readlink', name);
  return target;
}

/** Describes what `lookup` found, or undefined for a socket: tar has no type for one. Throws a SysError. */
export function describe(path: ByteString, found: Found, stat: Stat): TarEntry | undefined {
  const type = tarTypeOf(stat);
  if (type === undefined) return undefined;
  const place = placeOf(found);
  return statEntry(stat, {
    path,
    type,
    linkTarget: type === 'symlink' ? readLink(place) : '',
    xattrs: readXattrs(place),
  });
}

/** Opens a file's content for reading, where it is below a metadata-only copy, too. The caller closes the fd. */
export function openContent(found: FoundOther): number {
  const { dir, name } = found.data ?? found;
  return must(openat(must(dir.fd(), 'open', dir.path), name, O_RDONLY | O_NOFOLLOW), 'open', name);
}
