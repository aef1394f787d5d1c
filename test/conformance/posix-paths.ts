// What a path may be: the errors of path resolution, asked of every call that takes one.

import { O_CREAT, O_NOFOLLOW, O_PATH, O_RDONLY, O_WRONLY } from '../../src/sys/index.js';
import { dir, fifo, file, symlink, whiteout } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual } from './handle.js';
import { ALL, FOLLOWING, MAKING, NOT_FOLLOWING } from './posix-calls.js';
import type { Call } from './posix-calls.js';
import { ALICE, BOB } from './users.js';

const PATH_MAX = 4096;

const byOrigin = (
  spec: LayerSpec,
  make: (layers: Pick<Check, 'lower' | 'upper'>, origin: string) => Check[],
): Check[] => [
  ...make({ lower: [spec] }, 'lower'),
  ...make({ upper: spec }, 'upper'),
  ...make({ lower: [{ d: dir() }, spec], upper: { d: dir() } }, 'merged'),
];

/** All calls of a check must fail, so one tree is enough for them. */
const everyCall = (
  title: string,
  spec: LayerSpec,
  calls: Readonly<Record<string, Call>>,
  ask: (ctx: Ctx, call: Call, name: string) => void,
): Check[] =>
  byOrigin({ source: 'source', 'd/x': '', ...spec }, (layers, origin) => [
    {
      name: `${title}, ${origin}`,
      ...layers,
      run: (ctx) => {
        for (const [name, call] of Object.entries(calls)) ask(ctx, call, name);
      },
    },
  ]);

const notDirectories = everyCall(
  'something else than a directory in the middle is ENOTDIR',
  { f: 'file', p: fifo(), l: symlink('f'), 'd/f': '' },
  ALL,
  (ctx, call) => {
    for (const path of ['f/x', 'p/x', 'l/x', 'd/f/x', 'f/.', 'f/..', 'f/x/y']) call(ctx, path, { err: 'ENOTDIR' });
  },
);

const missing = everyCall(
  'a missing or removed directory in the middle is ENOENT',
  { 'gone/x': '', dangling: symlink('nowhere') },
  ALL,
  (ctx, call) => {
    if (ctx.list('').includes('gone')) ctx.removeTree('gone');
    for (const path of ['missing/x', 'd/missing/x', 'gone/x', 'dangling/x']) call(ctx, path, { err: 'ENOENT' });
  },
);

const missingLast = everyCall(
  'a missing name is ENOENT',
  { gone: 'x', dangling: symlink('nowhere') },
  { ...FOLLOWING, ...NOT_FOLLOWING },
  (ctx, call, name) => {
    if (ctx.list('').includes('gone')) ctx.unlink('gone');
    for (const path of ['missing', 'd/missing', 'gone']) call(ctx, path, { err: 'ENOENT' });
    if (name in FOLLOWING) call(ctx, 'dangling', { err: 'ENOENT' });
  },
);

const tooLong = everyCall('a name of 256 bytes and a path of 4,096 are ENAMETOOLONG', {}, ALL, (ctx, call) => {
  call(ctx, 'n'.repeat(256), { err: 'ENAMETOOLONG' });
  call(ctx, `d/${'n'.repeat(256)}`, { err: 'ENAMETOOLONG' });
  call(ctx, `${'n'.repeat(256)}/x`, { err: 'ENAMETOOLONG' });
  call(ctx, padded(ctx.root.length, PATH_MAX), { err: 'ENAMETOOLONG' });
});

/** A path to `d/x`, `length` bytes long with its root. */
function padded(root: number, length: number): string {
  const end = 'd/x';
  const room = length - root - 1 - end.length;
  return `${'./'.repeat(Math.floor(room / 2))}${room % 2 === 1 ? '/' : ''}${end}`;
}

const loops = everyCall(
  'a loop of symlinks is ELOOP',
  { one: symlink('two'), two: symlink('one'), self: symlink('self'), 'd/up': symlink('../d/up') },
  ALL,
  (ctx, call, name) => {
    for (const path of ['one/x', 'self/x', 'd/up/x']) call(ctx, path, { err: 'ELOOP' });
    if (name in FOLLOWING) for (const path of ['one', 'self', 'd/up']) call(ctx, path, { err: 'ELOOP' });
  },
);

const closed = { mode: 0o600, uid: ALICE.uid, gid: ALICE.gid };

const search = everyCall(
  'a directory that may not be searched is EACCES',
  { closed: dir(closed), 'closed/d/x': '', 'closed/x': '' },
  ALL,
  (ctx, call) => {
    for (const user of [ALICE, BOB, { ...BOB, groups: [ALICE.gid] }]) {
      for (const path of ['closed/x', 'closed/missing', 'closed/d/x', 'closed/.', 'closed/..'])
        call(ctx.as(user), path, { err: 'EACCES' });
    }
    expectEqual('root may', ctx.read('closed/x'), '');
  },
);

const others = { mode: 0o555, uid: ALICE.uid, gid: ALICE.gid };

/** The kernel looks at the right to write before it looks what is there, but for EEXIST. */
const writing = everyCall(
  'a directory that may not be written is EACCES',
  { shut: dir(others), 'shut/f': '', 'shut/d': dir(), source: file('', { mode: 0o666, uid: ALICE.uid }) },
  MAKING,
  (ctx, call) => {
    for (const user of [ALICE, BOB]) {
      call(ctx.as(user), 'shut/new', { err: 'EACCES' });
      ctx.as(user).unlink('shut/f', { err: 'EACCES' });
      ctx.as(user).rename('shut/f', 'shut/g', { err: 'EACCES' });
      ctx.as(user).rmdir('shut/d', { err: 'EACCES' });
    }
    ctx.expectList('shut', ['d', 'f']);
  },
);

const single: readonly Check[] = byOrigin(
  {
    'd/x': 'content',
    'd/long': symlink('x'),
    ...Object.fromEntries(
      Array.from({ length: 41 }, (_, n) => [`chain${String(n)}`, symlink(n === 0 ? 'd/x' : `chain${String(n - 1)}`)]),
    ),
    n255: symlink('n'.repeat(255)),
    loop: symlink('loop'),
    '\xff\xfe/\x80': 'bytes',
  },
  (layers, origin) => [
    {
      name: `a path of 4,095 bytes is followed, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.expectContent(padded(ctx.root.length, PATH_MAX - 1), 'content');
        ctx.append(padded(ctx.root.length, PATH_MAX - 1), '+');
        ctx.expectContent('d/x', 'content+');
      },
    },
    {
      name: `forty symlinks in a row are followed, and no more, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.expectContent('chain39', 'content');
        ctx.read('chain40', { err: 'ELOOP' });
      },
    },
    {
      name: `a symlink to a name of 255 bytes makes it, and its own loops can be looked at, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.open('n255', O_WRONLY | O_CREAT).write('made');
        ctx.expectContent('n'.repeat(255), 'made');
        ctx.touch('loop', O_RDONLY | O_NOFOLLOW, { err: 'ELOOP' });
        ctx.open('loop', O_PATH | O_NOFOLLOW);
        expectEqual('target', ctx.readlink('loop'), 'loop');
        ctx.rename('loop', 'loop2');
        ctx.link('loop2', 'loop3');
        ctx.unlink('loop3');
        ctx.unlink('loop2');
      },
    },
    {
      name: `symlinks of 1 and of 4,095 bytes, and none of 0 or 4,096, ${origin}`,
      ...layers,
      run: (ctx) => {
        for (const length of [1, 255, 1000, 4095]) {
          ctx.symlink('t'.repeat(length), `d/l${String(length)}`);
          expectEqual('target', ctx.readlink(`d/l${String(length)}`), 't'.repeat(length));
          ctx.expectStat(`d/l${String(length)}`, { size: length, mode: 0o777 });
        }
        ctx.symlink('', 'd/l', { err: 'ENOENT' });
        ctx.symlink('t'.repeat(4096), 'd/l', { err: 'ENAMETOOLONG' });
      },
    },
    {
      name: `a slash at the end asks for a directory, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.read('d/x/', { err: 'ENOTDIR' });
        ctx.stat('d/x/', { err: 'ENOTDIR' });
        ctx.unlink('d/x/', { err: 'ENOTDIR' });
        ctx.unlink('d/', { err: ['EISDIR', 'ENOTDIR'] });
        ctx.rename('d/x', 'd/y/', { err: 'ENOTDIR' });
        ctx.rename('d/x/', 'd/y', { err: 'ENOTDIR' });
        ctx.create('new/', '', { err: 'EISDIR' });
        ctx.link('d/x', 'new/', { err: 'ENOENT' });
        ctx.symlink('t', 'new/', { err: 'ENOENT' });
        ctx.mkdir('new/');
        ctx.rename('new/', 'newer/');
        ctx.rmdir('newer/');
        ctx.expectMissing('newer');
      },
    },
  ],
);

/** Every operation on names and in directories that are no text in any encoding. */
const bytes: readonly Check[] = (['lower', 'upper', 'merged'] as const).map((origin) => {
  const [d, f, gone] = ['\xff\xfe\x80', '\xc3\x28\xa0', '\xed\xa0\x80\n\t\\'];
  const spec = { [`${d}/${f}`]: 'content', [`${d}/${gone}`]: '', [`${d}/sub/${f}`]: '' };
  return {
    name: `names of invalid UTF-8 in every operation, ${origin}`,
    ...(origin === 'lower' ? { lower: [spec] } : {}),
    ...(origin === 'upper' ? { upper: spec } : {}),
    ...(origin === 'merged'
      ? { lower: [{ ...spec, [`${d}/hidden\xfe`]: '' }], upper: { [`${d}/hidden\xfe`]: whiteout() } }
      : {}),
    run: (ctx) => {
      const at = `${d}/${f}`;
      ctx.append(at, '\xff');
      ctx.expectContent(at, 'content\xff');
      ctx.unlink(`${d}/${gone}`);
      ctx.expectMissing(`${d}/${gone}`);
      ctx.mkdir(`${d}/${gone}`);
      ctx.create(`${d}/${gone}/\x80`, 'x');
      ctx.symlink('\xfe\xff', `${d}/\xfd`);
      expectEqual('target', ctx.readlink(`${d}/\xfd`), '\xfe\xff');
      ctx.link(at, `${d}/\xfc`);
      ctx.chmod(at, 0o600);
      ctx.chown(at, 1, 2);
      ctx.truncate(at, 3);
      ctx.utimens(at, { atime: { sec: 1, nsec: 2 }, mtime: { sec: 3, nsec: 4 } });
      ctx.setxattr(at, 'user.k', '\xff');
      ctx.rename(`${d}/\xfc`, `${d}/sub/\xfb`);
      ctx.expectStat(`${d}/sub/\xfb`, { mode: 0o600, uid: 1, gid: 2, size: 3, nlink: 2, mtime: '3.000000004' });
      ctx.rename(d, '\xfa');
      ctx.expectList('\xfa', [f, gone, '\xfd', 'sub']);
      ctx.removeTree(`\xfa/${gone}`);
      ctx.expectList('\xfa/sub', [f, '\xfb']);
      ctx.rmdir('\xfa/sub', { err: 'ENOTEMPTY' });
    },
  };
});

export const posixPaths: readonly Check[] = [
  ...notDirectories,
  ...missing,
  ...missingLast,
  ...tooLong,
  ...loops,
  ...search,
  ...writing,
  ...single,
  ...bytes,
];
