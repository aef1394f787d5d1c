// The identity of the layer that a writable directory is: its changeset is written as a tar, which is hashed and not kept,
// but for what is not the content of its files.

import type { DiffId } from '../image/index.js';
import { writeLayer } from '../layer/index.js';

export interface CommitProgress {
  /** Of the layer's tar, hashed so far. */
  readonly bytes: number;
}

export interface PackedLayer {
  readonly diffId: DiffId;
  /** Of the content of its files, in bytes. */
  readonly size: number;
  /** Of the tar, in bytes. */
  readonly tarSize: number;
}

export interface PackOptions {
  readonly upper: string;
  /** Top first. */
  readonly lower: readonly string[];
  /** The file to be created for what the tar can be made from again. */
  readonly skeleton: string;
  readonly onProgress?: ((progress: CommitProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the changes once. Returns undefined where there are none. Throws `unavailable` for a file that shrinks meanwhile. */
export async function packUpper(options: PackOptions): Promise<PackedLayer | undefined> {
  const { upper, lower, skeleton, onProgress, signal } = options;
  const { diffId, size, contentSize, entries } = await writeLayer({
    upper: [upper],
    lower,
    record: { skeleton },
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: (bytes: number) => onProgress({ bytes }) }),
  });
  return entries === 0 ? undefined : { diffId, size: contentSize, tarSize: size };
}
