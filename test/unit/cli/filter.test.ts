import { describe, expect, test } from 'vitest';
import { booleanFilter, hasLabel, labelFilters, parseFilters } from '../../../src/cli/filter.js';
import { namePattern } from '../../../src/cli/name-pattern.js';
import { parseTimePoint } from '../../../src/cli/time-point.js';

describe('--filter', () => {
  test('gathers values by name', () => {
    const filters = parseFilters(['label=a=b', ' LABEL = c ', 'dangling=1'], ['label', 'dangling']);
    expect(labelFilters(filters, 'label')).toEqual([
      { key: 'a', value: 'b' },
      { key: 'c', value: undefined },
    ]);
    expect(booleanFilter(filters, 'dangling')).toBe(true);
    expect(booleanFilter(filters, 'none')).toBeUndefined();
  });

  test.each([
    [['x'], "filter 'x' is not of the form NAME=VALUE"],
    [['x=1'], "unknown filter 'x'"],
    [['constructor=1'], "unknown filter 'constructor'"],
  ])('refuses %j and lists what there is', (words, message) => {
    expect(() => parseFilters(words, ['label', 'until'])).toThrow(
      expect.objectContaining({ message, hint: 'the filters are label=, until=' }) as Error,
    );
  });

  test('refuses what is neither true nor false', () => {
    expect(() => booleanFilter(parseFilters(['dangling=maybe'], ['dangling']), 'dangling')).toThrow('true or false');
  });

  test.each([
    [{ a: 'b' }, { key: 'a', value: undefined }, true],
    [{ a: 'b' }, { key: 'a', value: 'b' }, true],
    [{ a: 'b' }, { key: 'a', value: '' }, false],
    [{}, { key: 'toString', value: undefined }, false],
  ])('labels %j have %j: %s', (labels, label, has) => {
    expect(hasLabel(labels, label)).toBe(has);
  });
});

describe('a point in time', () => {
  const now = new Date('2024-06-01T00:00:00Z');
  test.each([
    ['24h', '2024-05-31T00:00:00.000Z'],
    ['1h30m', '2024-05-31T22:30:00.000Z'],
    ['.5s', '2024-05-31T23:59:59.500Z'],
    ['1700000000', '2023-11-14T22:13:20.000Z'],
    ['1700000000.5', '2023-11-14T22:13:20.500Z'],
    ['2024-05-01T12:00:00Z', '2024-05-01T12:00:00.000Z'],
    ['2024-05-01T12:00+02:00', '2024-05-01T10:00:00.000Z'],
    ['2024-05-01Z', '2024-05-01T00:00:00.000Z'],
    ['2024-05-01', new Date(2024, 4, 1).toISOString()],
    ['2024-05-01T12:00', new Date(2024, 4, 1, 12).toISOString()],
  ])('%s', (text, expected) => {
    expect(parseTimePoint(text, now).toISOString()).toBe(expected);
  });

  test.each(['', 'yesterday', '24x', '2024-13-01', '2024-05-01 12:00', '-1h', '1d'])('is not %j', (text) => {
    expect(() => parseTimePoint(text, now)).toThrow('is not a time');
  });
});

describe('a pattern of names', () => {
  const NAMES = [
    'docker.io/library/debian:12',
    'docker.io/library/debian:latest',
    'docker.io/team/app:1.0',
    'registry.example:5000/a/b/c:1',
    `docker.io/team/app@sha256:${'0'.repeat(64)}`,
  ] as const;
  const [debian12, debian, app, deep, byDigest] = NAMES;
  test.each([
    ['debian', [debian12, debian]],
    ['docker.io/library/debian', [debian12, debian]],
    ['debian:12', [debian12]],
    ['deb*', [debian12, debian]],
    ['deb*:1?', [debian12]],
    ['*', [debian12, debian]],
    ['*/*', [app, byDigest]],
    ['*/*:1.*', [app]],
    ['team/app', [app, byDigest]],
    [`team/app@sha256:${'0'.repeat(64)}`, [byDigest]],
    ['registry.example:5000/*/*/c', [deep]],
    ['[a-d]ebian:[^l]*', [debian12]],
    ['d\\ebian', [debian12, debian]],
    ['de?ia[n-]', [debian12, debian]],
    ['none', []],
    ['debian.12*', []],
  ])('%s', (pattern, expected) => {
    expect(NAMES.filter(namePattern(pattern))).toEqual(expected);
  });

  test.each(['[a', 'a\\', '[]', '[z-a]', 'Not Valid'])('is not %j', (pattern) => {
    expect(() => namePattern(pattern)).toThrow('is not');
  });
});
