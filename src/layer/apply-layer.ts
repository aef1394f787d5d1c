// Unpacks an OCI changeset into a directory in the overlay's on-disk form.

import { toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { toDiffId } from '../image/index.js';
import type { DiffId } from '../image/index.js';
import { DigesterAside } from '../sys/index.js';
import type { Place } from '../sys/index.js';
import { abortable } from './abort.js';
import type { ByteSource } from './byte-reader.js';
import { writeAll } from './create-entry.js';
import { decompress } from './decompress.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { LayerLimits } from './limits.js';
import { LowerLayers } from './lower-view.js';
import { ReplacedContent } from './replaced-content.js';
import { SkeletonWriter } from './skeleton-writer.js';
import { TarReader } from './tar-reader.js';
import { TargetTree } from './target-tree.js';
import { Unpacker } from './unpacker.js';

export interface ApplyLayerOptions {
  /** The layer's tar, plain or compressed. */
  readonly source: ByteSource;
  /** An empty directory that nobody else writes to. It becomes 0755, owned by root, unless an entry describes it. */
  readonly target: string;
  readonly limits?: Partial<LayerLimits>;
  /** Told the uncompressed bytes read so far, after each chunk. */
  readonly onProgress?: (bytes: number) => void;
  /**
   * The layer directories this one will lie on, top first. With them, hard links to files below become copies, no
   * whiteout is made where nothing is hidden, and directories that no entry describes look as they do below.
   * A function is asked when they are first needed, which for most layers is when all entries are there: so several
   * layers can be unpacked at once.
   */
  readonly lower?: readonly string[] | (() => Promise<readonly string[]>);
  /** Aborted: the promise is rejected with its reason, and the source is told that no more is wanted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Records what `assembleTar` needs to give the very bytes of the tar back: a file to be created, and the name of a directory,
   * which is made only if the archive replaces content of its own.
   */
  readonly record?: { readonly skeleton: string; readonly replaced: string };
  /** See `ReadTarOptions`: the caller knows the DiffID beforehand, and compares. */
  readonly unterminated?: boolean | undefined;
}

export interface AppliedLayer {
  /** Digest of the uncompressed bytes, to the very end of the source. */
  readonly diffId: DiffId;
  readonly uncompressedSize: number;
  readonly entries: number;
  /** Bytes in files: what the unpacked layer takes, but for metadata. */
  readonly contentSize: number;
}

/**
 * Unpacks a layer. Owner, mode, times to the nanosecond, attributes and capabilities are those of the archive.
 * On failure the target is left half filled, and nothing outside of it has been touched.
 *
 * Errors, each naming the entry where there is one: `integrity` for a malformed or hostile archive, `limit`,
 * `unsupported` for sparse files and attributes the file system does not take, `permission`, `unavailable`.
 */
export async function applyLayer(options: ApplyLayerOptions): Promise<AppliedLayer> {
  const { record } = options;
  if (record === undefined) return unpack(options);
  const skeleton = new SkeletonWriter(record.skeleton);
  try {
    const applied = await unpack(options, { skeleton, replaced: record.replaced });
    await skeleton.finish();
    return applied;
  } finally {
    await skeleton.abort();
  }
}

interface Recording {
  readonly skeleton: SkeletonWriter;
  readonly replaced: string;
}

async function unpack(options: ApplyLayerOptions, recording?: Recording): Promise<AppliedLayer> {
  const { signal } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const skeleton = recording?.skeleton;
  using digester = new DigesterAside();
  const reader = new TarReader(decompress(abortable(options.source, signal), limits), {
    limits,
    onChunk: (chunk) => {
      signal?.throwIfAborted();
      digester.update(chunk);
      options.onProgress?.(digester.size);
      return digester.ready();
    },
    onStructure: skeleton && ((bytes) => (skeleton.bytes(bytes), skeleton.ready())),
    unterminated: options.unterminated,
  });
  using tree = new TargetTree(toByteString(options.target), limits.maxDepth);
  using lower = new LowerLayers(options.lower, signal);
  using replaced = recording && new ReplacedContent(recording.replaced, recording.skeleton);
  const keep = replaced && ((place: Place, path: ByteString) => replaced.keep(place, path));
  const unpacker = new Unpacker({ tree, limits, lower, keep });
  let [entries, contentSize] = [0, 0];
  try {
    // Most entries are buffered, and most files small: waiting for what is there already would take as long as making them.
    for (;;) {
      const coming = reader.next();
      const entry = coming instanceof Promise ? await coming : coming;
      if (entry === undefined) break;
      const { size } = entry;
      entries += 1;
      contentSize += size;
      const unpacking = unpacker.unpack(entry, (fd, path) => {
        if (size > 0) skeleton?.file('own', path, size);
        return reader.content((piece) => writeAll(fd, piece));
      });
      if (unpacking !== undefined) await unpacking;
    }
  } finally {
    await reader.close();
  }
  await unpacker.finish();
  return { diffId: toDiffId(await digester.digest()), uncompressedSize: digester.size, entries, contentSize };
}
