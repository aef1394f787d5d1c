// A copy from one tree to another, by docker's rules.

import { setImmediate } from 'node:timers/promises';
import { VeneerError, displayBytes } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import { O_DIRECTORY, O_PATH, Stat, close, copyData, copyDataAside, fstatx, must, openat } from '../../sys/index.js';
import { openSource } from './copy-source.js';
import type { CopySource } from './copy-source.js';
import { openTarget, refuseReadOnly } from './copy-target.js';
import type { CopyTarget } from './copy-target.js';
import type { Owner } from './make-entry.js';
import type { Tree } from './tree.js';
import { TreeSink } from './tree-sink.js';
import { walkSource } from './walk-source.js';

export interface CopyOptions {
  /** A link that the source's path names is followed; those below it never are. */
  readonly follow?: boolean;
  /** Keeps users and groups, by number. Otherwise everything is root's in a container, and the caller's elsewhere. */
  readonly archive?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Copied {
  /** Of content. */
  readonly bytes: number;
  readonly entries: number;
}

export interface TreePath {
  readonly tree: Tree;
  readonly path: string;
}

/** Throws `not-found`, `invalid` for what cannot take the place of what is there, and a SysError. */
export async function copyBetween(from: TreePath, to: TreePath, options: CopyOptions = {}): Promise<Copied> {
  using source = openSource(from.tree, from.path, { follow: options.follow === true });
  using target = openTarget(to.tree, to.path, source);
  refuseReadOnly(target, to.tree, to.path);
  if (source.isDirectory) refuseInside(source, target, to.tree.show(to.path));
  const owner = options.archive === true ? undefined : ownerIn(to.tree);
  using sink = new TreeSink({ tree: to.tree, fd: target.fd, directory: target.directory, owner });
  return await fillFrom(source, { sink, name: target.name, signal: options.signal });
}

function ownerIn(tree: Tree): Owner {
  return tree.isConfined ? { uid: 0, gid: 0 } : { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

/** A copy of a directory in itself would have no end. */
function refuseInside(source: CopySource, target: CopyTarget, shown: string): void {
  const wanted = identityOf(source.fd);
  let fd = must(openat(target.fd, '.', O_PATH | O_DIRECTORY), 'open', shown);
  try {
    for (let last = ''; ;) {
      const identity = identityOf(fd);
      if (identity === wanted) throw new VeneerError('invalid', `cannot copy a directory into itself: ${shown}`);
      if (identity === last) return;
      last = identity;
      const above = openat(fd, '..', O_PATH | O_DIRECTORY);
      if (above < 0) return;
      close(fd);
      fd = above;
    }
  } finally {
    close(fd);
  }
}

function identityOf(fd: number): string {
  const stat = new Stat();
  must(fstatx(fd, stat), 'statx');
  return `${String(stat.dev)}:${String(stat.ino)}`;
}

interface Filling {
  readonly sink: TreeSink;
  /** What the first entry is called. */
  readonly name: ByteString;
  readonly signal: AbortSignal | undefined;
}

/** More than this is copied by another thread, so that signals are heard meanwhile. */
const SMALL = 8 << 20;
/** Milliseconds after which signals are heard. */
const STRETCH = 20;

async function fillFrom(source: CopySource, { sink, name, signal }: Filling): Promise<Copied> {
  let [bytes, entries, last] = [0, 0, performance.now()];
  for (const { entry, fd } of walkSource({ fd: source.fd, name })) {
    if (performance.now() - last > STRETCH) {
      await setImmediate();
      last = performance.now();
    }
    signal?.throwIfAborted();
    await sink.put(entry, async (to) => {
      if (fd === undefined) return;
      const copied = entry.size <= SMALL ? copyData(fd, to, entry.size) : await copyDataAside(fd, to, entry.size);
      must(copied, 'copy', displayBytes(entry.path));
    });
    bytes += entry.size;
    entries += 1;
  }
  sink.finish();
  return { bytes, entries };
}
