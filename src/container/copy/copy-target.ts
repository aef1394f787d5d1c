// Where a copy goes: docker's rules for what is there already, and for what is not.

import { VeneerError, errno, toByteString } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, S_IFBLK, S_IFCHR, Stat } from '../../sys/index.js';
import { close, fstatx, isReadOnly, must, openat, readlinkat } from '../../sys/index.js';
import type { CopySource } from './copy-source.js';
import { unreadable } from './copy-source.js';
import { linkedPath, readPath } from './path-words.js';
import type { Tree } from './tree.js';

export interface CopyTarget extends Disposable {
  /** The directory that gets something, opened by O_PATH, and its path in the tree. */
  readonly fd: number;
  readonly directory: ByteString;
  /** The name it gets; empty where the contents of a directory go into the directory itself. */
  readonly name: ByteString;
}

/** Said before anything is done: the kernel would say it of a name that is in the way. */
export function refuseReadOnly({ fd }: CopyTarget, tree: Tree, text: string): void {
  if (!tree.isConfined || !isReadOnly(fd)) return;
  throw new VeneerError('permission', `cannot copy to ${tree.show(text)}: it is read-only in the container`, {
    hint: 'so is what --read-only or a volume with :ro makes; other volumes of the container can be written to',
  });
}

/** Linux' own bound (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** Throws `not-found` where the directory to put it in is missing, and `invalid` for a directory over a file, or a device. */
export function openTarget(tree: Tree, text: string, source: Omit<CopySource, 'fd' | keyof Disposable>): CopyTarget {
  const path = toByteString(text === '' ? '.' : text);
  const there = tree.open(path, O_PATH | O_DIRECTORY);
  if (there >= 0) {
    const name = source.isDirectory && source.isContents ? '' : source.name;
    return target(there, path, name);
  }
  const shown = tree.show(text);
  const isMissing = there === -errno.ENOENT;
  if (!isMissing && there !== -errno.ENOTDIR) throw unreadable(there, shown);
  if (readPath(path).isDirectory && (!isMissing || !source.isDirectory)) {
    throw isMissing ? missingDirectory(shown) : unreadable(there, shown);
  }
  return openParent(tree, text, path.replace(/\/+$/, ''), source);
}

/** The directory of a file, or of what is not there yet, behind links. */
function openParent(
  tree: Tree,
  text: string,
  start: ByteString,
  { isDirectory }: { isDirectory: boolean },
): CopyTarget {
  const stat = new Stat();
  let path = start;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const { parent, name } = readPath(path);
    if (name === '') throw missingDirectory(tree.show(text));
    const fd = tree.open(parent, O_PATH | O_DIRECTORY);
    if (fd < 0) throw fd === -errno.ENOENT ? missingDirectory(tree.show(text)) : unreadable(fd, tree.show(text));
    const found = openat(fd, name, O_PATH | O_NOFOLLOW);
    if (found === -errno.ENOENT) return target(fd, parent, name);
    try {
      must(found, 'open', text);
      must(fstatx(found, stat), 'statx', text);
      const link = stat.isSymlink ? readlinkat(found, '') : undefined;
      if (typeof link !== 'string') {
        // As docker, which does not take a machine's /dev/null away.
        if (stat.type === S_IFCHR || stat.type === S_IFBLK) {
          throw new VeneerError('invalid', `cannot copy over a device: ${tree.show(text)}`);
        }
        if (!isDirectory) return target(fd, parent, name);
        throw new VeneerError('invalid', `cannot copy a directory over a file: ${tree.show(text)}`);
      }
      close(fd);
      path = linkedPath(parent, link);
    } catch (error) {
      close(fd);
      throw error;
    } finally {
      close(found);
    }
  }
  throw unreadable(-errno.ELOOP, tree.show(text));
}

function target(fd: number, directory: ByteString, name: ByteString): CopyTarget {
  return { fd, directory, name, [Symbol.dispose]: () => close(fd) };
}

function missingDirectory(shown: string): VeneerError {
  return new VeneerError('not-found', `the directory to copy into is missing: ${shown}`);
}
