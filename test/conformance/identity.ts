// Who owns what is made; st_ino, st_dev and nlink over copy-up, rename and links; statfs.

import { O_CREAT, O_RDWR, O_TMPFILE, S_IFIFO } from '../../src/sys/index.js';
import { dir, fifo, file, link, symlink } from '../helpers/layer-spec.js';
import type { LayerNode } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import { expectEqual } from './handle.js';
import { ALICE, BOB } from './users.js';

const owners: readonly Check[] = (['lower', 'upper'] as const).flatMap((origin): Check[] => {
  const spec = {
    open: dir({ mode: 0o777 }),
    sticky: dir({ mode: 0o1777 }),
    'sticky/root': 'x',
    'sticky/alice': file('x', { uid: ALICE.uid, gid: ALICE.gid }),
    setgid: dir({ mode: 0o2777, gid: 4242 }),
    closed: dir({ mode: 0o755 }),
    'closed/f': 'x',
    private: dir({ mode: 0o700 }),
    'private/f': 'x',
    group: dir({ mode: 0o770, gid: BOB.gid }),
  };
  const layers = origin === 'lower' ? { lower: [spec] } : { upper: spec };
  return [
    {
      name: `what a user makes belongs to the user, ${origin}`,
      ...layers,
      run: (ctx) => {
        const alice = ctx.as(ALICE);
        alice.create('open/file', 'x', { mode: 0o666 });
        alice.mkdir('open/dir', { mode: 0o777 });
        alice.mknod('open/fifo', S_IFIFO | 0o666);
        alice.symlink('file', 'open/symlink');
        alice.linkHandle(alice.open('open', O_TMPFILE | O_RDWR, { mode: 0o666 }), 'open/tmpfile');
        for (const name of ['file', 'dir', 'fifo', 'symlink', 'tmpfile']) {
          ctx.expectStat(`open/${name}`, { uid: ALICE.uid, gid: ALICE.gid });
        }
        ctx.expectStat('open/file', { mode: 0o644 });
        ctx.expectStat('open/dir', { mode: 0o755 });
        alice.expectContent('open/file', 'x');
        ctx.as(BOB).append('open/file', 'y', { err: 'EACCES' });
      },
    },
    {
      name: `the umask is the caller's, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.umask(0o027, () => {
          ctx.create('open/f', '', { mode: 0o777 });
          ctx.mkdir('open/d', { mode: 0o777 });
        });
        ctx.umask(0, () => {
          ctx.create('open/g', '', { mode: 0o666 });
          ctx.mkdir('open/e', { mode: 0o1777 });
        });
        ctx.expectStat('open/f', { mode: 0o750 });
        ctx.expectStat('open/d', { mode: 0o750 });
        ctx.expectStat('open/g', { mode: 0o666 });
        ctx.expectStat('open/e', { mode: 0o1777 });
      },
    },
    {
      name: `a setgid directory gives its group, ${origin}`,
      ...layers,
      run: (ctx) => {
        const alice = ctx.as(ALICE);
        alice.create('setgid/f', '', { mode: 0o666 });
        alice.mkdir('setgid/d');
        alice.mkdir('setgid/d/e');
        alice.symlink('x', 'setgid/l');
        ctx.expectStat('setgid/f', { uid: ALICE.uid, gid: 4242, mode: 0o644 });
        ctx.expectStat('setgid/d', { uid: ALICE.uid, gid: 4242, mode: 0o2755 });
        ctx.expectStat('setgid/d/e', { gid: 4242, mode: 0o2755 });
        ctx.expectStat('setgid/l', { gid: 4242 });
        alice.create('setgid/s', '', { mode: 0o2775 });
        ctx.expectStat('setgid/s', { gid: 4242, mode: 0o755 });
      },
    },
    {
      name: `a sticky directory protects what is in it, ${origin}`,
      ...layers,
      run: (ctx) => {
        const [alice, bob] = [ctx.as(ALICE), ctx.as(BOB)];
        alice.unlink('sticky/root', { err: 'EPERM' });
        bob.unlink('sticky/alice', { err: 'EPERM' });
        bob.rename('sticky/alice', 'sticky/bob', { err: 'EPERM' });
        bob.create('sticky/bob', 'b');
        alice.rename('sticky/alice', 'sticky/bob', { err: 'EPERM' });
        alice.rename('sticky/alice', 'sticky/alice2');
        alice.unlink('sticky/alice2');
        ctx.expectList('sticky', ['bob', 'root']);
      },
    },
    {
      name: `a directory one may not write refuses changes, ${origin}`,
      ...layers,
      run: (ctx) => {
        const alice = ctx.as(ALICE);
        alice.create('closed/new', '', { err: 'EACCES' });
        alice.mkdir('closed/new', { err: 'EACCES' });
        alice.unlink('closed/f', { err: 'EACCES' });
        alice.rename('closed/f', 'open/f', { err: 'EACCES' });
        alice.link('closed/f', 'closed/g', { err: ['EACCES', 'EPERM'] });
        alice.symlink('x', 'closed/l', { err: 'EACCES' });
        ctx.expectList('closed', ['f']);
      },
    },
    {
      name: `a directory one may not enter hides what is in it, ${origin}`,
      ...layers,
      run: (ctx) => {
        const alice = ctx.as(ALICE);
        alice.stat('private/f', { err: 'EACCES' });
        alice.list('private', { err: 'EACCES' });
        alice.rename('private', 'open/private', { err: 'EACCES' });
      },
    },
    {
      name: `a supplementary group counts, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.as(ALICE).create('group/f', '', { err: 'EACCES' });
        const member = ctx.as({ ...ALICE, groups: [1, 2, BOB.gid] });
        member.create('group/f', 'x', { mode: 0o640 });
        ctx.expectStat('group/f', { uid: ALICE.uid, gid: ALICE.gid });
        member.chown('group/f', -1, BOB.gid);
        ctx.as(BOB).expectContent('group/f', 'x');
      },
    },
    {
      name: `renaming a directory of another needs its right for the dots, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.mkdir('open/root');
        ctx.mkdir('open/sub', { mode: 0o777 });
        ctx.chmod('open/sub', 0o777);
        ctx.as(ALICE).rename('open/root', 'open/sub/root', { err: 'EACCES' });
        ctx.as(ALICE).rename('open/root', 'open/root2');
      },
    },
  ];
});

const THINGS: Readonly<Record<string, LayerNode | string>> = {
  file: 'x',
  dir: dir(),
  symlink: symlink('x'),
  fifo: fifo(),
};

const inodes: readonly Check[] = [
  ...Object.entries(THINGS).flatMap(([kind, node]) =>
    (['lower', 'upper'] as const).map((origin): Check => ({
      name: `st_ino and st_dev of a ${kind} stay over copy-up, rename and link, ${origin}`,
      ...(origin === 'lower' ? { lower: [{ n: node, 'd/x': '' }] } : { lower: [{ 'd/x': '' }], upper: { n: node } }),
      run: (ctx) => {
        const { ino, dev } = ctx.stat('n');
        ctx.lchown('n', 5, 5);
        ctx.expectStat('n', { ino, dev });
        ctx.rename('n', 'd/moved');
        ctx.expectStat('d/moved', { ino, dev });
        ctx.rename('d', 'e');
        ctx.expectStat('e/moved', { ino, dev });
        if (kind !== 'dir') {
          ctx.link('e/moved', 'other');
          ctx.expectStat('other', { ino, dev });
        }
      },
    })),
  ),
  {
    name: 'st_ino is unique and st_dev the same in all layers',
    lower: [
      { a: '', 'd/b': '' },
      { c: '', 'd/e': '' },
    ],
    upper: { f: '', 'd/g': '' },
    run: (ctx) => {
      ctx.append('c', 'x');
      ctx.create('h');
      const paths = ['', 'a', 'c', 'f', 'h', 'd', 'd/b', 'd/e', 'd/g'];
      expectEqual('different inodes', new Set(paths.map((path) => ctx.stat(path).ino)).size, paths.length);
      for (const path of paths) ctx.expectStat(path, { dev: ctx.stat('').dev });
    },
  },
  {
    name: 'an open file has the number of its name over copy-up',
    lower: [{ f: 'x' }],
    run: (ctx) => {
      const { ino } = ctx.stat('f');
      const handle = ctx.open('f', O_RDWR);
      handle.write('y');
      expectEqual('inode', handle.stat().ino, ino);
      ctx.expectStat('f', { ino });
    },
  },
  {
    name: 'a new file of an old name has another number than an open one',
    lower: [{ f: 'x' }],
    run: (ctx) => {
      const handle = ctx.open('f', O_RDWR);
      ctx.unlink('f');
      ctx.create('f', 'new');
      expectEqual('different', ctx.stat('f').ino !== handle.stat().ino, true);
    },
  },
  {
    name: 'nlink of a lower file with links is right at the first stat',
    lower: [{ a: 'x', b: link('a'), c: link('a') }],
    run: (ctx) => ctx.expectStat('b', { nlink: 3 }),
  },
  {
    name: 'nlink of a merged directory is 1',
    lower: [{ 'd/sub/x': '' }],
    upper: { 'd/other/y': '' },
    on: ['kernel', 'veneer'],
    run: (ctx) => ctx.expectStat('d', { nlink: 1 }),
  },
  {
    name: 'two names made at once are two files',
    run: (ctx) => {
      const [a, b] = [ctx.open('a', O_RDWR | O_CREAT), ctx.open('b', O_RDWR | O_CREAT)];
      expectEqual('different', a.stat().ino !== b.stat().ino, true);
    },
  },
  {
    name: 'statfs tells of the upper and its limits',
    lower: [{ f: '', 'd/x': '' }],
    run: (ctx) => {
      const [root, below] = [ctx.statfs(''), ctx.statfs('d/x')];
      expectEqual('longest name', root.namelen, 255);
      expectEqual('blocks', root.blocks, below.blocks);
      expectEqual('some blocks', root.blocks > 0 && root.files > 0, true);
      expectEqual('block size', root.bsize, 4096);
    },
  },
];

export const identity: readonly Check[] = [...owners, ...inodes];
