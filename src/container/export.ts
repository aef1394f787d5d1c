// `export`: the tree of a container or image as one flat tar.

import { VeneerError } from '../core/index.js';
import { writeLayer } from '../layer/index.js';
import type { ByteSink, WrittenLayer } from '../layer/index.js';
import type { Store } from '../store/index.js';
import { currentMountpoint } from './mount.js';
import { openTrees } from './open-trees.js';
import type { OpenTree } from './open-trees.js';
import { sync } from './readable-upper.js';
import { findTree } from './tree-name.js';

export interface ExportOptions {
  /** Where the tar goes, in order. */
  readonly sink: ByteSink;
  /** Told the bytes written so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes what a container or image shows, as a tar without whiteouts: `import` makes an image of it with the same tree. Hard links
 * stay links, sockets are left out. A mounted container is synced first and read through its mount; it may go on changing
 * meanwhile. Throws `not-found`, `invalid` for an ambiguous name, `unavailable` for a file that shrinks while it is read.
 */
export async function exportTree(store: Store, reference: string, options: ExportOptions): Promise<WrittenLayer> {
  const named = findTree(store, reference);
  if (named.kind === 'directory') {
    throw new VeneerError('not-found', `no such container or image: ${reference}`, {
      hint: `for a directory: tar -C ${reference} -c .`,
    });
  }
  using opened = await openTrees(store, [named]);
  const [tree] = opened.trees;
  if (tree === undefined) throw new VeneerError('not-found', `no such container or image: ${reference}`);
  const { sink, onProgress, signal } = options;
  return await writeLayer({
    upper: directoriesOf(tree),
    lower: [],
    sink,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The directory of a mounted container belongs to its server, which alone knows all names of a hard link. */
function directoriesOf({ record, directories }: OpenTree): readonly string[] {
  const mountpoint = record === undefined ? undefined : currentMountpoint(record);
  if (mountpoint === undefined) return directories;
  sync(mountpoint);
  return [mountpoint];
}
