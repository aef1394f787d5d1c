// What each golden request means: the call it becomes, and what the handler answers to give the golden reply.

import { errno } from '../../../src/core/index.js';
import type { Attr, Entry, Outcome } from '../../../src/fuse/index.js';
import { UTIME_NOW } from '../../../src/sys/index.js';
import type { FileSystemStatus } from '../../../src/sys/index.js';
import type { Call, Out } from './recording-filesystem.js';

const NODE = 0x0011223344556677;
const FH = 0x0001020304050607;
const OFFSET = 0x0010203040506070;
const NAME = 'n\xff.\xc3\xa9';
const OTHER = 0x0002030405060708;
const caller = { uid: 0x0a0b0c0d, gid: 0x1a1b1c1d };

export interface WireCase {
  readonly calls: readonly Call[];
  readonly answer?: (out: Out) => Outcome;
  readonly value?: string | Buffer | readonly string[] | FileSystemStatus;
}

function fillAttr(attr: Attr): void {
  attr.inoLow = 0x76543210;
  attr.inoHigh = 0xfedcba98;
  attr.size = 0x0007060504030201;
  attr.blocks = 0x0003020104050607;
  attr.atimeSec = -2;
  attr.atimeNsec = 0x01020304;
  attr.mtimeSec = 0x0000000211223344;
  attr.mtimeNsec = 0x05060708;
  attr.ctimeSec = 0x31323334;
  attr.ctimeNsec = 0x090a0b0c;
  attr.btimeSec = 0x0000000441424344;
  attr.btimeNsec = 0x0d0e0f10;
  attr.mode = 0o104751;
  attr.nlink = 0x11121314;
  attr.uid = 0x21222324;
  attr.gid = 0x31323335;
  attr.rdev = 0x00abcdef;
  attr.blksize = 0x1000;
}

function fillEntry(entry: Entry): void {
  entry.nodeid = 0x0009080706050403;
  fillAttr(entry.attr);
}

function fill(out: Out): number {
  if (out.entry !== undefined) fillEntry(out.entry);
  if (out.attr !== undefined) fillAttr(out.attr);
  if (out.opened !== undefined) {
    out.opened.fh = FH;
    out.opened.flags = 0x80;
    out.opened.backingId = 0x41424344;
  }
  return 0;
}

/** Adds three entries as long as they fit. */
function listThree({ sink }: Out): number {
  const entries = [
    ['a\xff', 8],
    ['12345678', 4],
    ['c', 10],
  ] as const;
  for (const [index, [name, type]] of entries.entries()) {
    if (sink?.fits(name.length) !== true) break;
    fillEntry(sink.entry);
    sink.add(name, type, 0x000a0b0c0d0e0f01 + index);
  }
  return 0;
}

const setattr = {
  caller,
  mode: 0o102755,
  uid: 0x51525354,
  gid: 0x61626364,
  size: OFFSET,
  fh: FH,
  atime: { sec: -3, nsec: 0x11223344 },
  mtime: { sec: 0x0000000155667788, nsec: 0x15263748 },
  killSuidgid: true,
};

const value = Buffer.from('v\0\xff\x01', 'latin1');
const names = ['user.a', 'user.\xff'];
const getxattr = { calls: [['getxattr', NODE, 'user.\xff']], value } as const;
const listxattr = { calls: [['listxattr', NODE, caller]], value: names } as const;
const fsxattr = Buffer.from(Array.from({ length: 28 }, (_, index) => 0xa0 + index));
const none = { calls: [] } as const;

/** By the name of the golden file; INIT is the session's, see init.test.ts. */
export const WIRE_CASES: Readonly<Record<string, WireCase>> = {
  lookup: { calls: [['lookup', NODE, NAME]], answer: fill },
  'lookup-negative': { calls: [['lookup', NODE, 'gone']] },
  'lookup-error': { calls: [['lookup', NODE, 'x']], answer: () => -errno.ENOTDIR },
  forget: { calls: [['forget', NODE, 0x123456789]] },
  'batch-forget': {
    calls: [
      ['forget', 0x0001111111111112, 1],
      ['forget', 0x0002222222222223, 0x301020304],
    ],
  },
  getattr: { calls: [['getattr', NODE, undefined]], answer: fill },
  'getattr-fh': { calls: [['getattr', NODE, FH]], answer: fill },
  statx: { calls: [['getattr', NODE, FH]], answer: fill },
  setattr: { calls: [['setattr', NODE, setattr]], answer: fill },
  'setattr-now': {
    calls: [['setattr', NODE, { caller, atime: { sec: 0, nsec: UTIME_NOW }, mtime: { sec: 0, nsec: UTIME_NOW } }]],
    answer: fill,
  },
  readlink: { calls: [['readlink', NODE]], value: '../t\xff\x80' },
  symlink: { calls: [['symlink', NODE, NAME, { caller, target: 'to/\xfe' }]], answer: fill },
  mknod: {
    calls: [['mknod', NODE, NAME, { caller, mode: 0o020640, rdev: 0x00c0ffee, umask: 0o027 }]],
    answer: fill,
  },
  mkdir: { calls: [['mkdir', NODE, NAME, { caller, mode: 0o041777, umask: 0o022 }]], answer: fill },
  unlink: { calls: [['unlink', NODE, NAME]] },
  rmdir: { calls: [['rmdir', NODE, NAME]] },
  rename: { calls: [['rename', { parent: NODE, name: 'old', newParent: OTHER, newName: 'new\xff', flags: 0 }]] },
  rename2: { calls: [['rename', { parent: NODE, name: 'old', newParent: OTHER, newName: 'new\xff', flags: 2 }]] },
  link: { calls: [['link', OTHER, NODE, 'new']], answer: fill },
  open: { calls: [['open', NODE, { caller, flags: 0o1002002, killSuidgid: true }]], answer: fill },
  create: {
    calls: [['create', NODE, NAME, { caller, flags: 0o100302, mode: 0o100664, umask: 0o002 }]],
    answer: fill,
  },
  tmpfile: {
    calls: [['tmpfile', NODE, { caller, flags: 0o20200002, mode: 0o100600, umask: 0o077 }]],
    answer: fill,
  },
  read: { calls: [['read', FH, OFFSET, 0x30]], answer: ({ into }) => into!.write('the bytes') },
  write: {
    calls: [['write', FH, { offset: OFFSET, killSuidgid: true }, Buffer.from('ab\0\xffe', 'latin1')]],
    answer: () => 3,
  },
  statfs: {
    calls: [['statfs', NODE]],
    value: {
      type: 0,
      bsize: 0x1000,
      blocks: 0x0001020304050607,
      bfree: 0x0000112233445566,
      bavail: 0x0000011223344556,
      files: 0x0000000aabbccdde,
      ffree: 0x00000009aabbccdd,
      namelen: 255,
      frsize: 0x2000,
    },
  },
  release: { calls: [['release', NODE, FH]] },
  fsync: { calls: [['fsync', FH, false]] },
  'fsync-data': { calls: [['fsync', FH, true]] },
  fsyncdir: { calls: [['fsyncdir', NODE, true]] },
  setxattr: { calls: [['setxattr', NODE, 'user.\xff', value, { flags: 1, killSgid: true }]] },
  getxattr,
  'getxattr-size': getxattr,
  'getxattr-small': getxattr,
  'getxattr-exact': getxattr,
  listxattr,
  'listxattr-size': listxattr,
  'listxattr-small': listxattr,
  removexattr: { calls: [['removexattr', NODE, 'user.\xff']] },
  readdir: { calls: [['readdir', NODE, OFFSET, false]], answer: listThree },
  readdirplus: { calls: [['readdir', NODE, OFFSET, true]], answer: listThree },
  fallocate: { calls: [['fallocate', FH, { offset: OFFSET, length: 0x0004030201020304, mode: 3 }, caller]] },
  lseek: { calls: [['lseek', FH, OFFSET, 4]], answer: () => OFFSET + 16 },
  'copy-file-range': {
    calls: [
      [
        'copyFileRange',
        {
          fhIn: FH,
          offsetIn: OFFSET,
          fhOut: 0x0005060708090a0b,
          offsetOut: 0x0011111111111112,
          length: 0x12345678,
        },
        caller,
      ],
    ],
    answer: () => 0x01234567,
  },
  'copy-file-range-huge': {
    calls: [['copyFileRange', { fhIn: FH, offsetIn: 0, fhOut: 3, offsetOut: 0, length: 0x7ffff000 }, caller]],
    answer: () => 0x7ffff000,
  },
  // A program's own, by its address: nobody has checked whether it may.
  ioctl: none,
  'ioctl-setflags-program': none,
  'ioctl-other': none,
  'ioctl-getflags': { calls: [['getFlags', NODE, 'flags']], value: Buffer.from([0x10, 0x20, 0x30, 0x40]) },
  'ioctl-setflags': { calls: [['setFlags', NODE, 'flags', Buffer.from([0x90, 0, 8, 0xc0])]] },
  'ioctl-fsgetxattr': { calls: [['getFlags', NODE, 'fsxattr']], value: fsxattr },
  'ioctl-fssetxattr': { calls: [['setFlags', NODE, 'fsxattr', fsxattr]] },
  interrupt: none,
  destroy: none,
  flush: none,
  opendir: none,
  access: none,
};
