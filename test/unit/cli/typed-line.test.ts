import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../../src/cli/interruption.js';
import { TypedLine } from '../../../src/cli/typed-line.js';

/** Types text to its end; what the terminal shows, and the line. */
function typed(text: string): { shown: string; line: string; ended: boolean } {
  const line = new TypedLine();
  const shown: Uint8Array[] = [];
  for (const byte of Buffer.from(text)) {
    const bytes = line.type(byte);
    if (bytes === undefined) return { shown: Buffer.concat(shown).toString(), line: line.text(), ended: true };
    shown.push(bytes);
  }
  return { shown: Buffer.concat(shown).toString(), line: line.text(), ended: false };
}

describe('a typed line', () => {
  test.each([
    ['ends with Enter', 'abc\r', 'abc', 'abc'],
    ['ends with a line feed', 'abc\n', 'abc', 'abc'],
    ['ends with ^D', 'abc\x04', 'abc', 'abc'],
    ['may be empty', '\r', '', ''],
    ['loses its last character', 'abc\x7f\x08d\r', 'ad', 'abc\b \b\b \bd'],
    ['loses a whole character', 'aä\x7f\r', 'a', 'aä\b \b'],
    ['loses a wide one', 'a世\x7f\r', 'a', 'a世\b \b\b \b'],
    ['has nothing more to lose', 'a\x7f\x7f\r', '', 'a\b \b'],
    ['begins anew', 'abc\x15d\x17e\r', 'e', 'abc\b \b\b \b\b \bd\b \be'],
    ['is without arrow keys', 'a\x1b[Ab\x1bOC\tc\r', 'abc', 'a[AbOCc'],
  ])('%s', (_what, text, line, shown) => {
    expect(typed(text)).toEqual({ line, shown, ended: true });
  });

  test('ends with nothing else', () => {
    expect(typed('abc').ended).toBe(false);
  });

  test('^C interrupts, ^D refuses, and it is bounded', () => {
    expect(() => typed('a\x03')).toThrow(Interrupted);
    expect(() => typed('\x04')).toThrow('nothing was typed');
    expect(() => typed('a'.repeat(70_000))).toThrow('longer than 64 KiB');
  });
});
