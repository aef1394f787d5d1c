import { describe, expect, test } from 'vitest';
import { cleanJson, cleanLines, cleanText, fitText, padText, textWidth } from '../../../src/cli/text.js';

describe('text that others chose', () => {
  test.each([
    ['plain', 'plain'],
    ['Grüße \u65e5\u672c', 'Grüße \u65e5\u672c'],
    ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
    ['a\rb\nc\td', 'a\\x0db\\x0ac\\x09d'],
    ['\u009b31m', '\\x9b31m'],
    ['a\u202eb\u2066', 'a\\u202eb\\u2066'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\u2028', '\\u2028'],
    // A family: three emoji with joiners between them.
    ['\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'],
  ])('%j', (text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  test('keeps its lines and columns where it has them', () => {
    expect(cleanLines('a\tb\nc\x1b')).toBe('a\tb\nc\\x1b');
  });

  test('stays the same as JSON', () => {
    const value = { text: 'a\u009b\u202e\u2028\x7f\ud800\u{e0041}\n' };
    const json = JSON.stringify(value, undefined, 2);
    expect(JSON.parse(cleanJson(json))).toEqual(value);
    expect(cleanJson(json)).toMatch(/^[\x20-\x7e\n]*$/);
  });
});

describe('widths', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['\u65e5\u672c', 4],
    ['e\u0301', 1],
    ['\uff21', 2],
    ['\uff71', 1],
    ['\u{1f600}', 2],
    ['\ud55c', 2],
  ])('of %j', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  test('fill up and cut', () => {
    expect(padText('\u65e5', 4)).toBe('\u65e5  ');
    expect(fitText('abcdef', 4)).toBe('abc\u2026');
    expect(fitText('\u65e5\u672c\u65e5', 4)).toBe('\u65e5\u2026');
    expect(fitText('abc', 3)).toBe('abc');
  });
});
