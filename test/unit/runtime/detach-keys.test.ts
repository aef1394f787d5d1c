import { describe, expect, test } from 'vitest';
import { DEFAULT_DETACH_KEYS, DetachKeys, parseDetachKeys } from '../../../src/runtime/detach-keys.js';

describe('parseDetachKeys', () => {
  test.each([
    [DEFAULT_DETACH_KEYS, [0x10, 0x11]],
    ['ctrl-A', [1]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f]],
    ['a,B,~', [0x61, 0x42, 0x7e]],
    ['', []],
  ])('reads %j', (text, keys) => {
    expect(parseDetachKeys(text)).toEqual(keys);
  });

  test.each(['ctrl-', 'ctrl-1', 'ctrl-pq', 'ab', 'a,,b', ' ', 'a, b', 'ctrl-p,'])('refuses %j', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

/** What passes of the pieces typed, and whether they detach. */
function type(keys: string, ...pieces: string[]): [string, boolean] {
  const finder = new DetachKeys(parseDetachKeys(keys));
  let passed = '';
  for (const piece of pieces) {
    const taken = finder.take(Buffer.from(piece, 'latin1'));
    passed += Buffer.from(taken.passed).toString('latin1');
    if (taken.detached) return [passed, true];
  }
  return [passed, false];
}

describe('DetachKeys', () => {
  test.each<[string, string[], [string, boolean]]>([
    ['all at once, in the middle', ['ls\n\x10\x11rest'], ['ls\n', true]],
    ['key by key', ['\x10', '\x11'], ['', true]],
    ['only the first key', ['a\x10'], ['a', false]],
    ['the first key, then another', ['\x10', 'x'], ['\x10x', false]],
    ['the first key again and again', ['\x10\x10', '\x10\x11'], ['\x10\x10', true]],
    ['the second key alone', ['\x11\x10'], ['\x11', false]],
    ['bytes of any value', ['\xff\x00\xc3\x28'], ['\xff\x00\xc3\x28', false]],
  ])('finds ^P^Q: %s', (_what, pieces, result) => {
    expect(type(DEFAULT_DETACH_KEYS, ...pieces)).toEqual(result);
  });

  test('finds a sequence that begins again within itself', () => {
    expect(type('a,a,b', 'a', 'a', 'a', 'b')).toEqual(['a', true]);
    expect(type('a,b,a,c', 'ababac')).toEqual(['ab', true]);
  });

  test('passes everything where there are no keys', () => {
    expect(type('', '\x10\x11')).toEqual(['\x10\x11', false]);
  });
});
