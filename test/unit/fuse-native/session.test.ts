import { describe, expect, test } from 'vitest';
import { mountWords } from '../../../src/fuse-native/session.js';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../../../src/sys/index.js';

const words = (options: { source?: string; flags?: number; timeout?: number }, isRoot = true): string[] =>
  mountWords({ source: 'veneer', flags: 0, timeout: undefined, ...options }, isRoot).split(/(?<!\\),/);

describe('what libfuse is told', () => {
  test('begins with the source, whose commas are no separators', () => {
    expect(words({ source: 'a,allow_other' })[0]).toBe('a\\,allow_other');
  });

  test('lets the kernel keep names for ever and attributes never', () => {
    expect(words({})).toEqual(expect.arrayContaining(['entry_timeout=1000000000', 'attr_timeout=0']));
    const all = ['entry_timeout=1.5', 'negative_timeout=1.5', 'attr_timeout=1.5'];
    expect(words({ timeout: 1.5 })).toEqual(expect.arrayContaining(all));
  });

  test('is never to let others in', () => {
    expect(words({})).not.toContain('allow_other');
  });

  test('takes nosuid and nodev away for root only, unless they are asked for', () => {
    expect(words({})).toEqual(expect.arrayContaining(['suid', 'dev']));
    expect(words({ flags: MS_NOSUID | MS_NODEV })).not.toEqual(expect.arrayContaining(['suid']));
    expect(words({}, false)).not.toEqual(expect.arrayContaining(['dev']));
    expect(words({ flags: MS_RDONLY | MS_NOEXEC })).toEqual(expect.arrayContaining(['ro', 'noexec']));
  });
});
