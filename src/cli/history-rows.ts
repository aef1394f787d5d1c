// The lines of `veneer history`.

import { formatSize, shortDigest } from '../core/index.js';
import type { Image, Store } from '../store/index.js';
import type { Row } from './output.js';
import { fitText } from './text.js';
import { ago } from './time.js';

/** docker's width of CREATED BY. */
const WIDTH = 45;

/** A command as one short line. */
export function shortenCommand(text: string): string {
  return fitText(text.replace(/\s+/g, ' ').trim(), WIDTH);
}

export function historyRows(store: Store, image: Image, options: { trunc: boolean; human: boolean }): Row[] {
  const { trunc, human } = options;
  return store.images.history(image.id).map((entry, index): Row => {
    const created = entry.created === undefined ? undefined : new Date(entry.created);
    const id = trunc ? shortDigest(image.id) : image.id;
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
