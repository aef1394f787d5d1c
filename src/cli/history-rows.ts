// The lines of `veneer history`.

import { formatSize, shortDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { chainIds } from '../image/index.js';
import { imageHistory } from '../store/index.js';
import type { Image, ImageHistoryEntry, Store } from '../store/index.js';
import type { ArchivedImage } from '../transfer/index.js';
import type { Row } from './output.js';
import { shortenCommand } from './text.js';
import { ago } from './time.js';

export interface HistoryOptions {
  readonly trunc: boolean;
  readonly human: boolean;
}

export function historyRows(store: Store, image: Image, options: HistoryOptions): Row[] {
  return rowsOf(image.id, store.images.history(image.id), options);
}

/** The sizes are those of the layers in the archive. */
export function archivedHistoryRows({ id, config, layerSizes }: ArchivedImage, options: HistoryOptions): Row[] {
  const sizes = new Map(chainIds(config.rootfs.diff_ids).map((layer, at) => [layer, layerSizes[at] ?? 0]));
  return rowsOf(
    id,
    imageHistory(config, (layer) => sizes.get(layer) ?? 0),
    options,
  );
}

function rowsOf(image: Digest, entries: readonly ImageHistoryEntry[], { trunc, human }: HistoryOptions): Row[] {
  return entries.map((entry, index): Row => {
    const created = entry.created === undefined ? undefined : new Date(entry.created);
    const id = trunc ? shortDigest(image) : image;
    return {
      Comment: entry.comment,
      CreatedAt: entry.created ?? 'N/A',
      CreatedBy: trunc ? shortenCommand(entry.createdBy) : entry.createdBy,
      CreatedSince: human ? ago(created) : (entry.created ?? 'N/A'),
      ID: index === 0 ? id : '<missing>',
      Size: human ? formatSize(entry.size) : String(entry.size),
    };
  });
}
