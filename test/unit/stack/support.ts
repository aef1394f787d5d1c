// Layers on disk, what a stack of them shows, and what the kernel's overlayfs makes of the same layers.

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { ByteString } from '../../../src/core/index.js';
import { errnoName } from '../../../src/core/index.js';
import { list, lookup, openStack } from '../../../src/stack/index.js';
import type { Merged } from '../../../src/stack/index.js';
import {
  O_NOFOLLOW,
  O_RDONLY,
  Stat,
  close,
  entryPath,
  getxattr,
  listxattr,
  mount,
  must,
  openat,
  read,
  readlinkat,
  umount2,
} from '../../../src/sys/index.js';
import { unescapeXattr } from '../../../src/whiteout/index.js';
import { writeLayerSpec } from '../../helpers/layer-spec.js';
import type { LayerSpec } from '../../helpers/layer-spec.js';

/** Path -> what is there, in one line. */
export type View = Readonly<Record<ByteString, string>>;

/** Writes layers, top first, below `root`; returns their paths. */
export function writeLayers(root: string, specs: readonly LayerSpec[]): string[] {
  return specs.map((spec, index) => {
    const path = `${root}/layer${String(index)}`;
    mkdirSync(path, { recursive: true });
    writeLayerSpec(path, spec, specs.length - 1 - index);
    return path;
  });
}

function contentOf(dirfd: number, name: ByteString): string {
  const fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW);
  if (fd < 0) return errnoName(-fd);
  const bytes = Buffer.alloc(65536);
  const length = must(read(fd, bytes), 'read', name);
  close(fd);
  const content = bytes.toString('latin1', 0, length);
  return length <= 20 ? JSON.stringify(content) : createHash('sha256').update(content).digest('hex').slice(0, 8);
}

/** The attributes a user sees. */
function xattrsOf(path: ByteString): string {
  const names = listxattr(path);
  if (typeof names === 'number') return errnoName(-names);
  return names
    .filter((name) => name.startsWith('user.') && unescapeXattr(name) !== undefined)
    .sort()
    .map((name) => ` ${name}=${String(getxattr(path, name))}`)
    .join('');
}

/** A name that is listed, but leads nowhere. */
const NOT_FOUND = 'listed, but not found';

class Walk {
  readonly view: Record<ByteString, string> = {};
  readonly #stat = new Stat();

  directory(parts: Merged, path: ByteString): void {
    const names = list(parts);
    if (typeof names === 'number') {
      this.view[`${path}/`] = errnoName(-names);
      return;
    }
    for (const name of [...names.keys()].sort()) this.#entry(parts, name, path === '' ? name : `${path}/${name}`);
  }

  #entry(parts: Merged, name: ByteString, path: ByteString): void {
    const stat = this.#stat;
    const found = lookup(parts, name, stat);
    if (found === undefined || typeof found === 'number') {
      this.view[path] = found === undefined ? NOT_FOUND : errnoName(-found);
      return;
    }
    const common = `${(stat.mode & 0o7777).toString(8)} ${String(stat.uid)}:${String(stat.gid)} ${String(stat.mtimeSec)}`;
    if (found.kind === 'directory') {
      this.view[path] = `dir ${common}${xattrsOf(entryPath(found.parts[0]!.fd(), '.'))}`;
      this.directory(found.parts, path);
      for (const part of found.parts) part.close();
      return;
    }
    const xattrs = xattrsOf(entryPath(found.dir.fd(), found.name));
    if (stat.isSymlink) this.view[path] = `symlink ${common} -> ${String(readlinkat(found.dir.fd(), found.name))}`;
    else if (!stat.isRegular) this.view[path] = `special ${common} ${String(stat.type)} ${String(stat.rdev)}${xattrs}`;
    else {
      const data = found.data ?? found;
      this.view[path] = `file ${common} ${String(stat.size)} ${contentOf(data.dir.fd(), data.name)}${xattrs}`;
    }
  }
}

/** All that a stack of layer directories shows. */
export function viewOf(paths: readonly string[]): View {
  const stack = openStack(paths);
  const walk = new Walk();
  walk.directory(stack.root, '');
  stack.close();
  return walk.view;
}

/** The names of a view alone, sorted. */
export function namesIn(view: View): ByteString[] {
  return Object.keys(view).sort();
}

/** What overlayfs shows of the same layers: its mount is read as if it were one layer. */
export function kernelViewOf(paths: readonly string[], mountpoint: string): View {
  mkdirSync(mountpoint, { recursive: true });
  const data = `lowerdir=${paths.join(':')},redirect_dir=follow,metacopy=on`;
  must(mount({ source: 'overlay', target: mountpoint, type: 'overlay', flags: 0, data }), 'mount', data);
  try {
    // overlayfs lists a directory of one layer as it is, its needless whiteouts included (ovl_iterate_real).
    return Object.fromEntries(Object.entries(viewOf([mountpoint])).filter(([, what]) => what !== NOT_FOUND));
  } finally {
    must(umount2(mountpoint), 'umount', mountpoint);
  }
}
