// The identity of the layer that a writable directory is: its changeset is written as a tar, which is hashed and not kept.

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
}

export interface PackOptions {
  readonly upper: string;
  /** Top first. */
  readonly lower: readonly string[];
  readonly onProgress?: ((progress: CommitProgress) => void) | undefined;
}

/** Reads the changes once. Returns undefined where there are none. Throws `unavailable` for a file that shrinks meanwhile. */
export async function packUpper({ upper, lower, onProgress }: PackOptions): Promise<PackedLayer | undefined> {
  const { diffId, contentSize, entries } = await writeLayer({
    upper: [upper],
    lower,
    ...(onProgress === undefined ? {} : { onProgress: (bytes: number) => onProgress({ bytes }) }),
  });
  return entries === 0 ? undefined : { diffId, size: contentSize };
}
