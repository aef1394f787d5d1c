import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { chainIds, hostPlatform, formatPlatform, parseChainId, parseDiffId } from '../../../src/image/index.js';

const diffIds = ['1', '2', '3'].map((digit) => parseDiffId(`sha256:${digit.repeat(64)}`));

it('chains layer ids as the OCI image spec says', () => {
  const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const second = sha(`sha256:${'1'.repeat(64)} sha256:${'2'.repeat(64)}`);
  expect(chainIds(diffIds)).toEqual([diffIds[0], second, sha(`${second} sha256:${'3'.repeat(64)}`)]);
});

it('has no chain for no layers', () => {
  expect(chainIds([])).toEqual([]);
});

it('refuses what is no digest', () => {
  expect(() => parseDiffId('sha256:abc')).toThrow(/not a sha256 digest/);
  expect(() => parseChainId(`sha256:${'A'.repeat(64)}`)).toThrow(/not a sha256 digest/);
});

it('names the host platform in the words of Go', () => {
  expect(formatPlatform(hostPlatform())).toMatch(/^linux\/(amd64|arm64|arm\/v7|386|riscv64|s390x|ppc64le|loong64)$/);
  expect(formatPlatform({ os: 'linux', architecture: 'arm', variant: 'v6' })).toBe('linux/arm/v6');
});
