// What the prune commands have in common: docker's filters, questions and output.

import { formatSize } from '../core/index.js';
import { familiarReference, parseReference } from '../image/index.js';
import type { LabelFilter, PrunedImages, PruneImagesOptions, PrunedVolumes } from '../store/index.js';
import { labelFilters, parseFilters } from './filter.js';
import type { Filters } from './filter.js';
import { writeLine } from './output.js';
import { parseTimePoint } from './time-point.js';

export interface PruneOptions {
  readonly all?: true;
  readonly force?: true;
  readonly filter?: string[];
}

export const PRUNE_FILTERS_HELP = `
Filters:
  until=TIME                  made before a date ('2024-05-01'), or longer ago than '24h'
  label=KEY, label=KEY=VALUE  with a label
  label!=KEY[=VALUE]          without it
All that are named must be met.`;

export const DANGLING_WARNING = 'all dangling images';
export const UNUSED_WARNING = 'all images without at least one container associated to them';

/** Reads --filter. Throws `usage`. */
export function pruneFilters(words: readonly string[]): Pick<PruneImagesOptions, 'until' | 'labels'> {
  // `label!=KEY` is the filter `label!` with the value KEY.
  const filters = parseFilters(words, ['until', 'label', 'label!']);
  const until = filters.get('until')?.at(-1);
  const labels = prunedLabels(filters);
  return {
    ...(until === undefined ? {} : { until: parseTimePoint(until) }),
    ...(labels.length === 0 ? {} : { labels }),
  };
}

/** `label` and `label!`. */
export function prunedLabels(filters: Filters): LabelFilter[] {
  const without = labelFilters(filters, 'label!').map((label) => ({ ...label, isNegated: true }));
  return [...labelFilters(filters, 'label'), ...without];
}

/** docker's list of what went. */
export function writePrunedVolumes({ removed }: PrunedVolumes): void {
  if (removed.length === 0) return;
  writeLine('Deleted Volumes:');
  for (const name of removed) writeLine(name);
  writeLine('');
}

/** docker's list of what went. */
export function writePrunedImages({ untagged, deleted }: PrunedImages): void {
  if (untagged.length + deleted.length === 0) return;
  writeLine('Deleted Images:');
  for (const name of untagged) writeLine(`untagged: ${familiarReference(parseReference(name))}`);
  for (const digest of deleted) writeLine(`deleted: ${digest}`);
  writeLine('');
}

export function writeReclaimed(bytes: number): void {
  writeLine(`Total reclaimed space: ${formatSize(bytes)}`);
}
