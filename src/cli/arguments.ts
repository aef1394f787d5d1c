// How option values are read.

import { VeneerError } from '../core/index.js';

/** For an option that may be repeated. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** The creation time that reproducible builds ask for (reproducible-builds.org/specs/source-date-epoch). */
export function sourceDateEpoch(): { created?: Date } {
  const text = process.env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return {};
  const date = new Date(Number(text) * 1000);
  if (!/^\d+$/.test(text) || Number.isNaN(date.getTime())) {
    throw new VeneerError('usage', `SOURCE_DATE_EPOCH is '${text}': it must be a number of seconds since 1970`);
  }
  return { created: date };
}

/** `KEY=VALUE` words as an object; a word without `=` has an empty value. */
export function parseLabels(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=');
      if (word === '' || equals === 0) throw new VeneerError('usage', `label '${word}': the name is missing`);
      return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}
