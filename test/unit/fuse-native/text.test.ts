import { describe, expect, test } from 'vitest';
import { bytesOf, textOf } from '../../../src/fuse-native/text.js';

describe('names', () => {
  test.each([
    ['plain', 'plain'],
    ['a b\n\x01', 'a b\n\x01'],
    ['grün', 'gr\xc3\xbcn'],
    ['日本', '\xe6\x97\xa5\xe6\x9c\xac'],
    ['🙂', '\xf0\x9f\x99\x82'],
  ])('%j are the same text and bytes', (text, bytes) => {
    expect([bytesOf(text), textOf(bytes)]).toEqual([bytes, text]);
  });

  test.each(['\xff', 'gr\xfcn', '\xc3', '\xed\xa0\x80', '\xef\xbf\xbd'])('%j are no text', (bytes) => {
    expect(textOf(bytes)).toBeUndefined();
  });

  test('that the binding could not decode have no bytes', () => {
    expect(bytesOf(Buffer.from('a\xff', 'latin1').toString('utf8'))).toBeUndefined();
  });
});
