// Values as Go's templates see and print them.

/** A list that is nil in Go: prints `[]`, ranges over nothing, and is null as JSON. */
export const NIL_LIST: readonly never[] = Object.freeze(Object.defineProperty([], 'toJSON', { value: () => null }));

/** A map that is nil in Go: prints `map[]`, and is null as JSON. */
export const NIL_MAP: Readonly<Record<string, never>> = Object.freeze(
  Object.defineProperty({}, 'toJSON', { value: () => null }),
);

export type Entries = readonly (readonly [key: string, value: unknown])[];

/** The entries of a map in the order Go prints them, or undefined for anything else. */
export function entriesOf(value: unknown): Entries | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A value as Go's fmt prints it: lists as `[a b]`, maps as `map[k:v]`. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  const entries = entriesOf(value);
  if (entries !== undefined) return `map[${entries.map(([key, of]) => `${key}:${show(of)}`).join(' ')}]`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** False for nothing, zero, and what is empty. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  const entries = entriesOf(value);
  return entries === undefined ? Boolean(value) : entries.length > 0;
}

/** The value of a key of a map, of its own only; undefined where there is none. */
export function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
