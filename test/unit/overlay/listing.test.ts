import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Listing } from '../../../src/overlay/listing.js';
import type { ListedEntry } from '../../../src/overlay/listing.js';

/** Up to `count` entries after a cookie. */
function page(listing: Listing, cookie: number, count = Infinity): ListedEntry[] {
  const entries: ListedEntry[] = [];
  if (count === 0) return entries;
  listing.visitAfter(cookie, (entry) => {
    entries.push({ ...entry });
    return entries.length < count;
  });
  return entries;
}

const namesIn = (listing: Listing): string[] => page(listing, 0).map(({ name }) => name);

describe('a listing', () => {
  test('has each name once, in an order that only the names decide', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), (names) => {
        const order = namesIn(new Listing(names));
        expect(new Set(order)).toEqual(new Set(names));
        expect(order.length).toBe(names.length);
        expect(namesIn(new Listing([...names].reverse()))).toEqual(order);
      }),
    );
  });

  test('is empty when all of its names were removed, and not otherwise', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const steps = fc.array(fc.record({ name, adds: fc.boolean(), looks: fc.boolean() }));
    fc.assert(
      fc.property(fc.uniqueArray(name), steps, (names, changes) => {
        const listing = new Listing(names);
        const model = new Set(names);
        for (const { name, adds, looks } of changes) {
          // As the overlay does: what is there is not added again, and what is not there not removed.
          if (adds && !model.has(name)) {
            listing.add(name);
            model.add(name);
          } else if (!adds && model.delete(name)) listing.remove(name);
          if (looks) page(listing, 0);
          expect(listing.isEmpty).toBe(model.size === 0);
        }
      }),
    );
  });

  test('is never empty by what was removed without having been in it', () => {
    const listing = new Listing(['a']);
    for (const stranger of ['x', 'y']) listing.remove(stranger);
    expect(listing.isEmpty).toBe(false);
  });

  test('has cookies above those of . and .., rising, within 53 bits and positive as off_t', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `file-${String(index)}`);
    const cookies = page(new Listing(names), 0).map(({ cookie }) => cookie);
    expect(cookies[0]).toBeGreaterThan(2);
    expect(cookies.every((cookie, index) => index === 0 || cookie > cookies[index - 1]!)).toBe(true);
    expect(Number.isSafeInteger(cookies.at(-1))).toBe(true);
  });

  test('goes on behind any cookie, also one whose name is gone', () => {
    const listing = new Listing(['a', 'b', 'c', 'd', 'e']);
    const all = page(listing, 0);
    for (const [index, { cookie }] of all.entries()) expect(page(listing, cookie)).toEqual(all.slice(index + 1));
    listing.remove(all[1]!.name);
    expect(page(listing, all[1]!.cookie)).toEqual(all.slice(2));
    expect(page(listing, all[0]!.cookie)).toEqual(all.slice(2));
  });

  test('takes a name back that was removed, and drops one that was added', () => {
    const listing = new Listing(['a']);
    listing.remove('a');
    listing.add('a');
    listing.add('b');
    listing.remove('b');
    expect(namesIn(listing)).toEqual(['a']);
  });

  test('forgets the removed when most are gone', () => {
    const names = Array.from({ length: 1000 }, (_, index) => String(index));
    const listing = new Listing(names);
    for (const name of names.slice(1)) listing.remove(name);
    expect(namesIn(listing)).toEqual(['0']);
    for (const name of names.slice(1)) listing.add(name);
    expect(namesIn(listing).length).toBe(1000);
  });
});

describe('two names with one hash', () => {
  // Found by search; the order is that of the names.
  const pairs = [
    ['1981fbd', '2cb0916'],
    ['2f5b308', '501c485'],
  ] as const;

  test.each(pairs)('%s and %s follow each other, each with a cookie of its own', (first, second) => {
    const listing = new Listing([second, first]);
    const [a, b] = page(listing, 0);
    expect([a!.name, b!.name, b!.cookie - a!.cookie]).toEqual([first, second, 1]);
    expect(page(listing, a!.cookie)).toEqual([b]);
    expect(page(listing, b!.cookie)).toEqual([]);
  });

  test.each(pairs)(
    '%s and %s: a reader misses none and sees none twice when the other goes or comes',
    (first, second) => {
      const listing = new Listing([first, second]);
      const [a, b] = page(listing, 0);
      listing.remove(first);
      listing.add('other');
      expect(page(listing, a!.cookie).map(({ name }) => name)).toContain(second);
      listing.add(first);
      expect(page(listing, b!.cookie).map(({ name }) => name)).not.toContain(second);
      const late = new Listing([second]);
      const [only] = page(late, 0);
      late.add(first);
      expect(page(late, only!.cookie).map(({ name }) => name)).toEqual([first]);
    },
  );
});

describe('a reader of a directory that others change', () => {
  const name = fc.constantFrom(...Array.from({ length: 30 }, (_, index) => `n${String(index)}`));
  const step = fc.oneof(
    fc.record({ kind: fc.constant('read' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constantFrom('add' as const, 'remove' as const), name }),
  );

  test('sees nothing twice, and everything that was there all the time', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.array(step, { maxLength: 60 }), (start, steps) => {
        const present = new Set(start);
        const listing = new Listing(start);
        const stayed = new Set(start);
        const seen: string[] = [];
        let cookie = 2;
        const read = (count: number): void => {
          for (const entry of page(listing, cookie, count)) {
            seen.push(entry.name);
            expect(present.has(entry.name)).toBe(true);
            cookie = entry.cookie;
          }
        };
        for (const each of steps) {
          if (each.kind === 'read') read(each.count);
          else if (each.kind === 'add' && !present.has(each.name)) {
            present.add(each.name);
            listing.add(each.name);
          } else if (each.kind === 'remove' && present.has(each.name)) {
            present.delete(each.name);
            stayed.delete(each.name);
            listing.remove(each.name);
          }
        }
        read(Infinity);
        // A name that went and came back keeps its place: it is seen at most once.
        expect(seen.length).toBe(new Set(seen).size);
        expect([...stayed].filter((each) => !seen.includes(each))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
