import { toByteString } from '../core/index.js';
import type { TarEntry } from '../layer/index.js';

/** The same for each save of the same thing: root's, dated to the epoch. A path that ends in a slash is a directory. */
export function tarEntry(path: string, size: number): TarEntry {
  const isDirectory = path.endsWith('/');
  return {
    path: toByteString(path),
    type: isDirectory ? 'directory' : 'file',
    mode: isDirectory ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: { sec: 0, nsec: 0 },
    linkTarget: '',
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
  };
}
