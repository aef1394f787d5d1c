// The history of an image: the entries of its configuration, each with the layer it made (OCI image spec, config.md, "history").

import { chainIds } from '../image/index.js';
import type { ChainId, HistoryEntry, ImageConfig } from '../image/index.js';

export interface ImageHistoryEntry {
  /** RFC 3339. */
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  /** The layer the entry made; undefined for one that made none. */
  readonly layer: ChainId | undefined;
  /** Of that layer, in bytes. */
  readonly size: number;
}

/** Newest first. Layers beyond the recorded history get an entry without words: a history is optional. */
export function imageHistory(config: ImageConfig, sizeOf: (layer: ChainId) => number): ImageHistoryEntry[] {
  const layers = chainIds(config.rootfs.diff_ids);
  const entries = config.history ?? [];
  const described = entries.filter((entry) => entry.empty_layer !== true).length;
  const silent = layers.slice(described).map((): HistoryEntry => ({}));
  let next = 0;
  return [...entries, ...silent]
    .map((entry) => {
      const layer = entry.empty_layer === true ? undefined : layers[next++];
      return {
        created: entry.created,
        createdBy: entry.created_by ?? '',
        author: entry.author ?? '',
        comment: entry.comment ?? '',
        layer,
        size: layer === undefined ? 0 : sizeOf(layer),
      };
    })
    .reverse();
}
