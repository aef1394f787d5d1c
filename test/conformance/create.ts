// Making things: create, mkdir, mknod, symlink, link, over every kind of what was there before.

import {
  O_CREAT,
  O_EXCL,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
  encodeDev,
} from '../../src/sys/index.js';
import { charDevice, dir, fifo, file, link, opaque, symlink, whiteout } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import type { Expected } from './handle.js';

/** Every way to make a name, and what must be there afterwards. */
const MAKERS: Readonly<Record<string, { make: (ctx: Ctx, name: string, expected: Expected) => void; type: number }>> = {
  open: { make: (ctx, name, expected) => ctx.create(name, 'new', expected), type: S_IFREG },
  mkdir: { make: (ctx, name, expected) => ctx.mkdir(name, expected), type: 0o040000 },
  fifo: { make: (ctx, name, expected) => ctx.mknod(name, S_IFIFO | 0o640, expected), type: S_IFIFO },
  socket: { make: (ctx, name, expected) => ctx.mknod(name, S_IFSOCK | 0o640, expected), type: S_IFSOCK },
  'mknod of a file': { make: (ctx, name, expected) => ctx.mknod(name, S_IFREG | 0o640, expected), type: S_IFREG },
  'char device': {
    make: (ctx, name, expected) => ctx.mknod(name, S_IFCHR | 0o640, { ...expected, rdev: encodeDev(1, 3) }),
    type: S_IFCHR,
  },
  'block device': {
    make: (ctx, name, expected) => ctx.mknod(name, S_IFBLK | 0o640, { ...expected, rdev: encodeDev(259, 300) }),
    type: S_IFBLK,
  },
  symlink: { make: (ctx, name, expected) => ctx.symlink('target', name, expected), type: S_IFLNK },
  'link of a lower file': { make: (ctx, name, expected) => ctx.link('lower', name, expected), type: S_IFREG },
  'link of an upper file': { make: (ctx, name, expected) => ctx.link('upper', name, expected), type: S_IFREG },
};

const BEFORE: readonly {
  readonly name: string;
  readonly lower: LayerSpec;
  readonly upper?: LayerSpec;
  readonly err?: string;
}[] = [
  { name: 'nothing', lower: {} },
  { name: 'a whiteout', lower: { n: 'gone' }, upper: { n: whiteout() } },
  { name: 'a whiteout of a directory', lower: { 'n/x': 'gone' }, upper: { n: whiteout() } },
  { name: 'a lower file', lower: { n: 'there' }, err: 'EEXIST' },
  { name: 'a lower directory', lower: { n: dir() }, err: 'EEXIST' },
  { name: 'a dangling lower symlink', lower: { n: symlink('nowhere') }, err: 'EEXIST' },
];

const makers: readonly Check[] = Object.entries(MAKERS).flatMap(([maker, { make, type }]) =>
  BEFORE.map(({ name, lower, upper, err }): Check => ({
    name: `${maker} over ${name}`,
    lower: [{ lower: 'l', ...lower }],
    upper: { upper: 'u', ...upper },
    run: (ctx) => {
      make(ctx, 'n', err === undefined ? {} : { err });
      if (err !== undefined) return;
      ctx.expectStat('n', { type });
      ctx.expectList('', ['lower', 'n', 'upper']);
      if (type === 0o040000) ctx.expectList('n', []);
    },
  })),
);

const removed: Readonly<Record<string, LayerNode | string>> = {
  file: 'x',
  symlink: symlink('x'),
  fifo: fifo(),
  device: charDevice(1, 3),
};

const again: readonly Check[] = [
  ...Object.entries(removed).map(([kind, node]): Check => ({
    name: `a removed lower ${kind} can be made again as a directory, and that as a file`,
    lower: [{ n: node }],
    run: (ctx) => {
      ctx.unlink('n');
      ctx.mkdir('n');
      ctx.expectList('n', []);
      ctx.rmdir('n');
      ctx.expectMissing('n');
      ctx.create('n', 'again');
      ctx.expectContent('n', 'again');
    },
  })),
  {
    name: 'a removed and recreated directory is empty, nested too',
    lower: [{ 'd/a': '', 'd/sub/b': '', 'd/sub/deep/c': '' }],
    run: (ctx) => {
      ctx.removeTree('d');
      ctx.expectMissing('d');
      ctx.mkdir('d');
      ctx.expectList('d', []);
      ctx.mkdir('d/sub');
      ctx.expectList('d/sub', []);
      ctx.mkdir('d/sub/deep');
      ctx.expectList('d/sub/deep', []);
      ctx.create('d/sub/deep/new', 'x');
      ctx.expectMissing('d/a');
      ctx.expectMissing('d/sub/deep/c');
    },
  },
  {
    name: 'recreated, removed and recreated directories stay empty',
    lower: [{ 'd/sub/b': '' }],
    run: (ctx) => {
      for (let round = 0; round < 3; round += 1) {
        ctx.removeTree('d');
        ctx.mkdir('d');
        ctx.mkdir('d/sub');
        ctx.expectList('d/sub', []);
      }
    },
  },
  {
    name: 'a directory made inside an opaque one does not merge',
    lower: [{ 'd/sub/old': '' }],
    upper: { d: opaque() },
    run: (ctx) => {
      ctx.mkdir('d/sub');
      ctx.expectList('d/sub', []);
    },
  },
  {
    name: 'making something in a lower directory copies up the directories above',
    lower: [{ 'a/b/c/old': '', 'a/b': dir({ mode: 0o2770, gid: 42, uid: 3, xattrs: { 'user.k': 'v' } }) }],
    run: (ctx) => {
      ctx.create('a/b/c/new', 'x');
      ctx.expectList('a/b/c', ['new', 'old']);
      ctx.expectStat('a/b', { mode: 0o2770, gid: 42, uid: 3, mtime: '1000000000.123456789' });
      ctx.expectXattr('a/b', 'user.k', 'v');
    },
  },
  {
    name: 'O_CREAT without O_EXCL opens what is there',
    lower: [{ f: 'lower' }],
    run: (ctx) => {
      const handle = ctx.open('f', O_RDWR | O_CREAT);
      if (handle.read(10) !== 'lower') throw new Error('not the lower file');
      ctx.open('new', O_WRONLY | O_CREAT, { mode: 0o600 }).write('x');
      ctx.expectStat('new', { mode: 0o600 });
    },
  },
  {
    name: 'O_CREAT through a dangling symlink makes its target',
    lower: [{ l: symlink('target') }],
    run: (ctx) => {
      ctx.open('l', O_WRONLY | O_CREAT).write('x');
      ctx.expectContent('target', 'x');
      ctx.touch('l', O_WRONLY | O_CREAT | O_EXCL, { err: 'EEXIST' });
    },
  },
  {
    name: 'nothing can be made in a file or in what is missing',
    lower: [{ f: '' }],
    run: (ctx) => {
      ctx.create('f/x', '', { err: 'ENOTDIR' });
      ctx.mkdir('f/x', { err: 'ENOTDIR' });
      ctx.mkdir('missing/x', { err: 'ENOENT' });
      ctx.symlink('t', 'missing/x', { err: 'ENOENT' });
      ctx.link('f', 'missing/x', { err: 'ENOENT' });
    },
  },
  {
    name: 'nothing can be made in a removed directory',
    lower: [{ 'd/x': '' }],
    run: (ctx) => {
      const handle = ctx.opendir('d');
      ctx.removeTree('d');
      const up = '../'.repeat(ctx.root.split('/').length - 1);
      ctx.create(`${up}proc/self/fd/${String(handle.fd)}/new`, '', { err: 'ENOENT' });
    },
  },
  {
    name: 'the device 0/0 can not be made: it would be a whiteout',
    on: ['kernel', 'veneer'],
    run: (ctx) => ctx.mknod('w', S_IFCHR, { rdev: 0, err: 'EPERM' }),
  },
  {
    name: 'O_TMPFILE has no name until linked',
    run: (ctx) => {
      const handle = ctx.open('', O_TMPFILE | O_RDWR, { mode: 0o640 });
      handle.write('unnamed');
      ctx.expectList('', []);
      ctx.linkHandle(handle, 'named');
      ctx.expectContent('named', 'unnamed');
      ctx.expectStat('named', { mode: 0o640, nlink: 1 });
    },
  },
  {
    name: 'O_TMPFILE in a lower directory',
    lower: [{ 'd/x': '' }],
    run: (ctx) => {
      const handle = ctx.open('d', O_TMPFILE | O_RDWR, { mode: 0o600 });
      handle.write('t');
      ctx.linkHandle(handle, 'd/y');
      ctx.linkHandle(handle, 'd/x', { err: 'EEXIST' });
      ctx.expectList('d', ['x', 'y']);
    },
  },
  {
    name: 'O_TMPFILE with O_EXCL can not be linked',
    run: (ctx) => ctx.linkHandle(ctx.open('', O_TMPFILE | O_EXCL | O_RDWR), 'named', { err: 'ENOENT' }),
  },
];

const links: readonly Check[] = [
  ...Object.entries<LayerNode | string>({
    file: file('x', { uid: 4 }),
    symlink: symlink('t'),
    fifo: fifo(),
    device: charDevice(1, 3),
  }).flatMap(([kind, node]) =>
    (['lower', 'upper'] as const).map((origin): Check => ({
      name: `link of a ${kind} of the ${origin} is the same file`,
      ...(origin === 'lower' ? { lower: [{ a: node, d: dir() }] } : { lower: [{ d: dir() }], upper: { a: node } }),
      run: (ctx) => {
        const { ino } = ctx.stat('a');
        ctx.link('a', 'd/b');
        ctx.expectStat('a', { ino, nlink: 2 });
        ctx.expectStat('d/b', { ino, nlink: 2 });
        ctx.lchown('d/b', 77, 78);
        ctx.expectStat('a', { uid: 77, gid: 78 });
        ctx.unlink('a');
        ctx.expectStat('d/b', { ino, nlink: 1, uid: 77 });
      },
    })),
  ),
  {
    name: 'hard links of a lower file stay linked when one is written',
    lower: [{ a: 'old', b: link('a'), 'd/c': link('a') }],
    run: (ctx) => {
      ctx.append('a', '+new');
      for (const name of ['a', 'b', 'd/c']) {
        ctx.expectContent(name, 'old+new');
        ctx.expectStat(name, { nlink: 3, ino: ctx.stat('a').ino });
      }
      ctx.unlink('a');
      ctx.expectStat('b', { nlink: 2 });
      ctx.chmod('d/c', 0o600);
      ctx.expectStat('b', { mode: 0o600 });
    },
  },
  {
    name: 'hard links of a lower file count what is made and removed',
    lower: [{ a: 'old', b: link('a'), c: link('a') }],
    run: (ctx) => {
      ctx.unlink('b');
      ctx.expectStat('a', { nlink: 2 });
      ctx.link('a', 'd');
      ctx.expectStat('c', { nlink: 3 });
      ctx.rename('c', 'e');
      ctx.expectStat('e', { nlink: 3, ino: ctx.stat('d').ino });
    },
  },
  {
    name: 'rename of one hard link over another does nothing',
    lower: [{ a: 'x', b: link('a') }],
    run: (ctx) => {
      ctx.rename('a', 'b');
      ctx.expectList('', ['a', 'b']);
    },
  },
  {
    name: 'a directory can not be linked',
    lower: [{ d: dir() }],
    run: (ctx) => ctx.link('d', 'e', { err: 'EPERM' }),
  },
  {
    name: 'link of what is missing or removed',
    lower: [{ f: '' }],
    run: (ctx) => {
      ctx.link('nothing', 'x', { err: 'ENOENT' });
      ctx.unlink('f');
      ctx.link('f', 'x', { err: 'ENOENT' });
    },
  },
];

export const create: readonly Check[] = [...makers, ...again, ...links];
