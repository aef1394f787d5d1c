// The law of skeletons: whatever archive is unpacked, its very bytes can be given back.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VeneerError } from '../../src/core/index.js';
import { applyLayer } from '../../src/layer/index.js';
import { assembled } from '../unit/layer/assembled.js';
import { block, END, member, pax, source } from '../unit/layer/support.js';
import { temporary } from '../unit/layer/tree.js';

const RUNS = Number(process.env['VENEER_PROPERTY_RUNS'] ?? 150);

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const size = fc.oneof({ weight: 4, arbitrary: fc.nat(5) }, fc.constantFrom(0, 511, 512, 513, 1024, 70_000));
const content = fc.tuple(size, fc.nat(255)).map(([length, fill]) => Buffer.alloc(length, fill));
const name = fc.constantFrom('a', 'b', 'a/b', 'a/b/c', './a', '/b', 'a//b', '\xff\n', `long/${'n'.repeat(80)}`);

/** Content with the block it stands in filled with anything. */
const padded = fc
  .tuple(content, fc.oneof(fc.constant(0), fc.nat(255)))
  .map(([body, fill]) => [body, Buffer.alloc(-body.length & 511, fill)] as const);

const magic = fc.constantFrom('ustar\x0000', 'ustar  \0', '\0\0\0\0\0\0\0\0');

const file = fc
  .record({ name, magic, typeflag: fc.constantFrom('0', '\0', '7'), padded, mode: fc.nat(0o7777) })
  .map(({ padded: [body, padding], ...fields }) =>
    Buffer.concat([block({ ...fields, size: body.length }), body, padding]),
  );

const other = fc
  .record({ name, magic, typeflag: fc.constantFrom('1', '2', '5', '6'), linkname: name, mtime: fc.nat(2_000_000_000) })
  .map((fields) => member(fields));

const marker = fc.constantFrom(
  member({ name: 'a/.wh.b' }),
  member({ name: '.wh.a' }, 'content of a whiteout'),
  member({ name: 'a/.wh..wh..opq' }),
  member({ name: '.wh..wh.plnk/1.2' }, 'aufs'),
  member({ name: '.wh..wh.plnk', typeflag: '5' }),
);

/** Headers that describe what follows, and the entry they describe. */
const described = fc
  .tuple(
    fc.constantFrom(
      pax({ mtime: '12.5', path: 'a/b' }),
      pax({ 'SCHILY.xattr.user.k': Buffer.from([0, 255]) }),
      pax({ comment: 'global' }, 'g'),
      pax({ path: 'a' }),
      member({ name: '././@LongLink', typeflag: 'L' }, `long/${'g'.repeat(150)}\0`),
      member({ name: '././@LongLink', typeflag: 'K' }, 'a/b\0'),
    ),
    fc.oneof(file, other),
  )
  .map((members) => Buffer.concat(members));

const archive = fc
  .record({
    members: fc.array(fc.oneof({ weight: 5, arbitrary: file }, { weight: 4, arbitrary: other }, marker, described), {
      maxLength: 12,
    }),
    trailer: fc.oneof(fc.constant(Buffer.alloc(0)), fc.constant(Buffer.alloc(9 * 1024)), bytes(3000)),
  })
  .map(({ members, trailer }) => Buffer.concat([...members, END, trailer]));

describe('the law of skeletons', () => {
  it('what was unpacked can be assembled to the same bytes', { timeout: 600_000 }, async () => {
    let [applied, replacing] = [0, 0];
    await fc.assert(
      fc.asyncProperty(archive, fc.boolean(), fc.integer({ min: 1, max: 9000 }), async (tar, compressed, chunk) => {
        const directory = temporary();
        const target = path.join(directory, 'diff');
        mkdirSync(target);
        const record = { skeleton: path.join(directory, 'skeleton'), replaced: path.join(directory, 'replaced') };
        let diffId;
        try {
          ({ diffId } = await applyLayer({
            source: source(compressed ? gzipSync(tar) : tar, chunk),
            target,
            record,
          }));
        } catch (error) {
          if (!(error instanceof VeneerError)) throw error;
          return;
        }
        applied += 1;
        if (existsSync(record.replaced)) replacing += readdirSync(record.replaced).length > 0 ? 1 : 0;
        const again = await assembled({ ...record, directories: [target], diffId });
        expect(again.equals(tar)).toBe(true);
      }),
      { numRuns: RUNS },
    );
    // It speaks of something.
    expect(applied).toBeGreaterThan(RUNS / 4);
    expect(replacing).toBeGreaterThan(RUNS / 20);
  });
});
