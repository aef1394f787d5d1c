import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StatOverrides, formatOverride, parseOverride } from '../../../src/overlay/stat-override.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK, Stat } from '../../../src/sys/index.js';

const shown = (mode: number, device = { major: 0, minor: 0 }): Stat => {
  const stat = new Stat();
  stat.assume({ uid: 7, gid: 8, mode, device });
  return stat;
};

describe('a value', () => {
  test.each([
    ['0:0:755', { uid: 0, gid: 0, mode: 0o755 }],
    ['0:0:0755', { uid: 0, gid: 0, mode: 0o755 }],
    ['7:8:104711', { uid: 7, gid: 8, mode: 0o4711 }],
    ['7:8:42700', { uid: 7, gid: 8, mode: 0o2700 }],
    ['1:2:1777:dir', { uid: 1, gid: 2, mode: 0o1777 }],
    ['1:2:644:file', { uid: 1, gid: 2, mode: 0o644 }],
    ['1:2:777:symlink', { uid: 1, gid: 2, mode: 0o777 }],
    ['1:2:644:pipe', { uid: 1, gid: 2, mode: 0o644, type: S_IFIFO }],
    ['1:2:644:socket', { uid: 1, gid: 2, mode: 0o644, type: S_IFSOCK }],
    ['1:2:660:block-8-1', { uid: 1, gid: 2, mode: 0o660, type: S_IFBLK, device: { major: 8, minor: 1 } }],
    ['1:2:666:char-1-3', { uid: 1, gid: 2, mode: 0o666, type: S_IFCHR, device: { major: 1, minor: 3 } }],
    ['4294967294:4294967294:0', { uid: 4294967294, gid: 4294967294, mode: 0 }],
  ])('%s', (value, override) => {
    expect(parseOverride(value)).toEqual({ type: undefined, device: undefined, ...override });
  });

  test.each([
    ['nothing', ''],
    ['two numbers', '0:0'],
    ['a mode that is not octal', '0:0:0799'],
    ['a negative id', '-1:0:644'],
    ['an id of words', 'root:0:644'],
    ['an unknown type', '0:0:644:door'],
    ['a device without numbers', '0:0:644:char'],
    ['a device with one number', '0:0:644:char-1'],
    ['a fifo with numbers', '0:0:644:pipe-1-1'],
    ['a whiteout', '0:0:644:char-0-0'],
    ['something after it', '0:0:644:file:x'],
    ['a newline after it', '0:0:644\n'],
  ])('that is none: %s', (_what, value) => {
    expect(parseOverride(value)).toBeUndefined();
  });
});

describe('writing', () => {
  test.each([
    [S_IFREG | 0o4755, '7:8:104755'],
    [S_IFDIR | 0o2700, '7:8:42700'],
    [S_IFLNK | 0o777, '7:8:120777'],
    [S_IFIFO | 0o644, '7:8:644:pipe'],
    [S_IFSOCK | 0o600, '7:8:600:socket'],
    [S_IFCHR | 0o666, '7:8:666:char-5-1'],
    [S_IFBLK | 0o660, '7:8:660:block-5-1'],
  ])('mode %o', (mode, value) => {
    expect(formatOverride(shown(mode, { major: 5, minor: 1 }))).toBe(value);
  });

  test('what was written is read', () => {
    const types = fc.constantFrom(S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK);
    const device = fc.record({ major: fc.integer({ min: 1, max: 4095 }), minor: fc.nat(0xfffff) });
    fc.assert(
      fc.property(types, fc.nat(0o7777), device, (type, mode, numbers) => {
        const special = type === S_IFCHR || type === S_IFBLK;
        const read = parseOverride(formatOverride(shown(type | mode, numbers)));
        expect(read).toEqual({ uid: 7, gid: 8, mode, type, device: special ? numbers : undefined });
      }),
    );
  });
});

test.each([
  ['user.containers.override_stat', true],
  ['user.fuseoverlayfs.override_stat', true],
  ['security.fuseoverlayfs.override_stat', true],
  ['user.containers.override_stats', false],
  ['user.mime_type', false],
])('%s is one of them: %s', (name, isOne) => {
  expect(StatOverrides.isOne(name)).toBe(isOne);
});
