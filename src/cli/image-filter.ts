// The filters of `images`, combined as docker combines them: several values of `label` must all be met, of `reference` one;
// of the others, the last counts.

import type { Image, Store } from '../store/index.js';
import { booleanFilter, hasLabel, labelFilters } from './filter.js';
import type { Filters } from './filter.js';
import { namePattern } from './name-pattern.js';
import { parseTimePoint } from './time-point.js';

export const IMAGE_FILTERS = ['dangling', 'label', 'before', 'since', 'until', 'reference'];

const time = (image: Image): number => image.created?.getTime() ?? 0;

/** Tests that need no more than the list; those that read configurations come last. */
function testsOf(store: Store, filters: Filters): ((image: Image) => boolean)[] {
  const tests: ((image: Image) => boolean)[] = [];
  const compareTo = (name: string, test: (image: Image, other: number) => boolean): void => {
    const value = filters.get(name)?.at(-1);
    if (value === undefined) return;
    const other = time(store.images.resolve(value));
    tests.push((image) => test(image, other));
  };
  const dangling = booleanFilter(filters, 'dangling');
  if (dangling === true) tests.push(({ references }) => references.length === 0);
  if (dangling === false) tests.push(({ references, digests }) => references.length + digests.length > 0);
  compareTo('before', (image, other) => time(image) < other);
  compareTo('since', (image, other) => time(image) > other);
  const until = filters.get('until')?.at(-1);
  if (until !== undefined) {
    const limit = parseTimePoint(until).getTime();
    tests.push((image) => time(image) < limit);
  }
  const labels = labelFilters(filters, 'label');
  if (labels.length > 0) {
    tests.push((image) => {
      const has = store.images.config(image.id).config?.Labels ?? {};
      return labels.every((label) => hasLabel(has, label));
    });
  }
  return tests;
}

/** The images that all filters let through, with those of their names that the patterns of `reference` mean. */
export function filterImages(store: Store, images: readonly Image[], filters: Filters): Image[] {
  const tests = testsOf(store, filters);
  const patterns = filters.get('reference')?.map(namePattern);
  const kept = images.filter((image) => tests.every((test) => test(image)));
  if (patterns === undefined) return kept;
  const matches = (name: string): boolean => patterns.some((pattern) => pattern(name));
  return kept
    .map((image) => ({
      ...image,
      references: image.references.filter(matches),
      digests: image.digests.filter(matches),
    }))
    .filter(({ references, digests }) => references.length + digests.length > 0);
}
