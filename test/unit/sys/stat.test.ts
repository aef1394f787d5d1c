import { lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import {
  O_NOFOLLOW,
  O_PATH,
  S_IFCHR,
  S_IFIFO,
  Stat,
  close,
  decodeDev,
  encodeDev,
  fstatx,
  mknodat,
  openat,
  pwrite,
  statx,
  statxFollow,
  utimensat,
} from '../../../src/sys/index.js';
import { requires } from '../../helpers/requires.js';
import { scratch } from './scratch.js';

const dir = scratch('sys-stat');
const stat = new Stat();

/** What node:fs tells in the same words; it has no birth time or device halves. */
function fields(from: Stat): Record<string, bigint> {
  const ns = (sec: number, nsec: number): bigint => BigInt(sec) * 1_000_000_000n + BigInt(nsec);
  return {
    ino: from.ino,
    mode: BigInt(from.mode),
    nlink: BigInt(from.nlink),
    uid: BigInt(from.uid),
    gid: BigInt(from.gid),
    size: BigInt(from.size),
    blocks: BigInt(from.blocks),
    blksize: BigInt(from.blksize),
    atimeNs: ns(from.atimeSec, from.atimeNsec),
    mtimeNs: ns(from.mtimeSec, from.mtimeNsec),
    ctimeNs: ns(from.ctimeSec, from.ctimeNsec),
  };
}

function expectAsNode(name: string): void {
  expect(statx(dir.fd, name, stat)).toBe(0);
  const node = lstatSync(`${dir.path}/${name}`, { bigint: true });
  expect(fields(stat)).toEqual(Object.fromEntries(Object.keys(fields(stat)).map((key) => [key, node[key as 'ino']])));
  expect(BigInt(encodeDev(stat.devMajor, stat.devMinor))).toBe(node.dev);
  expect([stat.isDirectory, stat.isRegular, stat.isSymlink]).toEqual([
    node.isDirectory(),
    node.isFile(),
    node.isSymbolicLink(),
  ]);
}

describe('statx', () => {
  test('tells what node:fs tells', () => {
    const fd = dir.file('file', 'x'.repeat(5000));
    pwrite(fd, Buffer.from('y'), 6 * 2 ** 30);
    mkdirSync(`${dir.path}/directory`);
    symlinkSync('file', `${dir.path}/symlink`);
    mknodat(dir.fd, 'fifo', S_IFIFO | 0o640, 0);
    for (const name of ['file', 'directory', 'symlink', 'fifo']) expectAsNode(name);
  });

  test.each([
    ['now', 1_763_000_000, 1],
    ['before 1970', -2, 999_999_999],
    ['one second before 1970', -1, 0],
    ['1902, the end of 32 bits', -(2 ** 31), 0],
    ['2106, the end of unsigned 32 bits', 2 ** 32 - 1, 123_456_789],
    ['2446, the end of ext4', 15_032_385_535, 0],
  ])('gives times to the nanosecond: %s', (_what, sec, nsec) => {
    dir.file('times');
    const mtime = { sec, nsec };
    expect(utimensat(dir.fd, 'times', { atime: { sec: sec + (sec < 0 ? 1 : -1), nsec: 7 }, mtime })).toBe(0);
    statx(dir.fd, 'times', stat);
    expect([stat.mtimeSec, stat.mtimeNsec, stat.atimeNsec]).toEqual([sec, nsec, 7]);
    expectAsNode('times');
  });

  test('gives the birth time', () => {
    const before = Math.floor(Date.now() / 1000) - 1;
    dir.file('born');
    statx(dir.fd, 'born', stat);
    expect(stat.mask & 0x800).toBe(0x800);
    expect(stat.btimeSec).toBeGreaterThanOrEqual(before);
    expect(stat.btimeNsec).toBeLessThan(1e9);
  });

  test('does not follow the last symlink; statxFollow does', () => {
    expect([statx(dir.fd, 'symlink', stat), stat.isSymlink]).toEqual([0, true]);
    expect([statxFollow(dir.fd, 'symlink', stat), stat.isRegular]).toEqual([0, true]);
  });

  test('says what is not there', () => {
    expect(statx(dir.fd, 'missing', stat)).toBe(-errno.ENOENT);
    expect(statx(dir.fd, 'file/below', stat)).toBe(-errno.ENOTDIR);
    expect(statx(dir.fd, 'n'.repeat(256), stat)).toBe(-errno.ENAMETOOLONG);
    expect(statx(dir.fd, '', stat)).toBe(-errno.ENOENT);
    expect(statx(1_000_000, 'file', stat)).toBe(-errno.EBADF);
    expect(statxFollow(dir.fd, 'missing', stat)).toBe(-errno.ENOENT);
    expect(fstatx(1_000_000, stat)).toBe(-errno.EBADF);
  });

  test('takes O_PATH files, of symlinks too', () => {
    const fd = openat(dir.fd, 'symlink', O_PATH | O_NOFOLLOW);
    expect([fstatx(fd, stat), stat.isSymlink]).toEqual([0, true]);
    close(fd);
  });

  const gate = requires('mknod');
  test.skipIf(gate.skip)(gate.title('tells device numbers, and the whiteout among them'), () => {
    mknodat(dir.fd, 'device', S_IFCHR, encodeDev(4095, 0xfffff));
    statx(dir.fd, 'device', stat);
    expect([stat.rdevMajor, stat.rdevMinor, stat.isWhiteoutDevice]).toEqual([4095, 0xfffff, false]);
    expect(BigInt(stat.rdev)).toBe(lstatSync(`${dir.path}/device`, { bigint: true }).rdev);
    mknodat(dir.fd, 'whiteout', S_IFCHR, 0);
    statx(dir.fd, 'whiteout', stat);
    expect(stat.isWhiteoutDevice).toBe(true);
  });
});

describe('Stat', () => {
  test('reads numbers beyond 32 bits whole', () => {
    const own = new Stat();
    own.bytes.writeBigUInt64LE(0xfedc_ba98_7654_3210n, 32);
    own.bytes.writeBigUInt64LE(0x0011_2233_4455_6677n, 40);
    expect(own.ino).toBe(0xfedc_ba98_7654_3210n);
    expect([own.inoLow, own.inoHigh]).toEqual([0x76543210, 0xfedcba98]);
    expect(own.size).toBe(0x0011_2233_4455_6677);
  });
});

describe('a device number', () => {
  const major = fc.nat(0xfff);
  const minor = fc.nat(0xfffff);

  test('decodes to what was encoded', () => {
    fc.assert(
      fc.property(major, minor, (a, b) => {
        expect(decodeDev(encodeDev(a, b))).toEqual([a, b]);
      }),
    );
  });

  test('fits into 32 bits, and back', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (dev) => {
        const [a, b] = decodeDev(dev);
        expect(encodeDev(a, b)).toBe(dev);
      }),
    );
  });

  test('is that of linux/kdev_t.h', () => {
    expect(encodeDev(8, 1)).toBe(0x801);
    expect(encodeDev(0xabc, 0x12345)).toBe(0x123abc45);
  });
});
