// A blob wherever it lies: in a registry, in a store, in an archive. Readable from anywhere, so that one day a layer
// can be used before all of it is here.

import type { Digest } from '../core/index.js';

/** A part of a blob, in bytes; to its end by default. */
export interface ByteRange {
  readonly offset: number;
  readonly length?: number;
}

export interface BlobReader {
  readonly digest: Digest;
  /** In bytes, as announced. */
  readonly size: number;
  /**
   * The bytes of the whole or of a part, in order, chunks of any size that are the taker's own. Throws `integrity` where the blob
   * ends before the part does, and the signal's reason. A part cannot be verified; who reads the whole compares its digest.
   */
  read(range?: ByteRange, options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>;
}
