import { describe, expect, test } from 'vitest';
import { parseOciName } from '../../../src/whiteout/index.js';

describe('parseOciName', () => {
  test.each([
    ['file', { kind: 'plain' }],
    ['', { kind: 'plain' }],
    ['.wh', { kind: 'plain' }],
    ['x.wh.file', { kind: 'plain' }],
    ['.WH.file', { kind: 'plain' }],
    ['.wh..wh..opq', { kind: 'opaque' }],
    ['.wh.file', { kind: 'whiteout', target: 'file' }],
    ['.wh.\xff', { kind: 'whiteout', target: '\xff' }],
    // Not the marker, and not special otherwise.
    ['.wh..wh..opq2', { kind: 'whiteout', target: '.wh..opq2' }],
    ['.wh..wh.x', { kind: 'whiteout', target: '.wh.x' }],
    ['.wh.....', { kind: 'whiteout', target: '....' }],
  ])('%j', (name, expected) => {
    expect(parseOciName(name)).toEqual(expected);
  });

  test.each([
    ['of nothing', '.wh.'],
    ['of the directory itself', '.wh..'],
    ['of the directory above', '.wh...'],
  ])('refuses a whiteout %s', (_what, name) => {
    expect(() => parseOciName(name)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
