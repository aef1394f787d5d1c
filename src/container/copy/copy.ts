// `cp`: files between this machine and containers, or as a tar from a container and to one.

import { SysError, VeneerError, displayBytes, errno, orAborted } from '../../core/index.js';
import { TarWriter, decompress, readTar } from '../../layer/index.js';
import type { ByteSink, ByteSource, TarEntry } from '../../layer/index.js';
import type { Store } from '../../store/index.js';
import { must, read, write } from '../../sys/index.js';
import { openContainerTree } from './container-tree.js';
import { copyBetween } from './copy-between.js';
import type { Copied, CopyOptions } from './copy-between.js';
import { openSource } from './copy-source.js';
import { openTarget, refuseReadOnly } from './copy-target.js';
import { HERE } from './tree.js';
import type { Tree } from './tree.js';
import { TreeSink } from './tree-sink.js';
import { walkSource } from './walk-source.js';

export interface CopyPlace {
  /** Undefined for this machine's own files. */
  readonly container?: string | undefined;
  readonly path: string;
}

/** Runs `act` with the tree of a place. */
async function withTree<T>(store: Store, { container }: CopyPlace, act: (tree: Tree) => Promise<T>): Promise<T> {
  if (container === undefined) return await act(HERE);
  const opened = await openContainerTree(store, container);
  try {
    return await act(opened.tree);
  } finally {
    await opened.close();
  }
}

/**
 * Copies a file or a directory, by docker's rules: into a directory that is there, else to the name that is given. Throws `not-found`,
 * `invalid` for what cannot take the place of what is there, and a SysError.
 */
export async function copyFiles(
  store: Store,
  { from, to }: { from: CopyPlace; to: CopyPlace },
  options: CopyOptions = {},
): Promise<Copied> {
  const copy = (source: Tree, target: Tree): Promise<Copied> =>
    copyBetween({ tree: source, path: from.path }, { tree: target, path: to.path }, options);
  return await withTree(store, from, async (source) => {
    // One container is locked, and mounted, once.
    if (from.container !== undefined && isSame(store, from, to)) return await copy(source, source);
    return await withTree(store, to, (target) => copy(source, target));
  });
}

function isSame(store: Store, from: CopyPlace, to: CopyPlace): boolean {
  if (from.container === undefined || to.container === undefined) return false;
  return store.containers.resolve(from.container).id === store.containers.resolve(to.container).id;
}

/** Writes what a path of a container has as a tar, under its own name, with the users and groups it has there. */
export async function copyToTar(
  store: Store,
  from: Required<CopyPlace>,
  { sink, follow = false, signal }: CopyOptions & { readonly sink: ByteSink },
): Promise<Copied> {
  return await withTree(store, from, async (tree) => {
    using source = openSource(tree, from.path, { follow });
    const tar = new TarWriter(sink);
    let [bytes, entries] = [0, 0];
    try {
      for (const { entry, fd } of walkSource({ fd: source.fd, name: source.isContents ? '' : source.name })) {
        signal?.throwIfAborted();
        await tar.entry(entry);
        if (fd !== undefined) await writeContent(tar, entry, fd);
        bytes += entry.size;
        entries += 1;
      }
      await tar.finish();
    } finally {
      await tar.abandon();
    }
    return { bytes, entries };
  });
}

async function writeContent(tar: TarWriter, entry: TarEntry, fd: number): Promise<void> {
  if (entry.size === 0) return;
  if (await tar.contentFrom((into) => must(read(fd, into), 'read', displayBytes(entry.path)))) return;
  throw new VeneerError('unavailable', `'${displayBytes(entry.path)}' shrank while it was read`);
}

/** Unpacks a tar, compressed or not, into a directory of a container. Throws `not-found`, `invalid`, and `integrity` for a damaged tar. */
export async function copyFromTar(
  store: Store,
  to: Required<CopyPlace>,
  { source, signal }: CopyOptions & { readonly source: ByteSource },
): Promise<Copied> {
  return await withTree(store, to, async (tree) => {
    using place = openTarget(tree, to.path, { isDirectory: true, isContents: true, name: '' });
    if (place.name !== '') throw missing(tree.show(to.path));
    refuseReadOnly(place, tree, to.path);
    using sink = new TreeSink({ tree, fd: place.fd, directory: place.directory });
    let [bytes, entries] = [0, 0];
    const members = readTar(decompress(source));
    try {
      for (;;) {
        const next = await orAborted(members.next(), signal);
        if (next.done === true) break;
        const { entry, content } = next.value;
        await sink.put(entry, async (fd) => {
          await orAborted(Promise.resolve(content((piece) => writeAll(fd, piece))), signal);
        });
        bytes += entry.size;
        entries += 1;
      }
    } finally {
      // A source that is silent is not waited for.
      const ended = members.return();
      if (signal?.aborted === true) ended.catch(() => undefined);
      else await ended;
    }
    sink.finish();
    return { bytes, entries };
  });
}

function writeAll(fd: number, piece: Uint8Array): void {
  for (let done = 0; done < piece.length;) {
    const written = write(fd, done === 0 ? piece : piece.subarray(done));
    if (written < 0) throw new SysError(-written, 'write');
    if (written === 0) throw new SysError(errno.EIO, 'write');
    done += written;
  }
}

function missing(shown: string): VeneerError {
  return new VeneerError('not-found', `the directory to unpack into is missing: ${shown}`);
}
