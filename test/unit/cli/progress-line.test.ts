import { expect, test } from 'vitest';
import { barLine, plainLine, shortDuration } from '../../../src/cli/progress-line.js';
import { textWidth } from '../../../src/cli/text.js';

const HALF = { name: 'a3ed95caeb02', action: 'Unpacking', done: 12_300_000, total: 45_600_000 };

test.each([
  [110, 'a3ed95caeb02: Unpacking [=============>                                    ]  12.3MB/45.6MB  1MB/s  ETA 34s'],
  [80, 'a3ed95caeb02: Unpacking [======>                ]  12.3MB/45.6MB  1MB/s  ETA 34s'],
  [62, 'a3ed95caeb02: Unpacking [===>          ]  12.3MB/45.6MB  1MB/s'],
  [52, 'a3ed95caeb02: Unpacking [==>        ]  12.3MB/45.6MB'],
  [40, 'a3ed95caeb02: Unpacking  12.3MB/45.6MB'],
  [20, 'a3ed95caeb02: Unpac\u2026'],
  [1, '\u2026'],
])('in %i columns', (width, line) => {
  expect(barLine(HALF, 1_000_000, width)).toBe(line);
});

test('never wider than the terminal, whatever the figures', () => {
  for (let width = 1; width < 130; width += 1) {
    for (const total of [undefined, 0, 1, 999_999, 45_600_000_000]) {
      for (const rate of [undefined, 0, 1, 123_456_789]) {
        expect(textWidth(barLine({ ...HALF, total }, rate, width))).toBeLessThanOrEqual(width);
      }
    }
  }
});

test('more done than announced is a full bar', () => {
  expect(barLine({ ...HALF, total: 1 }, undefined, 60)).toMatch(/\[=+\] {2}12\.3MB\/1B$/);
  expect(plainLine({ ...HALF, total: 1 })).toContain('(100%)');
});

test.each([
  [0.2, '1s'],
  [59, '59s'],
  [61, '1m01s'],
  [3600, '1h00m'],
  [99 * 3600, '99h00m'],
  [400 * 3600, ''],
])('%i seconds', (seconds, text) => {
  expect(shortDuration(seconds)).toBe(text);
});
