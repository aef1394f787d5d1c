import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayBytes, displayText, formatSize, toByteString } from '../../../src/core/index.js';

describe('toByteString', () => {
  test('is the UTF-8 bytes of a text, one char each', () => {
    expect(toByteString('a/b')).toBe('a/b');
    expect(toByteString('\u00e9')).toBe('\xc3\xa9');
    expect(toByteString('\u20ac\u{1f600}')).toBe('\xe2\x82\xac\xf0\x9f\x98\x80');
  });

  test('is undone by displayBytes for text that does not steer a terminal', () => {
    const printable = fc.string({ unit: 'grapheme' }).filter((text) => displayText(text) === text);
    fc.assert(fc.property(printable, (text) => displayBytes(toByteString(text)) === text));
  });
});

describe('displayBytes', () => {
  test.each([
    ['plain', 'plain'],
    ['\xc3\xa9', '\u00e9'],
    ['a\xff\xc3\xa9', 'a\\xff\\xc3\\xa9'],
    ['a\nb\x1b[31m', 'a\\x0ab\\x1b[31m'],
    ['\xc3\xa9\n', '\u00e9\\x0a'],
    // One C1 control starts an escape sequence; a mark turns what follows around.
    ['\xc2\x9b2J', '\\x9b2J'],
    ['\xe2\x80\xaea', '\\u202ea'],
    // An overlong encoding of '/' and a lone surrogate are no UTF-8.
    ['\xc0\xaf', '\\xc0\\xaf'],
    ['\xed\xa0\x80', '\\xed\\xa0\\x80'],
  ])('shows %j as %j', (bytes, shown) => {
    expect(displayBytes(bytes)).toBe(shown);
  });

  test('never lets a control character through to a terminal', () => {
    const bytes = fc.uint8Array().map((array) => Buffer.from(array).toString('latin1'));
    fc.assert(fc.property(bytes, (name) => !/[\x00-\x1f\x7f-\x9f]/.test(displayBytes(name))));
  });
});

describe('formatSize', () => {
  test.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [4_860_000, '4.86MB'],
    [123_900_000, '124MB'],
    [1_234_567_890, '1.23GB'],
    [9_007_199_254_740_991, '9.01PB'],
    [5e18, '5000PB'],
  ])('%d is %s', (bytes, shown) => {
    expect(formatSize(bytes)).toBe(shown);
  });
});
