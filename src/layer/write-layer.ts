// The changes of some layers as an OCI changeset: a tar that any OCI tool understands, and the same for the same trees.

import { displayBytes, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { toDiffId } from '../image/index.js';
import type { DiffId } from '../image/index.js';
import type { Found, FoundOther } from '../stack/index.js';
import { close, DigesterAside, must, read } from '../sys/index.js';
import type { Stat } from '../sys/index.js';
import { WHITEOUT_PREFIX } from '../whiteout/index.js';
import { Breaks } from './breaks.js';
import { ChangeWalk } from './change-walk.js';
import type { ChangeNode } from './change-walk.js';
import { openLayersToCompare } from './diff-layers.js';
import type { LayersToCompare } from './diff-layers.js';
import { describe, openContent } from './found-entry.js';
import type { PathChoice } from './path-choice.js';
import type { TarEntry } from './tar-entry.js';
import { SkeletonWriter } from './skeleton-writer.js';
import { nameOf, parentOf } from './target-tree.js';
import { TarWriter } from './tar-writer.js';
import type { ByteSink } from './tar-writer.js';

export interface WriteLayerSettings {
  /** Where the tar goes; without one it is only hashed. */
  readonly sink?: ByteSink;
  /** Which changes to write; all by default. New directories that lead to them are written, too. */
  readonly paths?: PathChoice;
  /** `SOURCE_DATE_EPOCH`, in seconds: what has changed later is dated to it. */
  readonly sourceDateEpoch?: number;
  /** Told the bytes written so far. */
  readonly onProgress?: (bytes: number) => void;
  /**
   * Records what `assembleTar` needs to give the same bytes again from the layer directories: a file to be created. It is
   * for the single layer `upper` names.
   */
  readonly record?: { readonly skeleton: string };
  /** Aborted: the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
}

export type WriteLayerOptions = LayersToCompare & WriteLayerSettings;

export interface WrittenLayer {
  readonly diffId: DiffId;
  /** Bytes of the tar. */
  readonly size: number;
  /** 0 where nothing has changed. */
  readonly entries: number;
  /** Bytes in files. */
  readonly contentSize: number;
}

/**
 * Writes the changeset that turns one stack into the other. Each directory comes before what is in it; in it explicit
 * whiteouts come first, then the other names in byte order. Hard links among the changes stay links: the first name
 * has the content. Sockets are left out: tar has no type for them.
 *
 * Errors: SysError from the layers; `unavailable` for a file that shrinks while it is read; what the sink throws.
 */
export async function writeLayer(options: WriteLayerOptions): Promise<WrittenLayer> {
  const { record } = options;
  if (record === undefined) return write(options);
  const skeleton = new SkeletonWriter(record.skeleton);
  try {
    const written = await write(options, skeleton);
    await skeleton.finish();
    return written;
  } finally {
    await skeleton.abort();
  }
}

async function write(options: WriteLayerOptions, skeleton?: SkeletonWriter): Promise<WrittenLayer> {
  const { signal } = options;
  using digester = new DigesterAside();
  const sink: ByteSink = async (chunk) => {
    signal?.throwIfAborted();
    digester.update(chunk);
    options.onProgress?.(digester.size);
    await options.sink?.(chunk);
    await skeleton?.ready();
    await digester.settled();
  };
  const tar = new TarWriter(sink, skeleton && ((bytes) => skeleton.bytes(bytes)));
  const layer = new LayerWriter({ tar, skeleton, latest: options.sourceDateEpoch });
  const breaks = new Breaks();
  try {
    using stacks = openLayersToCompare(options);
    const { paths } = options;
    const walk = new ChangeWalk(stacks, paths === undefined ? {} : { paths, strict: true });
    for (const change of walk.run()) {
      signal?.throwIfAborted();
      await layer.write(change);
      const due = breaks.due();
      if (due !== undefined) await due;
    }
    await tar.finish();
    signal?.throwIfAborted();
  } finally {
    await tar.abandon();
  }
  const { entries, contentSize } = layer;
  return { diffId: toDiffId(await digester.digest()), size: digester.size, entries, contentSize };
}

interface LayerWriterOptions {
  readonly tar: TarWriter;
  readonly skeleton: SkeletonWriter | undefined;
  /** In seconds. */
  readonly latest: number | undefined;
}

class LayerWriter {
  readonly #tar: TarWriter;
  readonly #skeleton: SkeletonWriter | undefined;
  readonly #latest: number;
  /** The first path of each file with several names, by device and inode. */
  readonly #names = new Map<string, ByteString>();
  entries = 0;
  contentSize = 0;

  constructor({ tar, skeleton, latest = Number.POSITIVE_INFINITY }: LayerWriterOptions) {
    this.#tar = tar;
    this.#skeleton = skeleton;
    this.#latest = latest;
  }

  async write(change: ChangeNode): Promise<void> {
    if (change.kind === 'deleted') {
      await this.#header(whiteoutOf(change.path));
      return;
    }
    const { found, stat } = change.now;
    const path = change.path === '' ? './' : change.path;
    const linked = found.kind === 'other' ? this.#firstName(stat, path) : undefined;
    const entry = describe(path, found, stat);
    if (entry === undefined) return;
    if (linked !== undefined) {
      await this.#header({
        ...entry,
        type: 'hardlink',
        linkTarget: linked,
        size: 0,
        devMajor: 0,
        devMinor: 0,
        xattrs: NONE,
      });
      return;
    }
    await this.#header(entry);
    await this.#content(entry, found);
  }

  async #header(entry: TarEntry): Promise<void> {
    this.entries += 1;
    const late = entry.mtime.sec >= this.#latest;
    await this.#tar.entry(late ? { ...entry, mtime: { sec: this.#latest, nsec: 0 } } : entry);
  }

  async #content(entry: TarEntry, found: Found): Promise<void> {
    if (found.kind !== 'other' || entry.size === 0) return;
    this.contentSize += entry.size;
    this.#skeleton?.file(isInPlace(entry.path, found) ? 'own' : 'merged', entry.path, entry.size);
    const fd = openContent(found);
    try {
      if (await this.#tar.contentFrom((into) => must(read(fd, into), 'read', displayBytes(entry.path)))) return;
    } finally {
      close(fd);
    }
    throw new VeneerError('unavailable', `'${displayBytes(entry.path)}' shrank while it was read`);
  }

  /** The path under which a file with several names is in the archive already. */
  #firstName(stat: Stat, path: ByteString): ByteString | undefined {
    if (stat.nlink < 2) return undefined;
    const key = `${String(stat.dev)}:${String(stat.ino)}`;
    const first = this.#names.get(key);
    if (first === undefined) this.#names.set(key, path);
    return first;
  }
}

/** Whether the topmost layer has the content under the very path. */
function isInPlace(path: ByteString, { dir, data }: FoundOther): boolean {
  return data === undefined && dir.layer.index === 0 && dir.path === parentOf(path);
}

const NONE: ReadonlyMap<ByteString, Buffer> = new Map();

function whiteoutOf(path: ByteString): TarEntry {
  const parent = parentOf(path);
  const name = WHITEOUT_PREFIX + nameOf(path);
  return {
    path: parent === '' ? name : `${parent}/${name}`,
    type: 'file',
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { sec: 0, nsec: 0 },
    linkTarget: '',
    devMajor: 0,
    devMinor: 0,
    xattrs: NONE,
  };
}
