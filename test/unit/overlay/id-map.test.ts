import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { IdMap, OVERFLOW_ID } from '../../../src/overlay/id-map.js';

/** As rootless podman maps: root is the user itself, the others come from /etc/subuid. */
const ROOTLESS = [
  { disk: 0, shown: 1000, length: 1 },
  { disk: 1, shown: 100_000, length: 65_536 },
];

const USER_OBJ = 0x01;
const USER = 0x02;
const GROUP_OBJ = 0x04;
const GROUP = 0x08;
const MASK = 0x10;
const OTHER = 0x20;
const NO_ID = 0xffffffff;

function acl(...entries: readonly [tag: number, id: number][]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2, 0);
  entries.forEach(([tag, id], index) => {
    bytes.writeUInt16LE(tag, 4 + 8 * index);
    bytes.writeUInt16LE(6, 6 + 8 * index);
    bytes.writeUInt32LE(id, 8 + 8 * index);
  });
  return bytes;
}

describe('a map', () => {
  const map = new IdMap({ uidMapping: ROOTLESS, gidMapping: [{ disk: 50, shown: 0, length: 10 }] });

  test.each([
    [0, 1000],
    [1, 100_000],
    [65_536, 165_535],
    [65_537, OVERFLOW_ID],
    [1000, 100_999],
  ])('shows user %d as %d', (disk, shown) => {
    expect(map.shownUid(disk)).toBe(shown);
  });

  test('has one of its own for groups', () => {
    expect([map.shownGid(50), map.shownGid(59), map.shownGid(49), map.shownGid(60)]).toEqual([
      0,
      9,
      OVERFLOW_ID,
      OVERFLOW_ID,
    ]);
    expect([map.diskGid(0), map.diskGid(9), map.diskGid(10)]).toEqual([50, 59, undefined]);
  });

  test('has no number on disk for an id outside', () => {
    expect([map.diskUid(999), map.diskUid(1001), map.diskUid(0), map.diskUid(165_536)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is its own inverse', () => {
    const mapped = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 65_536 }));
    fc.assert(fc.property(mapped, (disk) => map.diskUid(map.shownUid(disk)) === disk));
  });
});

describe('squashing', () => {
  test('to root shows all as root, and writes what it is told', () => {
    const map = new IdMap({ squashToRoot: true });
    expect([map.shownUid(5), map.shownGid(6), map.diskUid(7), map.diskGid(8)]).toEqual([0, 0, 7, 8]);
  });

  test('to a user goes before squashing to root, and leaves groups to that', () => {
    const map = new IdMap({ squashToRoot: true, squashToUid: 77 });
    expect([map.shownUid(5), map.shownGid(6)]).toEqual([77, 0]);
  });

  test('to a user goes before the map, which still says what is written', () => {
    const map = new IdMap({ squashToUid: 77, uidMapping: ROOTLESS });
    expect([map.shownUid(5), map.diskUid(1000), map.diskUid(5)]).toEqual([77, 0, undefined]);
  });
});

test.each([
  [{}, true],
  [{ squashToRoot: false }, true],
  [{ squashToRoot: true }, false],
  [{ squashToUid: 0 }, false],
  [{ squashToGid: 0 }, false],
  [{ uidMapping: ROOTLESS }, false],
  [{ gidMapping: ROOTLESS }, false],
])('identity: %j %s', (rules, identity) => {
  expect(new IdMap(rules).isIdentity).toBe(identity);
});

describe('ACLs', () => {
  const map = new IdMap({ uidMapping: ROOTLESS, gidMapping: [{ disk: 0, shown: 2000, length: 10 }] });
  const disk = acl([USER_OBJ, NO_ID], [USER, 3], [GROUP_OBJ, NO_ID], [GROUP, 4], [MASK, NO_ID], [OTHER, NO_ID]);
  const shown = acl(
    [USER_OBJ, NO_ID],
    [USER, 100_002],
    [GROUP_OBJ, NO_ID],
    [GROUP, 2004],
    [MASK, NO_ID],
    [OTHER, NO_ID],
  );

  test('name mapped users and groups, in both directions', () => {
    expect(map.shownAcl(disk)).toEqual(shown);
    expect(map.diskAcl(shown)).toEqual(disk);
  });

  test('show the overflow id, and cannot take it', () => {
    expect(map.shownAcl(acl([GROUP, 11]))).toEqual(acl([GROUP, OVERFLOW_ID]));
    expect(map.diskAcl(acl([USER, 5]))).toBe(-errno.EINVAL);
  });

  test('are not squashed', () => {
    expect(new IdMap({ squashToRoot: true }).shownAcl(disk)).toEqual(disk);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a header', Buffer.from([2, 0, 0])],
    ['another version', Buffer.from([1, 0, 0, 0, 2, 0, 6, 0, 3, 0, 0, 0])],
    ['half an entry', Buffer.from([2, 0, 0, 0, 2, 0, 6, 0, 3])],
  ])('that are none stay as they are: %s', (_what, bytes) => {
    expect(map.shownAcl(bytes)).toEqual(bytes);
    expect(map.diskAcl(bytes)).toEqual(bytes);
  });

  test('leave the given bytes alone', () => {
    const given = acl([USER, 3]);
    map.shownAcl(given);
    expect(given).toEqual(acl([USER, 3]));
  });
});
