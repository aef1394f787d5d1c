// What is to be copied: found once, and held open.

import { SysError, VeneerError, displayBytes, errno, toByteString } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import { O_NOFOLLOW, O_PATH, Stat, close, fstatx, must } from '../../sys/index.js';
import { readPath } from './path-words.js';
import type { Tree } from './tree.js';

export interface CopySource extends Disposable {
  /** Opened by O_PATH. */
  readonly fd: number;
  readonly isDirectory: boolean;
  /** Not the directory, but what is in it. */
  readonly isContents: boolean;
  /** Its own name. */
  readonly name: ByteString;
}

/** Throws `not-found`, and `invalid` for something that is no directory although its path says so. */
export function openSource(tree: Tree, text: string, { follow }: { follow: boolean }): CopySource {
  const path = toByteString(text === '' ? '.' : text);
  const words = readPath(path);
  const mayFollow = follow || words.isDirectory;
  const fd = tree.open(path, mayFollow ? O_PATH : O_PATH | O_NOFOLLOW);
  if (fd < 0) throw unreadable(fd, tree.show(text));
  const stat = new Stat();
  try {
    must(fstatx(fd, stat), 'statx', text);
    if (words.isDirectory && !stat.isDirectory) throw unreadable(-errno.ENOTDIR, tree.show(text));
  } catch (error) {
    close(fd);
    throw error;
  }
  return {
    fd,
    isDirectory: stat.isDirectory,
    isContents: words.isContents,
    name: words.name,
    [Symbol.dispose]: () => close(fd),
  };
}

export function unreadable(status: number, shown: string): Error {
  if (status === -errno.ENOENT) return new VeneerError('not-found', `no such file or directory: ${shown}`);
  if (status === -errno.ENOTDIR) return new VeneerError('invalid', `not a directory: ${shown}`);
  if (status === -errno.ELOOP) return new VeneerError('invalid', `too many links, or one that leads nowhere: ${shown}`);
  return new SysError(-status, 'open', displayBytes(shown));
}
