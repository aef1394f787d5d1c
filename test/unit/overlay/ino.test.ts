import { describe, expect, test } from 'vitest';
import { InoMap } from '../../../src/overlay/ino.js';
import { Stat } from '../../../src/sys/index.js';

function statOf(ino: bigint, device: { major: number; minor: number }): Stat {
  const stat = new Stat();
  stat.bytes.writeBigUInt64LE(ino, 32);
  stat.bytes.writeUInt32LE(device.major, 136);
  stat.bytes.writeUInt32LE(device.minor, 140);
  return stat;
}

const A = { major: 8, minor: 1 };
const B = { major: 0, minor: 45 };
const C = { major: 259, minor: 0 };
const devOf = (device: { major: number; minor: number }): number => statOf(1n, device).dev;

function assigned(map: InoMap, stat: Stat): bigint {
  const target = { inoLow: 0, inoHigh: 0 };
  map.assign(stat, target);
  expect([target.inoLow, target.inoHigh].every((half) => half >= 0 && half <= 0xffffffff)).toBe(true);
  return (BigInt(target.inoHigh) << 32n) | BigInt(target.inoLow);
}

describe('inode numbers', () => {
  test('on one file system are the real ones, all 64 bits', () => {
    const map = new InoMap([devOf(A)]);
    for (const ino of [1n, 0xffff_ffffn, 0xfedc_ba98_7654_3210n]) expect(assigned(map, statOf(ino, A))).toBe(ino);
  });

  test('of a second file system carry its index above bit 56', () => {
    const map = new InoMap([devOf(A), devOf(B)]);
    expect(assigned(map, statOf(5n, A))).toBe(5n);
    expect(assigned(map, statOf(5n, B))).toBe((1n << 56n) | 5n);
    expect(assigned(map, statOf(0xff_ffff_ffff_ffffn, B))).toBe((1n << 56n) | 0xff_ffff_ffff_ffffn);
  });

  test('that reach into the bits of the index are folded, and stay in their file system', () => {
    const map = new InoMap([devOf(A), devOf(B)]);
    const folded = assigned(map, statOf(0xabcd_0000_0000_0001n, B));
    expect(folded >> 56n).toBe(1n);
    expect(folded).not.toBe(assigned(map, statOf(0x00cd_0000_0000_0001n, B)));
  });

  test('are the same for the same order of devices, and a new one on top changes none', () => {
    const before = new InoMap([devOf(A), devOf(B)]);
    const after = new InoMap([devOf(A), devOf(B), devOf(A), devOf(C)]);
    for (const device of [A, B])
      expect(assigned(after, statOf(77n, device))).toBe(assigned(before, statOf(77n, device)));
    expect(assigned(after, statOf(77n, C)) >> 56n).toBe(2n);
  });

  test('of a device that was not announced get the next index', () => {
    const map = new InoMap([devOf(A)]);
    expect(assigned(map, statOf(1n, B)) >> 56n).toBe(1n);
    expect(assigned(map, statOf(1n, C)) >> 56n).toBe(2n);
    expect(assigned(map, statOf(1n, B)) >> 56n).toBe(1n);
  });
});

describe('the key of a file', () => {
  test('tells devices and halves apart', () => {
    const map = new InoMap([]);
    const keys = [
      statOf(1n, A),
      statOf(1n, B),
      statOf(1n << 32n, A),
      statOf(11n, A),
      statOf(2n, { major: 8, minor: 2 }),
    ];
    expect(new Set(keys.map((stat) => map.key(stat))).size).toBe(keys.length);
    expect(map.key(statOf(1n, A))).toBe(map.key(statOf(1n, A)));
  });
});
