// Open flags, reading and writing, holes, mappings: the data path, with copy-up in every place.

import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
  O_DIRECT,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
} from '../../src/sys/index.js';
import { dir, fifo, file, link, symlink } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../helpers/native.js';
import type { Check } from './check.js';
import { expectEqual } from './handle.js';
import { ALICE, BOB } from './users.js';

const FALLOC_KEEP_SIZE = 1;
const FALLOC_PUNCH_HOLE = 2;
const FALLOC_ZERO_RANGE = 16;

const MEGA = 1024 * 1024;
/** Text whose every 16 bytes tell their offset. */
const pattern = (length: number): string =>
  Array.from({ length: Math.ceil(length / 16) }, (_, index) => (index * 16).toString(16).padStart(15, '.') + '\n')
    .join('')
    .slice(0, length);
const BIG = pattern(3 * MEGA + 5);

const byOrigin = (
  spec: LayerSpec,
  make: (layers: Pick<Check, 'lower' | 'upper'>, origin: string) => Check[],
): Check[] => [
  ...make({ lower: [spec] }, 'lower'),
  ...make({ lower: [{}, spec] }, 'second lower'),
  ...make({ upper: spec }, 'upper'),
  ...make({ lower: [{ f: 'hidden', big: 'hidden', d: dir() }], upper: spec }, 'merged'),
];

const opens: readonly Check[] = byOrigin(
  { f: file('content', { mode: 0o644 }), d: dir(), l: symlink('f'), p: fifo() },
  (layers, origin) => [
    {
      name: `flags that are refused, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.touch('l', O_RDONLY | O_NOFOLLOW, { err: 'ELOOP' });
        ctx.touch('f', O_RDONLY | O_DIRECTORY, { err: 'ENOTDIR' });
        ctx.touch('d', O_WRONLY, { err: 'EISDIR' });
        ctx.touch('d', O_RDONLY | O_CREAT, { err: 'EISDIR' });
        ctx.touch('f', O_WRONLY | O_CREAT | O_EXCL, { err: 'EEXIST' });
        ctx.touch('l', O_WRONLY | O_CREAT | O_EXCL, { err: 'EEXIST' });
        ctx.touch('missing', O_RDWR, { err: 'ENOENT' });
        ctx.expectContent('f', 'content');
      },
    },
    {
      name: `O_TRUNC empties, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.touch('l', O_WRONLY | O_TRUNC);
        ctx.expectStat('f', { size: 0 });
        ctx.write('f', 'new');
        ctx.expectContent('f', 'new');
      },
    },
    {
      name: `O_APPEND goes to the end, ${origin}`,
      ...layers,
      run: (ctx) => {
        const [one, two] = [ctx.open('f', O_RDWR | O_APPEND), ctx.open('f', O_WRONLY | O_APPEND)];
        one.write('1');
        two.write('22');
        one.write('333');
        ctx.expectContent('f', 'content122333');
        expectEqual('position', one.seek(0, SEEK_CUR), 13);
      },
    },
    {
      name: `O_RDWR without a write changes nothing, ${origin}`,
      ...layers,
      run: (ctx) => {
        const before = ctx.stat('f');
        ctx.touch('f', O_RDWR);
        const after = ctx.stat('f');
        for (const key of ['ino', 'mtime', 'size', 'mode', 'nlink'] as const) expectEqual(key, after[key], before[key]);
      },
    },
    {
      name: `O_PATH gives a handle for its place only, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('l', O_PATH | O_NOFOLLOW);
        expectEqual('size', handle.stat().size, 1);
        handle.read(1, { err: 'EBADF' });
        const place = ctx.open('f', O_PATH);
        ctx.append('f', '!');
        expectEqual('size through O_PATH', place.stat().size, 8);
      },
    },
    {
      name: `rights are asked at open, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.as(ALICE).touch('f', O_RDONLY);
        ctx.as(ALICE).touch('f', O_WRONLY, { err: 'EACCES' });
        ctx.as(ALICE).access('f', 2, { err: 'EACCES' });
        ctx.as(ALICE).access('f', 4);
        ctx.chmod('f', 0o602);
        ctx.as(BOB).touch('f', O_RDONLY, { err: 'EACCES' });
        ctx.as(BOB).append('f', '!');
        ctx.access('f', 1, { err: 'EACCES' });
      },
    },
    {
      name: `a lower file open for reading is not written through another handle, ${origin}`,
      ...layers,
      run: (ctx) => {
        const reader = ctx.open('f', O_RDONLY);
        reader.read(3);
        const writer = ctx.open('f', O_RDWR);
        writer.pwrite(0, 'CON');
        writer.sync();
        ctx.append('f', '!');
        ctx.expectContent('f', 'CONtent!');
        expectEqual('rest', reader.read(4), 'tent');
      },
    },
  ],
);

/** Small files are read through the kernel's pages, big ones past the server. */
const SIZES = { small: 'content', big: pattern(200_000) };

const readers: readonly Check[] = Object.entries(SIZES).flatMap(([size, content]) =>
  byOrigin({ f: content }, (layers, origin) => [
    {
      name: `a handle open for reading sees a later write, ${size}, ${origin}`,
      ...layers,
      run: (ctx) => {
        const reader = ctx.open('f', O_RDONLY);
        expectEqual('before', reader.content(), content);
        ctx.append('f', ' and more');
        ctx.expectContent('f', `${content} and more`);
        expectEqual('after', reader.content(), `${content} and more`);
        expectEqual('inode', reader.stat().ino, ctx.stat('f').ino);
      },
    },
    {
      name: `what is written past a reader's pages is read, ${size}, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.expectContent('f', content);
        for (const text of ['first', 'again', 'third']) {
          const writer = ctx.open('f', O_RDWR);
          writer.pwrite(0, text);
          expectEqual('through the writer', writer.pread(0, 5), text);
          writer.close();
          const reader = ctx.open('f', O_RDONLY);
          expectEqual('through a reader', reader.pread(0, 5), text);
          reader.close();
        }
        ctx.expectContent('f', `third${content.slice(5)}`);
      },
    },
  ]),
);

const data: readonly Check[] = byOrigin({ big: file(BIG), d: dir() }, (layers, origin) => [
  {
    name: `reads at odd places, ${origin}`,
    ...layers,
    run: (ctx) => {
      const handle = ctx.open('big', O_RDONLY);
      for (const [offset, length] of [
        [0, 1],
        [4095, 2],
        [MEGA - 7, 131_072 + 9],
        [BIG.length - 3, 100],
        [BIG.length, 10],
      ] as const) {
        expectEqual(`at ${String(offset)}`, handle.pread(offset, length), BIG.slice(offset, offset + length));
      }
      expectEqual('all', handle.content() === BIG, true);
    },
  },
  {
    name: `writes at odd places, ${origin}`,
    ...layers,
    run: (ctx) => {
      const handle = ctx.open('big', O_RDWR);
      handle.pwrite(4094, 'ABCD');
      handle.pwrite(2 * MEGA - 1, 'XY');
      handle.pwrite(BIG.length - 1, 'tail');
      const want = `${BIG.slice(0, 4094)}ABCD${BIG.slice(4098, 2 * MEGA - 1)}XY${BIG.slice(2 * MEGA + 1, -1)}tail`;
      expectEqual('content', handle.content() === want, true);
      ctx.expectStat('big', { size: want.length });
    },
  },
  {
    name: `many small writes to a copied-up file, ${origin}`,
    ...layers,
    run: (ctx) => {
      const handle = ctx.open('big', O_RDWR);
      const want = Buffer.from(BIG, 'latin1');
      for (let index = 0; index < 400; index += 1) {
        const at = (index * 7919 * 13) % (BIG.length - 16);
        const text = `<${String(index).padStart(5, '0')}>`;
        handle.pwrite(at, text);
        want.write(text, at, 'latin1');
      }
      handle.sync();
      expectEqual('content', ctx.read('big') === want.toString('latin1'), true);
    },
  },
  {
    name: `a shorter content leaves no old tail, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.write('big', 'short');
      ctx.expectContent('big', 'short');
      ctx.truncate('big', 5000);
      expectEqual('zeros', ctx.read('big') === `short${'\0'.repeat(4995)}`, true);
    },
  },
  {
    name: `O_DIRECT, ${origin}`,
    ...layers,
    run: (ctx) => {
      const handle = ctx.open('big', O_RDONLY | O_DIRECT);
      expectEqual('inode', handle.stat().ino, ctx.stat('big').ino);
      ctx.append('big', '!');
      ctx.expectStat('big', { size: BIG.length + 1 });
    },
  },
  {
    name: `copy_file_range from and to, ${origin}`,
    ...layers,
    run: (ctx) => {
      const source = ctx.open('big', O_RDONLY);
      const target = ctx.open('copy', O_RDWR | O_CREAT);
      for (let left = BIG.length; left > 0; left -= MEGA) source.copyTo(target, 0);
      const copied = source.copyTo(target, 100_000);
      expectEqual('content', target.pread(0, copied), BIG.slice(0, copied));
      source.copyTo(ctx.open('copy', O_RDONLY), 10, { err: 'EBADF' });
    },
  },
  {
    name: `fallocate, ${origin}`,
    ...layers,
    run: (ctx) => {
      const handle = ctx.open('big', O_RDWR);
      handle.fallocate(0, 0, BIG.length + 4096);
      ctx.expectStat('big', { size: BIG.length + 4096 });
      handle.fallocate(FALLOC_KEEP_SIZE, 0, BIG.length + 9000);
      ctx.expectStat('big', { size: BIG.length + 4096 });
      handle.fallocate(FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 4096, 8192);
      expectEqual('hole', handle.pread(4090, 20), BIG.slice(4090, 4096) + '\0'.repeat(14));
      handle.fallocate(FALLOC_ZERO_RANGE, 100_000, 10);
      expectEqual('zeros', handle.pread(99_999, 12), `${BIG[99_999]!}${'\0'.repeat(10)}${BIG[100_010]!}`);
      handle.fallocate(FALLOC_PUNCH_HOLE, 0, 10, { err: 'EOPNOTSUPP' });
      handle.fallocate(0, -1, 10, { err: 'EINVAL' });
    },
  },
]);

const holes: readonly Check[] = [
  {
    name: 'a hole in a lower file stays one over copy-up',
    lower: [{ f: file('head', { size: 8 * MEGA }) }],
    run: (ctx) => {
      const before = ctx.stat('f').blocks;
      ctx.append('f', 'tail');
      const handle = ctx.open('f', O_RDONLY);
      expectEqual('size', handle.stat().size, 8 * MEGA + 4);
      expectEqual('sparse', handle.stat().blocks < before + 4096, true);
      expectEqual('hole', handle.seek(0, SEEK_HOLE) <= 2 * MEGA, true);
      expectEqual('data', handle.seek(MEGA, SEEK_DATA), 8 * MEGA);
      expectEqual('middle', handle.pread(4 * MEGA, 3), '\0\0\0');
      handle.seek(9 * MEGA, SEEK_DATA, { err: 'ENXIO' });
      expectEqual('end', handle.seek(0, SEEK_END), 8 * MEGA + 4);
      handle.seek(-1, SEEK_SET, { err: 'EINVAL' });
    },
  },
  {
    name: 'a write far beyond the end makes a hole',
    lower: [{ f: 'x' }],
    run: (ctx) => {
      const handle = ctx.open('f', O_RDWR);
      handle.pwrite(3 * MEGA, 'y');
      expectEqual('hole', handle.pread(0, 4), 'x\0\0\0');
      expectEqual('few blocks', handle.stat().blocks < 100, true);
      ctx.expectStat('f', { size: 3 * MEGA + 1 });
    },
  },
];

const mappings: readonly Check[] = [
  ...byOrigin({ f: file(pattern(10_000)) }, (layers, origin) => [
    {
      name: `a private mapping keeps its writes, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDONLY);
        const map = handle.map({ length: 10_000, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE });
        map.store(5000, Buffer.from('private'));
        expectEqual('mapped', map.load(5000, 7).toString(), 'private');
        expectEqual('file', handle.pread(5000, 7), pattern(10_000).slice(5000, 5007));
        map.unmap();
      },
    },
    {
      name: `a shared mapping writes the file, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDWR);
        const map = handle.map({ length: 10_000, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
        expectEqual('mapped', map.load(9984, 16).toString(), pattern(10_000).slice(9984));
        map.store(4094, Buffer.from('shared'));
        expectEqual('through read', handle.pread(4094, 6), 'shared');
        handle.pwrite(8000, 'written');
        expectEqual('through map', map.load(8000, 7).toString(), 'written');
        map.sync();
        map.unmap();
        expectEqual('file', ctx.read('f').slice(4094, 4100), 'shared');
      },
    },
    {
      name: `a mapping lives on after close and unlink, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDWR);
        const map = handle.map({ length: 10_000, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
        handle.close();
        ctx.unlink('f');
        expectEqual('mapped', map.load(16, 16).toString(), pattern(32).slice(16));
        map.store(0, Buffer.from('x'));
        map.sync();
        map.unmap();
      },
    },
    {
      name: `a shared mapping whose handle is closed writes what others read, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDWR);
        const map = handle.map({ length: 32, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
        handle.close();
        for (const text of ['first', 'other', 'third']) {
          map.store(0, Buffer.from(text));
          const other = ctx.open('f', O_RDONLY);
          expectEqual('read by another', other.pread(0, 5), text);
          other.close();
          const reader = ctx.open('f', O_RDONLY).map({ length: 32, prot: PROT_READ, flags: MAP_SHARED });
          map.store(8, Buffer.from(text));
          expectEqual('mapped by another', reader.load(8, 5).toString(), text);
          reader.unmap();
          ctx.open('f', O_WRONLY).pwrite(8, pattern(32).slice(8, 13));
          expectEqual('written by another', map.load(8, 5).toString(), pattern(32).slice(8, 13));
        }
        map.unmap();
      },
    },
    {
      name: `a shared mapping needs a handle open for writing, ${origin}`,
      ...layers,
      run: (ctx) => {
        const mapping = { length: 4096, prot: PROT_WRITE, flags: MAP_SHARED };
        ctx.open('f', O_RDONLY).map(mapping, { err: 'EACCES' });
      },
    },
    {
      name: `a read-only mapping made before a copy-up keeps the old bytes or gets the new ones, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDONLY);
        const map = handle.map({ length: 4096, prot: PROT_READ, flags: MAP_SHARED });
        const old = map.load(0, 8).toString();
        ctx.open('f', O_WRONLY).pwrite(0, 'NEWBYTES');
        expectEqual('old or new', [old, 'NEWBYTES'].includes(map.load(0, 8).toString()), true);
        expectEqual('file', ctx.read('f').slice(0, 8), 'NEWBYTES');
        map.unmap();
      },
    },
  ]),
  {
    name: 'a mapping of one hard link shows writes through another',
    lower: [{ a: file(pattern(5000)), b: link('a') }],
    run: (ctx) => {
      const map = ctx.open('a', O_RDWR).map({ length: 5000, prot: PROT_READ, flags: MAP_SHARED });
      ctx.open('b', O_WRONLY).pwrite(100, 'through b');
      expectEqual('mapped', map.load(100, 9).toString(), 'through b');
      map.unmap();
    },
  },
];

const locks: readonly Check[] = byOrigin({ f: 'x' }, (layers, origin) => [
  {
    name: `flock between two handles, ${origin}`,
    ...layers,
    run: (ctx) => {
      const [one, two] = [ctx.open('f', O_RDWR), ctx.open('f', O_RDWR)];
      one.flock(LOCK_EX);
      two.flock(LOCK_SH | LOCK_NB, { err: 'EAGAIN' });
      one.flock(LOCK_UN);
      two.flock(LOCK_SH | LOCK_NB);
      one.flock(LOCK_SH | LOCK_NB);
      one.flock(LOCK_EX | LOCK_NB, { err: 'EAGAIN' });
    },
  },
]);

/** A lock is of the file, not of the layer it was in when it was taken. */
const lockedReaders: readonly Check[] = Object.entries(SIZES).flatMap(([size, content]) =>
  byOrigin({ f: content }, (layers, origin) => [
    {
      name: `flock of a reader keeps out a later writer, ${size}, ${origin}`,
      ...layers,
      run: (ctx) => {
        const reader = ctx.open('f', O_RDONLY);
        reader.flock(LOCK_SH);
        const writer = ctx.open('f', O_RDWR);
        writer.flock(LOCK_EX | LOCK_NB, { err: 'EAGAIN' });
        writer.flock(LOCK_SH | LOCK_NB);
        reader.flock(LOCK_EX | LOCK_NB, { err: 'EAGAIN' });
        reader.close();
        writer.flock(LOCK_EX | LOCK_NB);
      },
    },
  ]),
);

export const io: readonly Check[] = [...opens, ...readers, ...data, ...holes, ...mappings, ...locks, ...lockedReaders];
