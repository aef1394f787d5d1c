// What other union file systems get wrong and no other family asks: ioctls, clones, birth times, record locks, maps that a
// copy-up meets.

import {
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  O_APPEND,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  Stat,
  fstatx,
  ficlone,
  ioctl,
  must,
} from '../../src/sys/index.js';
import { dir, file, link } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  ofdConflict,
  ofdLock,
} from '../helpers/native.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual, expectResult } from './handle.js';
import type { Handle } from './handle.js';

const byOrigin = (
  spec: LayerSpec,
  make: (layers: Pick<Check, 'lower' | 'upper'>, origin: string) => Check[],
): Check[] => [
  ...make({ lower: [spec] }, 'lower'),
  ...make({ upper: spec }, 'upper'),
  ...make({ lower: [{ f: 'hidden', d: dir() }], upper: spec }, 'merged'),
];

// linux/fs.h
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_GETVERSION = 0x80087601;
const FICLONERANGE = 0x4020940d;
const TCGETS = 0x5401;

/** What a program takes for "not here"; other errors make it fail (a peer answers EIO, and ostree stops). */
const WORKS_OR_NOT_HERE = { err: ['success', 'ENOTTY', 'EOPNOTSUPP'] };
const NO_CLONES = { err: ['success', 'EOPNOTSUPP', 'ENOTTY', 'EXDEV'] };

const ioctls: readonly Check[] = byOrigin(
  { f: 'content', g: 'other', big: 'x'.repeat(200_000), d: dir() },
  (layers, origin) => [
    {
      name: `attribute ioctls work or are ENOTTY, ${origin}`,
      ...layers,
      run: (ctx) => {
        for (const open of [() => ctx.open('f', O_RDONLY), () => ctx.open('f', O_RDWR), () => ctx.opendir('d')]) {
          const handle = open();
          const buffer = Buffer.alloc(64);
          for (const request of [FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR, FS_IOC_GETVERSION])
            expectResult(`ioctl ${request.toString(16)}`, ioctl(handle.fd, request, buffer), WORKS_OR_NOT_HERE);
          expectResult('TCGETS', ioctl(handle.fd, TCGETS, buffer), { err: 'ENOTTY' });
          const flags = Buffer.alloc(64);
          if (ioctl(handle.fd, FS_IOC_GETFLAGS, flags) < 0)
            expectResult('SETFLAGS', ioctl(handle.fd, FS_IOC_SETFLAGS, flags), { err: 'ENOTTY' });
          handle.close();
        }
        ctx.expectContent('f', 'content');
      },
    },
    {
      name: `attribute ioctls on a handle from before a copy-up, ${origin}`,
      ...layers,
      run: (ctx) => {
        const reader = ctx.open('big', O_RDONLY);
        ctx.append('big', '+');
        expectResult('GETFLAGS', ioctl(reader.fd, FS_IOC_GETFLAGS, Buffer.alloc(64)), WORKS_OR_NOT_HERE);
      },
    },
    {
      name: `a clone is made or refused honestly, and nothing is written then, ${origin}`,
      ...layers,
      run: (ctx) => {
        const [from, to] = [ctx.open('f', O_RDONLY), ctx.open('g', O_RDWR)];
        const cloned = expectResult('FICLONE', ficlone(to.fd, from.fd), NO_CLONES);
        if (cloned < 0) ctx.expectContent('g', 'other');
        const range = Buffer.alloc(32);
        range.writeBigInt64LE(BigInt(from.fd), 0);
        expectResult('FICLONERANGE', ioctl(to.fd, FICLONERANGE, range), NO_CLONES);
        // What cp does then.
        expectEqual('copied', from.copyTo(to, 7), 7);
        ctx.expectContent('g', 'content');
      },
    },
  ],
);

const birth = (ctx: Ctx, path: string): string => {
  const stat = new Stat();
  must(fstatx(ctx.open(path, O_RDONLY).fd, stat), 'statx', path);
  return `${String(stat.btimeSec)}.${String(stat.btimeNsec).padStart(9, '0')}`;
};

const births: readonly Check[] = byOrigin({ f: 'content', d: dir() }, (layers, origin) => [
  {
    name: `the birth time is told and no later than the next change, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const path of ['f', 'd']) {
        const before = Number.parseFloat(birth(ctx, path));
        expectEqual('in this century', before > 1_600_000_000, true);
        ctx.chmod(path, 0o700);
        const after = birth(ctx, path);
        expectEqual('not before', Number.parseFloat(after) >= before, true);
        ctx.chmod(path, 0o755);
        expectEqual('stable once it is in the upper', birth(ctx, path), after);
      }
      ctx.rename('f', 'd/g');
      expectEqual('told after rename', Number.parseFloat(birth(ctx, 'd/g')) > 0, true);
    },
  },
]);

const lock = (handle: Handle, type: number, err?: string): void =>
  void expectResult('OFD lock', ofdLock(handle.fd, type), err === undefined ? {} : { err });

const locks: readonly Check[] = byOrigin({ f: 'content', l: link('f') }, (layers, origin) => [
  {
    name: `record locks of open files, ${origin}`,
    ...layers,
    run: (ctx) => {
      const [one, two] = [ctx.open('f', O_RDWR), ctx.open('l', O_RDWR)];
      lock(one, F_WRLCK);
      lock(two, F_WRLCK, 'EAGAIN');
      lock(two, F_RDLCK, 'EAGAIN');
      expectEqual('conflict', ofdConflict(two.fd, F_RDLCK), F_WRLCK);
      lock(one, F_UNLCK);
      lock(one, F_RDLCK);
      lock(two, F_RDLCK);
      lock(two, F_WRLCK, 'EAGAIN');
      one.close();
      expectEqual('free after close', ofdConflict(two.fd, F_WRLCK), F_UNLCK);
      lock(two, F_WRLCK);
      const third = ctx.open('f', O_RDONLY);
      lock(third, F_WRLCK, 'EBADF');
      lock(third, F_RDLCK, 'EAGAIN');
    },
  },
  {
    name: `record locks of ranges, ${origin}`,
    ...layers,
    run: (ctx) => {
      const [one, two] = [ctx.open('f', O_RDWR), ctx.open('f', O_RDWR)];
      expectResult('first', ofdLock(one.fd, F_WRLCK, { start: 0, length: 10 }));
      expectResult('beside', ofdLock(two.fd, F_WRLCK, { start: 10, length: 10 }));
      expectResult('across', ofdLock(two.fd, F_WRLCK, { start: 9, length: 2 }), { err: 'EAGAIN' });
      expectResult('hole', ofdLock(one.fd, F_UNLCK, { start: 4, length: 2 }));
      expectResult('in it', ofdLock(two.fd, F_WRLCK, { start: 4, length: 2 }));
      expectResult('beyond', ofdLock(two.fd, F_WRLCK, { start: 2 ** 40, length: 0 }));
    },
  },
]);

/** The second is not read through the kernel's pages. */
const LENGTHS = { small: 100, big: 200_000 };

const locksAcrossCopyUp: readonly Check[] = Object.entries(LENGTHS).flatMap(([length, bytes]) =>
  byOrigin({ f: 'x'.repeat(bytes), g: 'x'.repeat(bytes) }, (layers, origin) => [
    {
      name: `locks of a reader hold against who opens for writing later, ${length}, ${origin}`,
      ...layers,
      run: (ctx) => {
        const record = ctx.open('f', O_RDONLY);
        lock(record, F_RDLCK);
        lock(ctx.open('f', O_RDWR), F_WRLCK, 'EAGAIN');
        ctx.open('g', O_RDONLY).flock(LOCK_SH);
        ctx.open('g', O_RDWR).flock(LOCK_EX | LOCK_NB, { err: 'EAGAIN' });
      },
    },
  ]),
);

const SIZE = 20_000;
const text = (letter: string): string => letter.repeat(SIZE);

const maps: readonly Check[] = byOrigin({ f: file(text('l'), { mode: 0o644 }), l: link('f') }, (layers, origin) => [
  {
    name: `a private map keeps what it wrote when another copies up, ${origin}`,
    ...layers,
    run: (ctx) => {
      const map = ctx.open('f', O_RDONLY).map({ length: SIZE, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE });
      map.store(100, Buffer.from('mine'));
      ctx.append('l', 'appended');
      ctx.open('f', O_WRONLY).pwrite(5000, 'written');
      expectEqual('mine', map.load(100, 4).toString(), 'mine');
      expectEqual('beside', map.load(104, 4).toString(), 'llll');
      expectEqual('old or new', ['written', 'lllllll'].includes(map.load(5000, 7).toString()), true);
      expectEqual('the file', ctx.read('f').slice(98, 106), 'llllllll');
      map.unmap();
    },
  },
  {
    name: `two shared maps and a handle see each other's writes, ${origin}`,
    ...layers,
    run: (ctx) => {
      const shared = { length: SIZE, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED };
      const [one, two] = [ctx.open('f', O_RDWR).map(shared), ctx.open('l', O_RDWR).map(shared)];
      one.store(10, Buffer.from('one'));
      two.store(9000, Buffer.from('two'));
      expectEqual('from one', two.load(10, 3).toString(), 'one');
      expectEqual('from two', one.load(9000, 3).toString(), 'two');
      ctx.open('f', O_WRONLY).pwrite(15_000, 'handle');
      expectEqual('from a handle', one.load(15_000, 6).toString(), 'handle');
      one.unmap();
      two.unmap();
      expectEqual('file', ctx.read('l').slice(9000, 9003), 'two');
    },
  },
  {
    name: `a file that grows under a map, ${origin}`,
    ...layers,
    run: (ctx) => {
      const handle = ctx.open('f', O_RDWR | O_APPEND);
      const map = handle.map({ length: 2 * SIZE, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
      handle.write(text('m'));
      expectEqual('new part', map.load(SIZE, 4).toString(), 'mmmm');
      map.store(2 * SIZE - 3, Buffer.from('end'));
      map.sync();
      map.unmap();
      expectEqual('end', ctx.read('f').slice(-4), 'mend');
      ctx.truncate('f', 4096);
      ctx.truncate('f', 8192);
      expectEqual('zeros', ctx.read('f').slice(4095, 4098), 'l\0\0');
    },
  },
]);

export const peers: readonly Check[] = [...ioctls, ...births, ...locks, ...locksAcrossCopyUp, ...maps];
