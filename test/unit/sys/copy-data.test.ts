import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  AT_FDCWD,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  SEEK_DATA,
  SEEK_HOLE,
  close,
  copyData,
  ftruncate,
  lseek,
  mount,
  openat,
  pread,
  pwrite,
} from '../../../src/sys/index.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-copy');

/** The places of data as [start, end) pairs. */
function extents(fd: number): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; ;) {
    const start = lseek(fd, at, SEEK_DATA);
    if (start < 0) return found;
    at = lseek(fd, start, SEEK_HOLE);
    found.push([start, at]);
  }
}

const contentOf = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(`${dir.path}/${name}`))
    .digest('hex');

describe('copyData', () => {
  test('copies content and keeps holes', () => {
    const from = dir.file('sparse');
    for (const at of [0, 3 << 20, (9 << 20) + 4096]) pwrite(from, randomBytes(8192), at);
    ftruncate(from, 16 << 20);
    const to = dir.file('sparse-copy');
    expect(copyData(from, to, 16 << 20)).toBe(0);
    expect(contentOf('sparse-copy')).toBe(contentOf('sparse'));
    expect(extents(to)).toEqual(extents(from));
    expect(extents(to).length).toBe(3);
    expect(statSync(`${dir.path}/sparse-copy`).blocks).toBeLessThan(200);
  });

  test('stops at the size asked for', () => {
    const from = dir.file('longer', randomBytes(300_000));
    const to = dir.file('shorter');
    expect(copyData(from, to, 100_001)).toBe(0);
    expect(readFileSync(`${dir.path}/shorter`).equals(readFileSync(`${dir.path}/longer`).subarray(0, 100_001))).toBe(
      true,
    );
  });

  test('makes a hole of what is a hole to its end', () => {
    const from = dir.file('hole');
    ftruncate(from, 1 << 20);
    const to = dir.file('hole-copy');
    expect(copyData(from, to, 1 << 20)).toBe(0);
    expect([statSync(`${dir.path}/hole-copy`).size, extents(to)]).toEqual([1 << 20, []]);
  });

  test('does nothing for nothing', () => {
    expect(copyData(-1, -1, 0)).toBe(0);
  });

  test('says what failed', () => {
    const from = dir.file('longer');
    const readOnly = openat(dir.fd, 'shorter', O_RDONLY);
    expect([-errno.EINVAL, -errno.EBADF]).toContain(copyData(from, readOnly, 100));
    close(readOnly);
  });

  test('agrees with reading and writing for any layout', () => {
    const piece = fc.record({ at: fc.nat(40), length: fc.integer({ min: 1, max: 9000 }) });
    let round = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.nat(200_000), (pieces, size) => {
        round += 1;
        const from = dir.file(`any-${String(round)}`);
        for (const { at, length } of pieces) pwrite(from, randomBytes(length), at * 4096);
        ftruncate(from, size);
        const to = dir.file(`any-${String(round)}-copy`);
        expect(copyData(from, to, size)).toBe(0);
        expect(contentOf(`any-${String(round)}-copy`)).toBe(contentOf(`any-${String(round)}`));
      }),
      { numRuns: 40 },
    );
  });
});

describe('copyData where the kernel cannot copy', () => {
  test('reads and writes from a file whose size the kernel does not know', () => {
    const from = openat(AT_FDCWD, '/proc/self/mountinfo', O_RDONLY);
    const expected = Buffer.alloc(1 << 16);
    const length = pread(from, expected, 0);
    const to = dir.file('from-proc');
    // procfs reads what fits into a page at once, and less than asked for.
    expect(copyData(from, to, Math.min(length, 2000))).toBe(0);
    const copy = readFileSync(`${dir.path}/from-proc`);
    expect(copy.equals(expected.subarray(0, copy.length))).toBe(true);
    expect(copy.length).toBe(Math.min(length, 2000));
    close(from);
  });

  const gate = requires('root');
  test.skipIf(gate.skip)(gate.title('copies across file systems, and says ENOSPC where the target is full'), () => {
    const other = tempDir('sys-copy-tmpfs');
    onTestFinished(() => {
      other.remove();
    });
    // Below: removing the directory un-mounts what is in it, also after a failure.
    const mountpoint = `${other.path}/m`;
    mkdirSync(mountpoint);
    expect(mount({ source: 't', target: mountpoint, type: 'tmpfs', flags: 0, data: 'size=1m' })).toBe(0);
    const content = randomBytes(500_000);
    const from = dir.file('to-tmpfs', content);
    const to = openat(AT_FDCWD, `${mountpoint}/copy`, O_RDWR | O_CREAT, 0o600);
    expect(copyData(from, to, content.length)).toBe(0);
    expect(readFileSync(`${mountpoint}/copy`).equals(content)).toBe(true);
    const large = dir.file('too-large', randomBytes(2 << 20));
    const full = openat(AT_FDCWD, `${mountpoint}/full`, O_RDWR | O_CREAT, 0o600);
    expect(copyData(large, full, 2 << 20)).toBe(-errno.ENOSPC);
    close(to);
    close(full);
  });
});
