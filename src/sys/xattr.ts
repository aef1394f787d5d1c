// Extended attributes. The calls by path do not follow a last symlink; a file known by (dirfd, name)
// is reached as `entryPath(dirfd, name)`, one known by any fd as `fdPath(fd)` (the `Follow` forms).

import { errno } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { AT_SYMLINK_NOFOLLOW } from './constants.js';
import { bind, cString, result } from './libc.js';
import { entryPath } from './names.js';

const nativeLget = bind('intptr_t lgetxattr(void *, void *, void *, size_t)');
const nativeLset = bind('int lsetxattr(void *, void *, void *, size_t, int)');
const nativeLlist = bind('intptr_t llistxattr(void *, void *, size_t)');
const nativeLremove = bind('int lremovexattr(void *, void *)');
const nativeGet = bind('intptr_t getxattr(void *, void *, void *, size_t)');
const nativeSet = bind('int setxattr(void *, void *, void *, size_t, int)');
const nativeList = bind('intptr_t listxattr(void *, void *, size_t)');
const nativeRemove = bind('int removexattr(void *, void *)');
const nativeFget = bind('intptr_t fgetxattr(int, void *, void *, size_t)');
const nativeFset = bind('int fsetxattr(int, void *, void *, size_t, int)');
const nativeFlist = bind('intptr_t flistxattr(int, void *, size_t)');
const nativeFremove = bind('int fremovexattr(int, void *)');

const nativeListat = bind('intptr_t syscall(intptr_t, int, void *, unsigned int, void *, size_t)');

/** Where an attribute is: an open (not O_PATH) file, a path not to be followed at its end, or one to be followed. */
export type XattrTarget = number | ByteString | { readonly follow: ByteString };

/** XATTR_SIZE_MAX and XATTR_LIST_MAX, linux/limits.h. */
const SIZE_MAX = 65536;
const value = Buffer.alloc(SIZE_MAX);

/** Reads a value into `into` and returns its length; with an empty `into`, only the length. */
export function getxattrInto(target: XattrTarget, name: ByteString, into: Uint8Array): number {
  const attribute = cString(name, 1);
  if (typeof target === 'number') return result(nativeFget(target, attribute, into, into.length));
  if (typeof target === 'string') return result(nativeLget(cString(target), attribute, into, into.length));
  return result(nativeGet(cString(target.follow), attribute, into, into.length));
}

/** A copy of a value, or -errno (ENODATA where there is none). */
export function getxattr(target: XattrTarget, name: ByteString): Buffer | number {
  const length = getxattrInto(target, name, value);
  return length < 0 ? length : Buffer.from(value.subarray(0, length));
}

/** `flags`: 0, XATTR_CREATE or XATTR_REPLACE. */
export function setxattr(target: XattrTarget, name: ByteString, content: Uint8Array, flags = 0): number {
  const attribute = cString(name, 1);
  if (typeof target === 'number') return result(nativeFset(target, attribute, content, content.length, flags));
  if (typeof target === 'string') return result(nativeLset(cString(target), attribute, content, content.length, flags));
  return result(nativeSet(cString(target.follow), attribute, content, content.length, flags));
}

export function removexattr(target: XattrTarget, name: ByteString): number {
  const attribute = cString(name, 1);
  if (typeof target === 'number') return result(nativeFremove(target, attribute));
  if (typeof target === 'string') return result(nativeLremove(cString(target), attribute));
  return result(nativeRemove(cString(target.follow), attribute));
}

/** All names, or -errno. A file system without attributes has none. */
export function listxattr(target: XattrTarget): ByteString[] | number {
  if (typeof target === 'number') return namesIn(result(nativeFlist(target, value, value.length)));
  if (typeof target === 'string') return namesIn(result(nativeLlist(cString(target), value, value.length)));
  return namesIn(result(nativeList(cString(target.follow), value, value.length)));
}

/** Linux 6.13; by a path through /proc it takes half as long again. */
const SYS_LISTXATTRAT = 465;
let hasListxattrat = true;

/** As `listxattr`, of what `name` is in a directory; a symlink is not followed. */
export function listxattrat(dirfd: number, name: ByteString): ByteString[] | number {
  if (hasListxattrat) {
    const path = cString(name);
    const length = result(nativeListat(SYS_LISTXATTRAT, dirfd, path, AT_SYMLINK_NOFOLLOW, value, value.length));
    if (length !== -errno.ENOSYS) return namesIn(length);
    hasListxattrat = false;
  }
  return listxattr(entryPath(dirfd, name));
}

function namesIn(length: number): ByteString[] | number {
  if (length === -errno.EOPNOTSUPP) return [];
  return length <= 0 ? (length === 0 ? [] : length) : value.toString('latin1', 0, length - 1).split('\0');
}
