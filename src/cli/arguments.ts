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

/** A whole number from 1, or from `least`. Throws `usage`. */
export function parseCount(option: string, text: string, least: 0 | 1 = 1): number {
  if (/^(?:0|[1-9][0-9]{0,8})$/.test(text) && Number(text) >= least) return Number(text);
  throw new VeneerError('usage', `${option} '${text}': it must be a whole number from ${String(least)}`);
}

/** How long a container may take to end; -1 is for ever. Throws `usage`. */
export function stopSeconds(text: string): number {
  if (/^(?:-1|[0-9]{1,7})$/.test(text)) return Number(text);
  throw new VeneerError('usage', `--timeout '${text}': it must be a whole number of seconds, or -1`);
}

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes as people write them: `1048576`, `512k`, `1m`, `1MiB`, `2gb`: units of 1,024, as docker reads them. */
export function parseByteSize(option: string, text: string): number {
  const [, digits = '', unit = ''] = /^([0-9]{1,15}(?:\.[0-9]{1,6})?)([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * (SIZE_UNITS[unit.toLowerCase()] ?? 1));
  if (digits !== '' && Number.isSafeInteger(bytes)) return bytes;
  throw new VeneerError('usage', `${option} '${text}': it is not a size`, { hint: 'write bytes, or 512k, 1MiB, 2g' });
}
