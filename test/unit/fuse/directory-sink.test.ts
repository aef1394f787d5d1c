import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplySink } from '../../../src/fuse/directory-sink.js';
import { VALIDITY } from './harness.js';

const START = 16;

/** Fills a sink from a list of names and reads its bytes back. */
function list(names: readonly string[], size: number, plus: boolean): { names: string[]; length: number } {
  const buffer = Buffer.alloc(START + size + 512, 0xa5);
  const sink = new ReplySink(buffer, VALIDITY);
  sink.reset(START, size, plus);
  for (const [index, name] of names.entries()) {
    if (!sink.fits(name.length)) break;
    sink.add(name, 8, index + 1);
  }
  expect(buffer.subarray(START + size)).toEqual(Buffer.alloc(512, 0xa5));
  const read: string[] = [];
  let at = START;
  while (at < sink.end) {
    const entry = at + (plus ? 128 : 0);
    const length = buffer.readUInt32LE(entry + 16);
    expect(buffer.readBigUInt64LE(entry + 8)).toBe(BigInt(read.length + 1));
    read.push(buffer.toString('latin1', entry + 24, entry + 24 + length));
    at = entry + ((24 + length + 7) & ~7);
  }
  expect(at).toBe(sink.end);
  return { names: read, length: sink.end - START };
}

const entrySize = (name: string, plus: boolean): number => (plus ? 128 : 0) + ((24 + name.length + 7) & ~7);
const name = fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

describe.each([false, true])('a reply to READDIR, plus: %s', (plus) => {
  test('holds as many entries as fit, and nothing beyond its limit', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 20 }), fc.nat(4096), (names, size) => {
        const listed = list(names, size, plus);
        expect(listed.names).toEqual(names.slice(0, listed.names.length));
        expect(listed.length).toBeLessThanOrEqual(size);
        const next = names[listed.names.length];
        if (next !== undefined) expect(listed.length + entrySize(next, plus)).toBeGreaterThan(size);
      }),
    );
  });

  test('is filled to the last byte, and not by one more', () => {
    const names = ['a', 'n'.repeat(255), '12345678'];
    const exact = names.reduce((sum, each) => sum + entrySize(each, plus), 0);
    expect(list(names, exact, plus)).toEqual({ names, length: exact });
    expect(list(names, exact - 1, plus).names).toEqual(names.slice(0, 2));
  });
});
