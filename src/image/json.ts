// Foreign JSON is read field by field into our types, never cast.

import { VeneerError } from '../core/index.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a document is called in errors, and the path inside it (`config.Env[2]`). */
export interface JsonPlace {
  readonly document: string;
  readonly path: string;
}

export function at(place: JsonPlace, key: string | number): JsonPlace {
  const step = typeof key === 'number' ? `[${String(key)}]` : place.path === '' ? key : `.${key}`;
  return { document: place.document, path: place.path + step };
}

export function malformed(place: JsonPlace, expected: string): VeneerError {
  const where = place.path === '' ? 'it' : `'${place.path}'`;
  return new VeneerError('invalid', `malformed ${place.document}: ${where} is not ${expected}`);
}

/** Parses a whole document whose root is an object. Throws `invalid`. */
export function parseDocument(bytes: Uint8Array, document: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new VeneerError('invalid', `malformed ${document}: not JSON`, { cause });
  }
  return asObject(value, { document, path: '' });
}

export function asObject(value: unknown, place: JsonPlace): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(place, 'an object');
  return value as JsonObject;
}

export function asString(value: unknown, place: JsonPlace): string {
  if (typeof value !== 'string') throw malformed(place, 'a string');
  return value;
}

export function asBoolean(value: unknown, place: JsonPlace): boolean {
  if (typeof value !== 'boolean') throw malformed(place, 'true or false');
  return value;
}

/** A count or a size: an integer that is exact in a double and not negative. */
export function asSize(value: unknown, place: JsonPlace): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(place, 'a size');
  return value;
}

export function asNumber(value: unknown, place: JsonPlace): number {
  if (typeof value !== 'number') throw malformed(place, 'a number');
  return value;
}

export function asArray<T>(value: unknown, place: JsonPlace, read: (item: unknown, place: JsonPlace) => T): T[] {
  if (!Array.isArray(value)) throw malformed(place, 'a list');
  return value.map((item, index) => read(item, at(place, index)));
}

export function asMap<T>(
  value: unknown,
  place: JsonPlace,
  read: (item: unknown, place: JsonPlace) => T,
): Record<string, T> {
  const entries = Object.entries(asObject(value, place));
  return Object.fromEntries(entries.map(([key, item]) => [key, read(item, at(place, key))]));
}

/** How each known field of an object is read. */
export type Fields<T> = { readonly [K in keyof T & string]?: (value: unknown, place: JsonPlace) => T[K] };

/**
 * Reads an object: known fields in the order of `fields` and checked, all others after them and unchanged.
 * A field that is null counts as absent: Go writers emit null for empty lists and maps.
 */
export function readFields<T extends object>(source: JsonObject, place: JsonPlace, fields: Fields<T>): Partial<T> {
  const known: Record<string, unknown> = {};
  for (const [key, read] of Object.entries(fields) as [string, (value: unknown, place: JsonPlace) => unknown][]) {
    const value = Object.hasOwn(source, key) ? source[key] : undefined;
    if (value !== undefined && value !== null) known[key] = read(value, at(place, key));
  }
  const others = Object.entries(source).filter(([key]) => !Object.hasOwn(fields, key));
  return { ...known, ...Object.fromEntries(others) } as Partial<T>;
}

/** The field of a record that must not be missing. */
export function required<T>(value: T | undefined, place: JsonPlace): T {
  if (value === undefined) throw new VeneerError('invalid', `malformed ${place.document}: '${place.path}' is missing`);
  return value;
}
