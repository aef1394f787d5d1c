// What each call does to mtime and ctime, of the file and of the directories, and that a call that fails does nothing.

import {
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  S_IFIFO,
  UTIME_OMIT,
} from '../../src/sys/index.js';
import { charDevice, dir, fifo, file, link, socket, symlink } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../helpers/native.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual } from './handle.js';
import { BOB } from './users.js';

/** More than a tick of the kernel's coarse clock. */
const TICK = 12;
const sleep = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TICK);

const spec: LayerSpec = {
  'd/f': 'content',
  'd/linked': 'x',
  'd/link': link('d/linked'),
  'd/p': fifo(),
  'd/l': symlink('f'),
  'd/sub': dir(),
  'd/full/x': '',
  'e/f': 'other',
  'd/k': file('x', { xattrs: { 'user.k': 'v' } }),
  'd/c': charDevice(1, 3),
  'd/s': socket(),
  // A second name for each kind of file.
  ...Object.fromEntries(['d/p', 'd/l', 'd/c', 'd/s'].map((path) => [`${path}2`, link(path)])),
};
/** What is no regular file and no directory. */
const SPECIAL = ['d/p', 'd/l', 'd/c', 'd/s'] as const;

type Change = 'both' | 'ctime' | 'none';

interface Row {
  readonly call: string;
  readonly run: (ctx: Ctx) => void;
  /** What must become of the times of each path; after `<` the path that it had before. */
  readonly times: Readonly<Record<string, Change | `${Change}<${string}`>>;
}

const TIME = { sec: 1_500_000_000, nsec: 5 };
const OMIT = { sec: 0, nsec: UTIME_OMIT };

const ROWS: readonly Row[] = [
  { call: 'open with O_CREAT', run: (ctx) => ctx.create('d/new'), times: { d: 'both' } },
  {
    call: 'open with O_CREAT of what is there',
    run: (ctx) => ctx.touch('d/f', O_RDWR | O_CREAT),
    times: { d: 'none', 'd/f': 'none' },
  },
  {
    call: 'open with O_TRUNC',
    run: (ctx) => ctx.touch('d/f', O_WRONLY | O_TRUNC),
    times: { d: 'none', 'd/f': 'both' },
  },
  { call: 'mkdir', run: (ctx) => ctx.mkdir('d/new'), times: { d: 'both' } },
  { call: 'mkfifo', run: (ctx) => ctx.mknod('d/new', S_IFIFO | 0o600), times: { d: 'both' } },
  { call: 'symlink', run: (ctx) => ctx.symlink('x', 'd/new'), times: { d: 'both' } },
  { call: 'link', run: (ctx) => ctx.link('d/f', 'e/new'), times: { d: 'none', e: 'both', 'd/f': 'ctime' } },
  { call: 'unlink', run: (ctx) => ctx.unlink('d/f'), times: { d: 'both', '': 'none' } },
  {
    call: 'unlink of one of two links',
    run: (ctx) => ctx.unlink('d/link'),
    times: { d: 'both', 'd/linked': 'ctime' },
  },
  { call: 'rmdir', run: (ctx) => ctx.rmdir('d/sub'), times: { d: 'both' } },
  {
    call: 'rename to another directory',
    run: (ctx) => ctx.rename('d/f', 'e/new'),
    times: { d: 'both', e: 'both', 'e/new': 'ctime<d/f' },
  },
  {
    call: 'rename over a file',
    run: (ctx) => ctx.rename('d/f', 'd/linked'),
    times: { d: 'both', 'd/link': 'ctime', 'd/linked': 'ctime<d/f' },
  },
  {
    call: 'rename of a directory',
    run: (ctx) => ctx.rename('d/full', 'e/full'),
    times: { d: 'both', e: 'both', 'e/full': 'ctime<d/full', 'e/full/x': 'none<d/full/x' },
  },
  {
    call: 'exchange',
    run: (ctx) => ctx.rename('d/f', 'e/f', { flags: RENAME_EXCHANGE }),
    times: { d: 'both', e: 'both', 'e/f': 'ctime<d/f', 'd/f': 'ctime<e/f' },
  },
  { call: 'chmod', run: (ctx) => ctx.chmod('d/f', 0o600), times: { d: 'none', 'd/f': 'ctime' } },
  { call: 'chmod of a directory', run: (ctx) => ctx.chmod('d', 0o700), times: { d: 'ctime', '': 'none' } },
  { call: 'chmod of a fifo', run: (ctx) => ctx.chmod('d/p', 0o600), times: { d: 'none', 'd/p': 'ctime' } },
  { call: 'chown', run: (ctx) => ctx.chown('d/f', 5, 6), times: { d: 'none', 'd/f': 'ctime' } },
  { call: 'chown to the same', run: (ctx) => ctx.chown('d/f', 0, 0), times: { 'd/f': 'ctime' } },
  { call: 'chown of nothing', run: (ctx) => ctx.chown('d/f', -1, -1), times: { 'd/f': 'ctime' } },
  { call: 'lchown', run: (ctx) => ctx.lchown('d/l', 5, 6), times: { d: 'none', 'd/l': 'ctime', 'd/f': 'none' } },
  {
    call: 'utimensat of atime',
    run: (ctx) => ctx.utimens('d/f', { atime: TIME, mtime: OMIT }),
    times: { d: 'none', 'd/f': 'ctime' },
  },
  {
    call: 'utimensat of nothing',
    run: (ctx) => ctx.utimens('d/f', { atime: OMIT, mtime: OMIT }),
    times: { d: 'none', 'd/f': 'none' },
  },
  { call: 'truncate', run: (ctx) => ctx.truncate('d/f', 2), times: { d: 'none', 'd/f': 'both' } },
  { call: 'truncate to more', run: (ctx) => ctx.truncate('d/f', 20), times: { 'd/f': 'both' } },
  { call: 'truncate to the same', run: (ctx) => ctx.truncate('d/f', 7), times: { 'd/f': 'both' } },
  { call: 'ftruncate', run: (ctx) => ctx.open('d/f', O_RDWR).truncate(2), times: { d: 'none', 'd/f': 'both' } },
  { call: 'write', run: (ctx) => ctx.open('d/f', O_WRONLY).write('x'), times: { d: 'none', 'd/f': 'both' } },
  { call: 'append', run: (ctx) => ctx.open('d/f', O_WRONLY | O_APPEND).write('x'), times: { 'd/f': 'both' } },
  { call: 'write of nothing', run: (ctx) => ctx.open('d/f', O_WRONLY).write(''), times: { 'd/f': 'none' } },
  { call: 'read', run: (ctx) => ctx.expectContent('d/f', 'content'), times: { d: 'none', 'd/f': 'none' } },
  { call: 'fallocate', run: (ctx) => ctx.open('d/f', O_RDWR).fallocate(0, 0, 99), times: { 'd/f': 'both' } },
  {
    call: 'a store through a shared map',
    run: (ctx) => {
      const map = ctx.open('d/f', O_RDWR).map({ length: 7, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
      map.store(0, Buffer.from('X'));
      map.sync();
      map.unmap();
    },
    times: { 'd/f': 'both' },
  },
  {
    call: 'copy_file_range',
    run: (ctx) => void ctx.open('e/f', O_RDONLY).copyTo(ctx.open('d/f', O_RDWR), 5),
    times: { 'e/f': 'none', 'd/f': 'both' },
  },
  { call: 'setxattr', run: (ctx) => ctx.setxattr('d/f', 'user.k', 'v'), times: { d: 'none', 'd/f': 'ctime' } },
  { call: 'removexattr', run: (ctx) => ctx.removexattr('d/k', 'user.k'), times: { d: 'none', 'd/k': 'ctime' } },
  ...SPECIAL.flatMap((path): Row[] => [
    {
      call: `link of ${path}`,
      run: (ctx) => ctx.link(path, 'e/new'),
      times: { d: 'none', e: 'both', [path]: 'ctime' },
    },
    {
      call: `unlink of one name of ${path}`,
      run: (ctx) => ctx.unlink(`${path}2`),
      times: { d: 'both', [path]: 'ctime' },
    },
    {
      call: `rename of ${path}`,
      run: (ctx) => ctx.rename(path, 'e/new'),
      times: { d: 'both', e: 'both', 'e/new': `ctime<${path}`, [`${path}2`]: 'ctime' },
    },
    {
      call: `rename over one name of ${path}`,
      run: (ctx) => ctx.rename('d/f', `${path}2`),
      times: { d: 'both', [path]: 'ctime', [`${path}2`]: 'ctime<d/f' },
    },
    {
      call: `utimensat of ${path}`,
      run: (ctx) => ctx.utimens(path, { atime: TIME, mtime: TIME }),
      times: { d: 'none', [path]: 'both', [`${path}2`]: 'both', 'd/f': 'none' },
    },
  ]),
  { call: 'listing', run: (ctx) => void ctx.list('d'), times: { d: 'none' } },
];

const failing: Readonly<Record<string, (ctx: Ctx) => void>> = {
  'mkdir EEXIST': (ctx) => ctx.mkdir('d/sub', { err: 'EEXIST' }),
  'open EEXIST': (ctx) => ctx.create('d/f', '', { err: 'EEXIST' }),
  'mkfifo EEXIST': (ctx) => ctx.mknod('d/p', S_IFIFO | 0o600, { err: 'EEXIST' }),
  'symlink EEXIST': (ctx) => ctx.symlink('x', 'd/f', { err: 'EEXIST' }),
  'link EEXIST': (ctx) => ctx.link('e/f', 'd/f', { err: 'EEXIST' }),
  'unlink EISDIR': (ctx) => ctx.unlink('d/sub', { err: 'EISDIR' }),
  'unlink ENOENT': (ctx) => ctx.unlink('d/missing', { err: 'ENOENT' }),
  'rmdir ENOTEMPTY': (ctx) => ctx.rmdir('d/full', { err: 'ENOTEMPTY' }),
  'rmdir ENOTDIR': (ctx) => ctx.rmdir('d/f', { err: 'ENOTDIR' }),
  'rename ENOENT': (ctx) => ctx.rename('d/missing', 'd/new', { err: 'ENOENT' }),
  'rename EINVAL': (ctx) => ctx.rename('d', 'd/sub/d', { err: 'EINVAL' }),
  'rename EISDIR': (ctx) => ctx.rename('d/f', 'd/sub', { err: 'EISDIR' }),
  'chmod EPERM': (ctx) => ctx.as(BOB).chmod('d/f', 0o777, { err: 'EPERM' }),
  'chown EPERM': (ctx) => ctx.as(BOB).chown('d/f', BOB.uid, -1, { err: 'EPERM' }),
  'utimensat EPERM': (ctx) => ctx.as(BOB).utimens('d/f', { atime: TIME, mtime: TIME }, { err: 'EPERM' }),
  'truncate EACCES': (ctx) => ctx.as(BOB).truncate('d/f', 0, { err: 'EACCES' }),
  'truncate EINVAL': (ctx) => ctx.truncate('d/f', -1, { err: 'EINVAL' }),
  'open EACCES': (ctx) => ctx.as(BOB).touch('d/f', O_WRONLY | O_TRUNC, { err: 'EACCES' }),
  'mkdir EACCES': (ctx) => ctx.as(BOB).mkdir('d/new', { err: 'EACCES' }),
  'unlink EACCES': (ctx) => ctx.as(BOB).unlink('d/f', { err: 'EACCES' }),
  'rename EACCES': (ctx) => ctx.as(BOB).rename('d/f', 'e/f', { err: 'EACCES' }),
  'link EACCES': (ctx) => ctx.as(BOB).link('d/f', 'e/new', { err: ['EACCES', 'EPERM'] }),
  'rmdir EACCES': (ctx) => ctx.as(BOB).rmdir('d/sub', { err: 'EACCES' }),
  'symlink EACCES': (ctx) => ctx.as(BOB).symlink('x', 'd/new', { err: 'EACCES' }),
  'mkfifo EACCES': (ctx) => ctx.as(BOB).mknod('d/new', S_IFIFO | 0o600, { err: 'EACCES' }),
  'rename of a directory EACCES': (ctx) => ctx.as(BOB).rename('d/sub', 'e/sub', { err: 'EACCES' }),
  ...Object.fromEntries(
    SPECIAL.flatMap((path): [string, (ctx: Ctx) => void][] => [
      [`unlink EACCES of ${path}`, (ctx) => ctx.as(BOB).unlink(path, { err: 'EACCES' })],
      [`rename EACCES of ${path}`, (ctx) => ctx.as(BOB).rename(path, 'e/new', { err: 'EACCES' })],
      [`rename EACCES over ${path}`, (ctx) => ctx.as(BOB).rename('d/f', path, { err: 'EACCES' })],
      [`lchown EPERM of ${path}`, (ctx) => ctx.as(BOB).lchown(path, BOB.uid, -1, { err: 'EPERM' })],
    ]),
  ),
  'setxattr EACCES': (ctx) => ctx.as(BOB).setxattr('d/f', 'user.k', 'v', { err: 'EACCES' }),
  'ftruncate EINVAL': (ctx) => ctx.open('d/f', O_RDONLY).truncate(0, { err: 'EINVAL' }),
  'fallocate EBADF': (ctx) => ctx.open('d/f', O_RDONLY).fallocate(0, 0, 9, { err: 'EBADF' }),
};

const PATHS = [
  ...['', 'd', 'e', 'd/f', 'd/linked', 'd/link', 'd/sub', 'd/full', 'd/full/x', 'd/k', 'e/f'],
  ...SPECIAL.flatMap((path) => [path, `${path}2`]),
];

/** ctime only where it can be told: a copy-up gives the directories above a new one, everywhere. */
function expectTimes(ctx: Ctx, what: string, before: ReturnType<Ctx['stat']>, at: string, change: string): void {
  const after = ctx.stat(at);
  expectEqual(`${what}: mtime of '${at}' changes`, after.mtime !== before.mtime, change === 'both');
  if (change !== 'none') expectEqual(`${what}: ctime of '${at}' changes`, after.ctime !== before.ctime, true);
}

const rows: readonly Check[] = (['lower', 'upper'] as const).flatMap((origin) =>
  ROWS.map(({ call, run, times }): Check => ({
    name: `${call}, ${origin}`,
    ...(origin === 'lower' ? { lower: [spec] } : { upper: spec }),
    run: (ctx) => {
      const before = new Map(PATHS.map((path) => [path, ctx.stat(path)]));
      sleep();
      run(ctx);
      for (const [path, rule] of Object.entries(times)) {
        const [change, from = path] = rule.split('<');
        expectTimes(ctx, call, before.get(from)!, path, change!);
        if (origin === 'upper' && change === 'none')
          expectEqual(`ctime of '${path}'`, ctx.stat(path).ctime, before.get(from)!.ctime);
      }
    },
  })),
);

const failures: readonly Check[] = (['lower', 'upper'] as const).map((origin): Check => ({
  name: `calls that fail change no time, ${origin}`,
  ...(origin === 'lower' ? { lower: [spec] } : { upper: spec }),
  run: (ctx) => {
    for (const [call, run] of Object.entries(failing)) {
      const before = new Map(PATHS.map((path) => [path, ctx.stat(path)]));
      sleep();
      run(ctx);
      for (const [path, stat] of before) {
        expectEqual(`${call}: mtime of '${path}'`, ctx.stat(path).mtime, stat.mtime);
        expectEqual(`${call}: ctime of '${path}'`, ctx.stat(path).ctime, stat.ctime);
      }
    }
  },
}));

const made: readonly Check[] = [
  {
    name: 'what is made has the times of now, and its directory the same or a later one',
    lower: [{ d: dir() }],
    run: (ctx) => {
      const start = Math.floor(Date.now() / 1000) - 1;
      ctx.create('d/file');
      ctx.mkdir('d/dir');
      ctx.symlink('x', 'd/symlink');
      ctx.mknod('d/fifo', S_IFIFO | 0o600);
      for (const name of ['file', 'dir', 'symlink', 'fifo']) {
        const stat = ctx.stat(`d/${name}`);
        for (const time of [stat.atime, stat.mtime, stat.ctime])
          expectEqual(`${name} is new`, Number.parseFloat(time) >= start, true);
        expectEqual('mtime is ctime', stat.mtime, stat.ctime);
      }
    },
  },
];

const mapped: readonly Check[] = (['lower', 'upper', 'new'] as const).flatMap((origin) => {
  const layers =
    origin === 'new' ? {} : origin === 'lower' ? { lower: [{ f: 'content' }] } : { upper: { f: 'content' } };
  return (['open', 'closed'] as const).map((state) => ({
    name: `a store through a shared mapping gives new times, ${origin} file, ${state}`,
    ...layers,
    run: (ctx: Ctx) => {
      const handle = ctx.open('f', O_RDWR | O_CREAT);
      handle.write('content');
      const mapping = handle.map({ length: 7, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED });
      if (state === 'closed') handle.close();
      const changes = (what: string, change: () => void, wanted: boolean): void => {
        const before = ctx.stat('f');
        sleep();
        change();
        const after = ctx.stat('f');
        expectEqual(`${what}: mtime`, after.mtime !== before.mtime, wanted);
        expectEqual(`${what}: ctime`, after.ctime !== before.ctime, wanted);
      };
      const store = (): void => {
        mapping.store(0, Buffer.from('C'));
        mapping.sync();
      };
      changes('first store', store, true);
      changes('store after a stat', store, true);
      ctx.expectContent('f', 'Content');
      mapping.store(1, Buffer.from('O'));
      ctx.expectContent('f', 'COntent');
      mapping.store(1, Buffer.from('o'));
      changes('a load', () => void mapping.load(0, 7), false);
      mapping.unmap();
      handle.close();
      changes('unmapped and closed', () => ctx.expectContent('f', 'Content'), false);
      changes('a write later', () => ctx.append('f', '+'), true);
    },
  }));
});

export const posixTimes: readonly Check[] = [...rows, ...failures, ...made, ...mapped];
