// docker's --filter: NAME=VALUE, repeated. What several values of one name mean, each name decides.

import { VeneerError } from '../core/index.js';

/** Values by filter name, in the order they were given. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Throws `usage` for a word that is not NAME=VALUE, and for a name not in the list. */
export function parseFilters(words: readonly string[], names: readonly string[]): Filters {
  const hint = `the filters are ${names.map((name) => `${name}=`).join(', ')}`;
  const filters = new Map<string, string[]>();
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 0) throw new VeneerError('usage', `filter '${word}' is not of the form NAME=VALUE`, { hint });
    const name = word.slice(0, equals).trim().toLowerCase();
    if (!names.includes(name)) throw new VeneerError('usage', `unknown filter '${name}'`, { hint });
    filters.set(name, [...(filters.get(name) ?? []), word.slice(equals + 1).trim()]);
  }
  return filters;
}

/** The value of a filter that is true or false; the last one counts. */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const value = filters.get(name)?.at(-1);
  if (value === undefined) return undefined;
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new VeneerError('usage', `filter '${name}=${value}': it is true or false`);
}

export interface LabelFilter {
  readonly key: string;
  /** Undefined for any value. */
  readonly value?: string | undefined;
}

/** Those of `label=KEY` and `label=KEY=VALUE`. */
export function labelFilters(filters: Filters, name: string): LabelFilter[] {
  return (filters.get(name) ?? []).map((word) => {
    const equals = word.indexOf('=');
    return equals < 0 ? { key: word, value: undefined } : { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

/** Whether labels have what a filter asks for. */
export function hasLabel(labels: Readonly<Record<string, string>>, { key, value }: LabelFilter): boolean {
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
}
