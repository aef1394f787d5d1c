// What each call refuses, by what is there: the rest of POSIX, one call after the other.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  mount,
  must,
  umount2,
} from '../../src/sys/index.js';
import {
  blockDevice,
  charDevice,
  dir,
  fifo,
  file,
  link,
  opaque,
  socket,
  symlink,
  whiteout,
} from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual } from './handle.js';
import { MAKING, MAKING_DEVICE } from './posix-calls.js';
import { ALICE } from './users.js';

const THINGS: Readonly<Record<string, LayerNode | string>> = {
  file: 'there',
  dir: dir(),
  full: dir(),
  'full/x': 'x',
  symlink: symlink('file'),
  dangling: symlink('nowhere'),
  fifo: fifo(),
  socket: socket(),
  char: charDevice(1, 3),
  block: blockDevice(259, 300),
  linked: link('file'),
};
const NAMES = Object.keys(THINGS).filter((name) => !name.includes('/'));

const byOrigin = (
  spec: LayerSpec,
  make: (layers: Pick<Check, 'lower' | 'upper'>, origin: string) => Check[],
): Check[] => [
  ...make({ lower: [spec] }, 'lower'),
  ...make({ upper: spec }, 'upper'),
  ...make(
    {
      lower: [spec, { full: dir(), 'full/y': 'y', below: 'x' }],
      upper: { full: dir(), 'full/z': '', below: whiteout() },
    },
    'merged',
  ),
];

const isDir = (name: string): boolean => name === 'dir' || name === 'full';

/** Where `target` is no directory, `source` may replace it. */
function renameAnswer(source: string, target: string, full: boolean): string | undefined {
  if (isDir(source)) return !isDir(target) ? 'ENOTDIR' : full ? 'ENOTEMPTY' : undefined;
  return isDir(target) ? 'EISDIR' : undefined;
}

const existing: readonly Check[] = byOrigin({ source: 's', ...THINGS }, (layers, origin) => [
  {
    name: `nothing is made over anything: EEXIST, ${origin}`,
    ...layers,
    run: (ctx) => {
      const makers = Object.entries({ ...MAKING, device: MAKING_DEVICE });
      for (const [call, make] of makers) {
        if (call === 'rename to' || call === 'open with O_CREAT') continue;
        for (const name of NAMES) make(ctx, name, { err: 'EEXIST' });
      }
      for (const name of NAMES) ctx.rename('source', name, { flags: RENAME_NOREPLACE, err: 'EEXIST' });
      for (const name of ['.', 'dir/.', 'dir/..']) ctx.mkdir(name, { err: 'EEXIST' });
      ctx.expectList('', [...ctx.list('')]);
    },
  },
  ...NAMES.map((source): Check => ({
    name: `rename of ${source} over every other thing, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const target of ['dir', 'full']) {
        if (target === source) continue;
        const err = renameAnswer(source, target, target === 'full');
        if (err !== undefined) ctx.rename(source, target, { err });
      }
      if (isDir(source)) {
        for (const target of NAMES.filter((name) => !isDir(name))) ctx.rename(source, target, { err: 'ENOTDIR' });
        return;
      }
      const { ino, type } = ctx.stat(source);
      let at = source;
      for (const target of NAMES.filter((name) => !isDir(name) && name !== source)) {
        const same = ctx.stat(target).ino === ctx.stat(at).ino;
        ctx.rename(at, target);
        ctx.expectStat(target, { ino, type });
        // Two names of one file: rename does nothing.
        if (!same) ctx.expectMissing(at);
        at = target;
      }
    },
  })),
  {
    name: `exchange of every two things, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const one of NAMES) {
        for (const two of NAMES) {
          const [a, b] = [ctx.stat(one), ctx.stat(two)];
          ctx.rename(one, two, { flags: RENAME_EXCHANGE });
          ctx.expectStat(one, { ino: b.ino, type: b.type });
          ctx.expectStat(two, { ino: a.ino, type: a.type });
        }
      }
      ctx.rename('file', 'missing', { flags: RENAME_EXCHANGE, err: 'ENOENT' });
    },
  },
  {
    name: `rename to itself, the dots and below itself, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of NAMES) {
        ctx.rename(name, name);
        ctx.rename(name, name, { flags: RENAME_NOREPLACE, err: 'EEXIST' });
        ctx.rename(name, name, { flags: RENAME_EXCHANGE });
      }
      ctx.rename('full', 'full/below', { err: 'EINVAL' });
      ctx.rename('full', 'full/x', { err: 'EINVAL' });
      ctx.rename('full/x', 'full', { err: ['ENOTEMPTY', 'EINVAL'] });
      ctx.rename('full', 'full/x', { flags: RENAME_EXCHANGE, err: 'EINVAL' });
      ctx.rename('full/x', 'full', { flags: RENAME_EXCHANGE, err: 'EINVAL' });
      for (const dots of ['dir/.', 'dir/..', '.', '..']) {
        ctx.rename(dots, 'new', { err: ['EBUSY', 'EINVAL'] });
        ctx.rename('dir', dots, { err: ['EBUSY', 'EINVAL'] });
        ctx.rename('file', dots, { err: ['EBUSY', 'EINVAL', 'EISDIR'] });
      }
      ctx.rename('file', 'new', { flags: RENAME_NOREPLACE | RENAME_EXCHANGE, err: 'EINVAL' });
      ctx.rename('file', 'new', { flags: RENAME_WHITEOUT | RENAME_EXCHANGE, err: 'EINVAL' });
      ctx.rename('file', 'new', { flags: 0x80, err: 'EINVAL' });
    },
  },
  {
    name: `unlink and rmdir ask for the right kind, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of NAMES) {
        if (isDir(name)) ctx.unlink(name, { err: 'EISDIR' });
        else ctx.rmdir(name, { err: 'ENOTDIR' });
      }
      ctx.rmdir('full', { err: 'ENOTEMPTY' });
      ctx.rmdir('dir/.', { err: 'EINVAL' });
      ctx.rmdir('full/..', { err: 'ENOTEMPTY' });
      ctx.unlink('dir/.', { err: ['EISDIR', 'EINVAL'] });
      for (const name of NAMES) {
        if (isDir(name)) ctx.removeTree(name);
        else ctx.unlink(name);
        ctx.expectMissing(name);
      }
      ctx.expectList('', ['source']);
    },
  },
  {
    name: `link of everything but directories, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.mkdir('links');
      for (const name of NAMES) {
        ctx.link(name, `links/${name}`, isDir(name) ? { err: 'EPERM' } : {});
        if (isDir(name)) continue;
        const { ino, type } = ctx.stat(name);
        ctx.expectStat(`links/${name}`, { ino, type });
        ctx.link(name, `links/${name}`, { err: 'EEXIST' });
      }
      ctx.expectStat('file', { nlink: 4 });
      ctx.expectStat('symlink', { nlink: 2 });
    },
  },
  {
    name: `open asks for what it finds, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of ['dir', 'full']) {
        for (const flags of [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT, O_WRONLY | O_CREAT])
          ctx.touch(name, flags, { err: 'EISDIR' });
      }
      for (const name of NAMES) {
        if (!isDir(name))
          ctx.touch(name, O_RDONLY | O_DIRECTORY | O_NONBLOCK, { err: name === 'dangling' ? 'ENOENT' : 'ENOTDIR' });
      }
      for (const name of ['symlink', 'dangling']) {
        ctx.touch(name, O_RDONLY | O_NOFOLLOW, { err: 'ELOOP' });
        ctx.touch(name, O_RDWR | O_CREAT | O_EXCL, { err: 'EEXIST' });
        ctx.touch(name, O_RDWR | O_CREAT | O_NOFOLLOW, { err: 'ELOOP' });
      }
      ctx.touch('fifo', O_WRONLY | O_NONBLOCK, { err: 'ENXIO' });
      const reader = ctx.open('fifo', O_RDONLY | O_NONBLOCK);
      ctx.open('fifo', O_WRONLY | O_NONBLOCK).write('through');
      expectEqual('read', reader.read(99), 'through');
      // Overlayfs does not tell the upper file of a fifo that it was written to.
      ctx.utimens('fifo', { atime: { sec: 1, nsec: 0 }, mtime: { sec: 1, nsec: 0 } });
      for (const flags of [O_RDONLY, O_WRONLY, O_RDWR]) ctx.touch('socket', flags, { err: 'ENXIO' });
      ctx.touch('block', O_RDONLY, { err: 'ENXIO' });
      ctx.open('dir', O_TMPFILE | O_RDONLY, { err: 'EINVAL' });
      ctx.open('file', O_TMPFILE | O_RDWR, { err: 'ENOTDIR' });
      ctx.open('missing', O_TMPFILE | O_RDWR, { err: 'ENOENT' });
      ctx.as(ALICE).open('dir', O_TMPFILE | O_RDWR, { err: 'EACCES' });
    },
  },
  {
    name: `truncate of what is no file, ${origin}`,
    ...layers,
    run: (ctx) => {
      for (const name of ['dir', 'full']) ctx.truncate(name, 0, { err: 'EISDIR' });
      for (const name of ['fifo', 'socket', 'char', 'block']) ctx.truncate(name, 0, { err: 'EINVAL' });
      ctx.truncate('dangling', 0, { err: 'ENOENT' });
      ctx.truncate('symlink', 2);
      ctx.expectStat('linked', { size: 2 });
      ctx.open('dir', O_RDONLY).truncate(0, { err: 'EINVAL' });
      ctx.open('file', O_RDONLY).truncate(0, { err: 'EINVAL' });
    },
  },
  {
    name: `sizes out of bounds, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.truncate('file', -1, { err: 'EINVAL' });
      ctx.truncate('file', 2 ** 60, { err: 'EFBIG' });
      const handle = ctx.open('file', O_RDWR);
      handle.truncate(2 ** 60, { err: 'EFBIG' });
      handle.truncate(-1, { err: 'EINVAL' });
      ctx.expectContent('file', 'there');
    },
  },
  {
    name: `posix_fallocate, ${origin}`,
    ...layers,
    run: (ctx) => {
      const handle = ctx.open('file', O_RDWR);
      handle.fallocate(0, 0, 0, { err: 'EINVAL' });
      handle.fallocate(0, 0, -1, { err: 'EINVAL' });
      handle.fallocate(0, -1, 1, { err: 'EINVAL' });
      handle.fallocate(0, 2 ** 60, 1, { err: 'EFBIG' });
      handle.fallocate(0, 2, 2);
      ctx.expectStat('file', { size: 5 });
      handle.fallocate(0, 3, 10);
      ctx.expectStat('file', { size: 13 });
      ctx.expectContent('linked', 'there\0\0\0\0\0\0\0\0');
      ctx.open('file', O_RDONLY).fallocate(0, 0, 1, { err: 'EBADF' });
      ctx.open('dir', O_RDONLY).fallocate(0, 0, 1, { err: 'EBADF' });
      ctx.open('fifo', O_RDWR | O_NONBLOCK).fallocate(0, 0, 1, { err: 'ESPIPE' });
      ctx.open('char', O_RDWR).fallocate(0, 0, 1, { err: 'ENODEV' });
    },
  },
]);

const umasks: readonly Check[] = byOrigin({ d: dir() }, (layers, origin) => [
  {
    name: `the mode of what is made is what was asked for without the umask, ${origin}`,
    ...layers,
    run: (ctx) => {
      const makers: Readonly<Record<string, (path: string, mode: number) => void>> = {
        file: (path, mode) => ctx.create(path, '', { mode }),
        dir: (path, mode) => ctx.mkdir(path, { mode }),
        fifo: (path, mode) => ctx.mknod(path, S_IFIFO | mode),
      };
      for (const mask of [0, 0o22, 0o77, 0o151, 0o501, 0o777]) {
        for (const mode of [0o777, 0o755, 0o151, 0o345, 0, 0o1777, 0o7777]) {
          ctx.umask(mask, () => {
            for (const [kind, make] of Object.entries(makers)) {
              make('d/n', mode);
              // mkdir(2) knows of the sticky bit alone.
              const asked = kind === 'dir' ? mode & 0o1777 : mode;
              const got = ctx.stat('d/n');
              expectEqual(`mode of ${kind} ${mode.toString(8)} umask ${mask.toString(8)}`, got.mode, asked & ~mask);
              if ((got.type & S_IFMT) === S_IFDIR) ctx.rmdir('d/n');
              else ctx.unlink('d/n');
            }
          });
        }
      }
    },
  },
  {
    name: `a new file of mode 000 can be written by who made it, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.chmod('d', 0o777);
      const handle = ctx.as(ALICE).open('d/f', O_WRONLY | O_CREAT | O_EXCL, { mode: 0 });
      handle.write('mine');
      handle.fallocate(0, 0, 9);
      handle.truncate(4);
      handle.close();
      ctx.as(ALICE).read('d/f', { err: 'EACCES' });
      ctx.expectContent('d/f', 'mine');
    },
  },
]);

/** A tmpfs on a directory of the file system. */
function whileMounted(ctx: Ctx, at: string, run: () => void): void {
  const target = ctx.path(at);
  must(mount({ source: 'tmpfs', target, type: 'tmpfs', flags: 0, data: '' }), 'mount', target);
  try {
    run();
  } finally {
    must(umount2(target), 'umount', target);
  }
}

const moved: readonly Check[] = byOrigin({ ...THINGS, 'a/d/x': 'x', 'b/y': 'y' }, (layers, origin) => [
  {
    name: `a mount point is busy, and nothing moves to another file system, ${origin}`,
    ...layers,
    run: (ctx) => {
      whileMounted(ctx, 'dir', () => {
        ctx.rmdir('dir', { err: 'EBUSY' });
        ctx.rename('dir', 'new', { err: 'EBUSY' });
        ctx.rename('b', 'dir', { err: 'EBUSY' });
        ctx.rename('b', 'dir', { flags: RENAME_EXCHANGE, err: 'EBUSY' });
        ctx.create('dir/there', 'on tmpfs');
        for (const name of NAMES) {
          if (name === 'dir') continue;
          ctx.rename(name, 'dir/away', { err: 'EXDEV' });
          ctx.link(name, 'dir/away', { err: 'EXDEV' });
        }
        ctx.rename('dir/there', 'new', { err: 'EXDEV' });
        ctx.link('dir/there', 'new', { err: 'EXDEV' });
        ctx.rename('dir/there', 'dir/here');
      });
      ctx.expectList('dir', []);
      ctx.rmdir('dir');
    },
  },
  {
    name: `a directory with a mount point below is moved, ${origin}`,
    ...layers,
    run: (ctx) => {
      const target = ctx.path('a/d');
      must(mount({ source: 'tmpfs', target, type: 'tmpfs', flags: 0, data: '' }), 'mount', target);
      try {
        ctx.create('a/d/there', 'on tmpfs');
        ctx.rename('a', 'b/a');
        ctx.expectList('b/a/d', ['there']);
        ctx.rmdir('b/a/d', { err: 'EBUSY' });
      } finally {
        must(umount2(ctx.path('b/a/d')), 'umount', 'b/a/d');
      }
      ctx.expectList('b/a/d', ['x']);
    },
  },
  {
    name: `a directory that moves has its new parent above, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.expectStat('a/d/..', { ino: ctx.stat('a').ino });
      const inside = ctx.opendir('a/d');
      ctx.rename('a/d', 'b/moved');
      ctx.expectStat('b/moved/..', { ino: ctx.stat('b').ino });
      const above = inside.getdents().find(({ name }) => name === '..');
      expectEqual('inode number of .. in the listing', above?.ino, ctx.stat('b').ino);
      ctx.expectStat('b/moved/../y', { ino: ctx.stat('b/y').ino });
      // Link counts are told of directories that are in the upper alone.
      ctx.mkdir('new');
      ctx.mkdir('new/one');
      ctx.mkdir('new/one/two');
      ctx.mkdir('other');
      ctx.expectStat('new', { nlink: 3 });
      ctx.rename('new/one', 'other/one');
      ctx.expectStat('new', { nlink: 2 });
      ctx.expectStat('other', { nlink: 3 });
      ctx.rename('other/one/two', 'new/two');
      ctx.expectStat('other/one', { nlink: 2 });
      ctx.mkdir('new/three');
      ctx.rename('new/three', 'other/one');
      ctx.expectStat('new', { nlink: 3 });
      ctx.expectStat('other', { nlink: 3 });
      ctx.rename('b/moved', 'other/moved');
      ctx.expectStat('other/moved/..', { ino: ctx.stat('other').ino });
    },
  },
]);

function running(ctx: Ctx, path: string): { end: () => void } {
  const child = spawn(ctx.path(path), ['10'], { stdio: 'ignore' });
  return { end: () => void child.kill('SIGKILL') };
}

const busy: readonly Check[] = byOrigin(
  { d: dir(), 'd/program': file(readFileSync('/bin/sleep'), { mode: 0o755 }) },
  (layers, origin) => [
    {
      name: `a running program can not be written: ETXTBSY, ${origin}`,
      ...layers,
      run: (ctx) => {
        const { size } = ctx.stat('d/program');
        const program = running(ctx, 'd/program');
        try {
          for (const flags of [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_TRUNC])
            ctx.touch('d/program', flags, { err: 'ETXTBSY' });
          ctx.truncate('d/program', 0, { err: 'ETXTBSY' });
          ctx.expectStat('d/program', { size });
          ctx.touch('d/program', O_RDONLY);
          ctx.chmod('d/program', 0o700);
          ctx.rename('d/program', 'd/renamed');
          ctx.link('d/renamed', 'd/linked');
          ctx.touch('d/linked', O_WRONLY, { err: 'ETXTBSY' });
          ctx.unlink('d/renamed');
          ctx.create('d/program', 'another');
        } finally {
          program.end();
        }
        ctx.unlink('d/linked');
        ctx.unlink('d/program');
      },
    },
  ],
);

/** O_TMPFILE and linkat: over a whiteout, into merged and opaque directories, and where something is. */
const unnamed: readonly Check[] = (
  [
    ['over a whiteout', { lower: [{ 'd/n': 'gone', 'd/y': '' }], upper: { 'd/n': whiteout() } }, ['n', 'y']],
    ['over a whiteout of a directory', { lower: [{ 'd/n/x': 'gone' }], upper: { 'd/n': whiteout() } }, ['n']],
    ['into a merged directory', { lower: [{ 'd/y': '' }, { 'd/z': '' }], upper: { 'd/x': '' } }, ['n', 'x', 'y', 'z']],
    ['into an opaque directory', { lower: [{ 'd/y': '' }], upper: { d: opaque() } }, ['n']],
    ['into a lower directory', { lower: [{ 'd/y': '' }] }, ['n', 'y']],
  ] as const
).map(([where, layers, names]): Check => ({
  name: `O_TMPFILE is linked ${where}`,
  ...layers,
  run: (ctx) => {
    ctx.chmod('d', 0o2777);
    ctx.chown('d', 0, 4711);
    const handle = ctx.as(ALICE).open('d', O_TMPFILE | O_RDWR, { mode: 0o640 });
    expectEqual('nlink', handle.stat().nlink, 0);
    handle.write('unnamed');
    handle.chmod(0o600);
    ctx.linkHandle(handle, 'd/n');
    ctx.expectStat('d/n', { uid: ALICE.uid, gid: 4711, mode: 0o600, nlink: 1, ino: handle.stat().ino, size: 7 });
    handle.write(', named');
    ctx.expectContent('d/n', 'unnamed, named');
    ctx.linkHandle(handle, 'd/n', { err: 'EEXIST' });
    ctx.linkHandle(handle, 'second');
    ctx.unlink('d/n');
    ctx.expectStat('second', { nlink: 1 });
    ctx.linkHandle(handle, 'd/n');
    ctx.expectList('d', names);
    // All names gone: only O_TMPFILE itself may be linked from zero.
    ctx.unlink('second');
    ctx.unlink('d/n');
    ctx.linkHandle(handle, 'd/n', { err: 'ENOENT' });
    ctx.create('d/n', 'last');
  },
}));

export const posixOperations: readonly Check[] = [...existing, ...moved, ...umasks, ...busy, ...unnamed];
