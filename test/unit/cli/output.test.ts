import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatTable, printListing } from '../../../src/cli/output.js';

const LISTING = {
  columns: [
    ['IMAGE ID', 'ID'],
    ['SIZE', 'Size'],
  ],
  key: 'ID',
} as const;
const ROWS = [
  { ID: 'abcdef', Size: '1kB', Hidden: 'h' },
  { ID: '1', Size: '22MB', Hidden: 'i' },
];

let written = '';

beforeEach(() => {
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('formatTable', () => {
  test('pads to the widest cell and at least docker its ten, but not the last column', () => {
    expect(
      formatTable([
        ['A', 'B'],
        ['a very long cell', 'b'],
      ]),
    ).toBe('A                  B\na very long cell   b\n');
    expect(formatTable([['A', 'B']])).toBe('A         B\n');
  });
});

describe('printListing', () => {
  test.each([
    ['a table', {}, 'IMAGE ID   SIZE\nabcdef     1kB\n1          22MB\n'],
    ['keys with --quiet', { quiet: true }, 'abcdef\n1\n'],
    ['a template', { format: '{{.ID}}-{{.Hidden}}' }, 'abcdef-h\n1-i\n'],
    ['a template in spite of --quiet', { quiet: true, format: '{{.Size}}' }, '1kB\n22MB\n'],
    [
      'a table by template',
      { format: 'table {{.Size}}\\t{{.Hidden}}' },
      'SIZE      HIDDEN\n1kB       h\n22MB      i\n',
    ],
  ] as const)('prints %s', (_what, options, text) => {
    printListing(ROWS, LISTING, options);
    expect(written).toBe(text);
  });

  test('prints one JSON object a line', () => {
    printListing(ROWS, LISTING, { format: 'json' });
    expect(
      written
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual(ROWS);
  });

  test('prints the headings of an empty table, and nothing else when empty', () => {
    printListing([], LISTING, {});
    expect(written).toBe('IMAGE ID   SIZE\n');
    written = '';
    printListing([], LISTING, { format: 'json' });
    printListing([], LISTING, { quiet: true });
    expect(written).toBe('');
  });
});
