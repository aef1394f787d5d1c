import { describe, expect, it, test } from 'vitest';
import {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  platformRank,
} from '../../../src/image/index.js';

describe('parsePlatform', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['arm64', 'linux/arm64'],
    ['linux/aarch64/v8', 'linux/arm64'],
    ['linux/arm64/9', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armel', 'linux/arm/v6'],
    ['LINUX/386', 'linux/386'],
    ['freebsd/riscv64', 'freebsd/riscv64'],
    ['linux', formatPlatform(hostPlatform())],
    ['Windows', formatPlatform({ ...hostPlatform(), os: 'windows' })],
  ])('%s is %s', (text, expected) => {
    expect(formatPlatform(parsePlatform(text))).toBe(expected);
  });

  it.each(['', 'linux/', '/amd64', 'a/b/c/d', 'linux/am d64', 'linux/amd64/../..'])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('platformRank', () => {
  const order = (wanted: string, offered: readonly string[]): string[] =>
    offered
      .map((text) => [text, platformRank(parsePlatform(text), parsePlatform(wanted))] as const)
      .filter(([, rank]) => rank !== undefined)
      .sort(([, a], [, b]) => (a ?? 0) - (b ?? 0))
      .map(([text]) => text);

  it.each([
    ['arm64', ['arm/v5', 'arm/v7', 'amd64', 'arm64', 'arm/v6'], ['arm64', 'arm/v7', 'arm/v6', 'arm/v5']],
    ['arm/v6', ['arm/v7', 'arm/v5', 'arm/v6'], ['arm/v6', 'arm/v5']],
    ['amd64/v3', ['amd64', 'amd64/v4', 'amd64/v3', '386', 'amd64/v2'], ['amd64/v3', 'amd64/v2', 'amd64', '386']],
    ['amd64', ['386', 'arm64', 'amd64', 'amd64/v2'], ['amd64', '386']],
    ['s390x', ['s390x', 'amd64'], ['s390x']],
  ])('orders what runs on %s', (wanted, offered, expected) => {
    const linux = (names: readonly string[]): string[] => names.map((name) => `linux/${name}`);
    expect(order(`linux/${wanted}`, linux(offered))).toEqual(linux(expected));
    expect(order(`linux/${wanted}`, [`windows/${wanted}`])).toEqual([]);
  });

  it('knows this machine', () => {
    expect(platformRank(hostPlatform(), hostPlatform())).toBe(0);
    expect(normalizePlatform(hostPlatform()).os).toBe('linux');
  });
});
