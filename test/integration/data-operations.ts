// Random operations on the data of files: what may happen, and how often. They are plain numbers, and whatever they ask is
// made to fit the state they meet (data-player.ts), so that any part of a history is one, too.

import fc from 'fast-check';

/** No file gets longer. */
export const MAX_SIZE = 192 * 1024;
export const PAGE = 4096;
export const ACTORS = 2;

export type OpenAs = 'read' | 'write' | 'both' | 'append' | 'direct' | 'truncate';
/** The modes of fallocate(2): linux/falloc.h. */
export const FALLOCATE = {
  allocate: 0,
  keep: 1,
  punch: 3,
  collapse: 8,
  zero: 16,
  'zero-keep': 17,
  insert: 32,
} as const;

/** `slot` is one of an actor's handles, `map` one of its mappings, or else another that it has; `file` counts modulo those there are. */
export type Simple =
  | { readonly op: 'open'; readonly actor: number; readonly slot: number; readonly file: number; readonly as: OpenAs }
  | { readonly op: 'close' | 'holes' | 'fchmod'; readonly actor: number; readonly slot: number }
  | {
      readonly op: 'read' | 'write';
      readonly actor: number;
      readonly slot: number;
      readonly at: number;
      readonly length: number;
    }
  | { readonly op: 'map'; readonly actor: number; readonly slot: number; readonly map: number }
  | { readonly op: 'unmap' | 'msync'; readonly actor: number; readonly map: number }
  | {
      readonly op: 'load' | 'store';
      readonly actor: number;
      readonly map: number;
      readonly at: number;
      readonly length: number;
    }
  | { readonly op: 'truncate'; readonly actor: number; readonly file: number; readonly size: number }
  | { readonly op: 'ftruncate'; readonly actor: number; readonly slot: number; readonly size: number }
  | { readonly op: 'chmod'; readonly actor: number; readonly file: number }
  | {
      readonly op: 'fallocate';
      readonly actor: number;
      readonly slot: number;
      readonly mode: keyof typeof FALLOCATE;
      readonly at: number;
      readonly length: number;
    }
  | {
      readonly op: 'copy' | 'send';
      readonly actor: number;
      readonly slot: number;
      readonly at: number;
      readonly to: number;
      readonly toAt: number;
      readonly length: number;
    }
  | { readonly op: 'fsync' | 'fdatasync' | 'advise'; readonly actor: number; readonly slot: number };

export type Operation =
  | Simple
  | { readonly op: 'drop' | 'remount' | 'freeze' }
  /** Both at once, where they do not touch the same bytes. */
  | { readonly op: 'together'; readonly first: Simple; readonly second: Simple };

/** Of so many files at a time there is talk, and of others after so many operations: they begin all through a history. */
const AT_A_TIME = 3;
const STEPS = 30;

const actor = fc.nat({ max: ACTORS - 1 });
const slot = fc.nat({ max: 3 });
const map = fc.nat({ max: 1 });
const file = fc.nat({ max: AT_A_TIME - 1 });
const as = fc.constantFrom<OpenAs[]>(
  'read',
  'read',
  'read',
  'read',
  'write',
  'both',
  'both',
  'append',
  'direct',
  'truncate',
);
const edge = fc
  .tuple(fc.nat({ max: MAX_SIZE / PAGE }), fc.constantFrom(-1, 0, 0, 1))
  .map(([page, by]) => Math.min(Math.max(0, page * PAGE + by), MAX_SIZE));
const at = fc.oneof({ weight: 2, arbitrary: edge }, { weight: 3, arbitrary: fc.nat({ max: MAX_SIZE - 1 }) });
const length = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.constantFrom(PAGE, 2 * PAGE, PAGE - 1, PAGE + 1, 1),
  fc.integer({ min: 1, max: 65_536 }),
);
const mode = fc.constantFrom(...(Object.keys(FALLOCATE) as (keyof typeof FALLOCATE)[]));

const reading = fc.record({ op: fc.constantFrom('read'), actor, slot, at, length });
const writing = fc.record({ op: fc.constantFrom('write'), actor, slot, at, length });
const mapped = fc.record({ op: fc.constantFrom('load', 'store'), actor, map, at, length });
const opening = fc.record({ op: fc.constant('open'), actor, slot, file, as });
const accesses = fc.oneof(reading, writing, mapped, opening);

/** What is changed here changes the histories of all seeds. */
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: opening },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('close', 'close', 'holes', 'fchmod'), actor, slot }) },
  { weight: 6, arbitrary: reading },
  { weight: 10, arbitrary: writing },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('map'), actor, slot, map }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('unmap', 'msync', 'msync'), actor, map }) },
  { weight: 9, arbitrary: mapped },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('truncate'), actor, file, size: at }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('ftruncate'), actor, slot, size: at }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('chmod'), actor, file }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('fallocate'), actor, slot, mode, at, length }) },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constantFrom('copy', 'copy', 'send'), actor, slot, at, to: slot, toAt: at, length }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('fsync', 'fdatasync', 'advise', 'advise'), actor, slot }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('together'), first: accesses, second: accesses }) },
  // Seldom: nothing is open after a remount.
  { weight: 1, arbitrary: fc.oneof(fc.record({ op: fc.constantFrom('drop', 'remount') }), opening, opening, opening) },
  // Its upper becomes a lower layer, whatever is open.
  { weight: 1, arbitrary: fc.record({ op: fc.constant('freeze') }) },
);

function shift<T extends Operation>(next: T, by: number): T {
  if (next.op === 'together') return { ...next, first: shift(next.first, by), second: shift(next.second, by) };
  return 'file' in next ? { ...next, file: next.file + by } : next;
}

export function makeHistory(seed: number, length: number): Operation[] {
  const history = fc.array(operation, { minLength: length, maxLength: length });
  return fc.sample(history, { seed, numRuns: 1 })[0]!.map((next, step) => shift(next, Math.floor(step / STEPS)));
}
