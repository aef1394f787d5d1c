// Unpacks an OCI changeset into a directory in the overlay's on-disk form.

import { Digester, toByteString } from '../core/index.js';
import { toDiffId } from '../image/index.js';
import type { DiffId } from '../image/index.js';
import type { ByteSource } from './byte-reader.js';
import { writeAll } from './create-entry.js';
import { decompress } from './decompress.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { LayerLimits } from './limits.js';
import { LowerView } from './lower-view.js';
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
   */
  readonly lower?: readonly string[];
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
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const digester = new Digester();
  const reader = new TarReader(decompress(options.source, limits), {
    limits,
    onChunk: (chunk) => {
      digester.update(chunk);
      options.onProgress?.(digester.size);
    },
  });
  using tree = new TargetTree(toByteString(options.target), limits.maxDepth);
  using lower = options.lower === undefined ? undefined : new LowerView(options.lower);
  const unpacker = new Unpacker({ tree, limits, lower });
  let [entries, contentSize] = [0, 0];
  const fill = (fd: number): Promise<void> => reader.content((piece) => writeAll(fd, piece));
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      entries += 1;
      contentSize += entry.size;
      await unpacker.unpack(entry, fill);
    }
  } finally {
    await reader.close();
  }
  unpacker.finish();
  return { diffId: toDiffId(digester.digest()), uncompressedSize: digester.size, entries, contentSize };
}
