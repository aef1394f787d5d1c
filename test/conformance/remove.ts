// unlink and rmdir, and files that go on after their name.

import { O_CREAT, O_NOFOLLOW, O_RDONLY, O_RDWR } from '../../src/sys/index.js';
import { dir, fifo, file, link, opaque, symlink, whiteout } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import { expectEqual } from './handle.js';

const THINGS: Readonly<Record<string, LayerNode | string>> = {
  file: 'x',
  symlink: symlink('x'),
  fifo: fifo(),
  'dangling symlink': symlink('nowhere'),
};

const origins = (spec: LayerSpec): Readonly<Record<string, Pick<Check, 'lower' | 'upper'>>> => ({
  lower: { lower: [spec] },
  upper: { upper: spec },
  merged: { lower: [spec], upper: spec },
  'second lower': { lower: [{}, spec] },
});

const unlinks: readonly Check[] = [
  ...Object.entries(THINGS).flatMap(([thing, node]) =>
    Object.entries(origins({ n: node, stays: '' })).map(([origin, layers]): Check => ({
      name: `unlink of a ${thing}, ${origin}`,
      ...layers,
      run: (ctx) => {
        ctx.rmdir('n', { err: 'ENOTDIR' });
        ctx.unlink('n');
        ctx.expectMissing('n');
        ctx.unlink('n', { err: 'ENOENT' });
        ctx.expectList('', ['stays']);
      },
    })),
  ),
  {
    name: 'unlink of a directory is EISDIR',
    lower: [{ d: dir() }],
    run: (ctx) => ctx.unlink('d', { err: 'EISDIR' }),
  },
  {
    name: 'unlink of what a whiteout hides is ENOENT',
    lower: [{ f: '' }],
    upper: { f: whiteout() },
    run: (ctx) => ctx.unlink('f', { err: 'ENOENT' }),
  },
  {
    name: 'unlink in an opaque directory needs no whiteout',
    lower: [{ 'd/f': 'below' }],
    upper: { d: opaque(), 'd/f': 'above' },
    run: (ctx) => {
      ctx.unlink('d/f');
      ctx.expectList('d', []);
      ctx.rmdir('d');
      ctx.expectMissing('d');
    },
  },
  {
    name: 'unlink of one hard link leaves the others',
    lower: [{ a: 'x', b: link('a') }],
    run: (ctx) => {
      ctx.unlink('a');
      ctx.expectStat('b', { nlink: 1 });
      ctx.expectContent('b', 'x');
    },
  },
];

const rmdirs: readonly Check[] = [
  ...Object.entries(origins({ d: dir() })).map(([origin, layers]): Check => ({
    name: `rmdir of an empty directory, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.rmdir('d');
      ctx.expectMissing('d');
      ctx.rmdir('d', { err: 'ENOENT' });
      ctx.expectList('', []);
    },
  })),
  ...Object.entries(origins({ 'd/f': 'x', 'd/sub/g': '' })).map(([origin, layers]): Check => ({
    name: `rmdir of a full directory, ${origin}`,
    ...layers,
    run: (ctx) => {
      ctx.rmdir('d', { err: 'ENOTEMPTY' });
      ctx.unlink('d/f');
      ctx.rmdir('d', { err: 'ENOTEMPTY' });
      ctx.unlink('d/sub/g');
      ctx.rmdir('d/sub');
      ctx.rmdir('d');
      ctx.expectList('', []);
    },
  })),
  {
    name: 'rmdir of a directory that holds only whiteouts',
    lower: [{ 'd/a': '', 'd/b/c': '' }],
    upper: { 'd/a': whiteout(), 'd/b': whiteout() },
    run: (ctx) => {
      ctx.expectList('d', []);
      ctx.rmdir('d');
      ctx.expectMissing('d');
    },
  },
  {
    name: 'rmdir of a directory whose whiteouts are in a lower layer',
    lower: [{ 'd/a': whiteout() }, { 'd/a': '' }],
    run: (ctx) => {
      ctx.rmdir('d');
      ctx.expectMissing('d');
    },
  },
  {
    name: 'rmdir of an opaque directory whites it out',
    lower: [{ 'd/a': '' }],
    upper: { d: opaque() },
    run: (ctx) => {
      ctx.rmdir('d');
      ctx.expectMissing('d');
    },
  },
  {
    name: 'rmdir of a file and of the dots',
    lower: [{ f: '', 'd/x': '' }],
    run: (ctx) => {
      ctx.rmdir('f', { err: 'ENOTDIR' });
      ctx.rmdir('d/.', { err: 'EINVAL' });
      ctx.rmdir('d/..', { err: 'ENOTEMPTY' });
    },
  },
  {
    name: 'rm -r of a lower tree',
    lower: [
      { 'd/a': '', 'd/b/c': '', 'd/b/d/e': '', 'd/l': symlink('a') },
      { 'd/b/x': '', 'd/z/y': '' },
    ],
    run: (ctx) => {
      ctx.removeTree('d');
      ctx.expectList('', []);
    },
  },
];

const unlinkedButOpen: readonly Check[] = (['lower', 'upper'] as const).flatMap((origin): Check[] => {
  const spec = { f: file('content', { mode: 0o640 }) };
  const layers = origin === 'lower' ? { lower: [spec] } : { upper: spec };
  return [
    {
      name: `a file open for reading goes on after unlink, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDONLY);
        ctx.unlink('f');
        expectEqual('content', handle.content(), 'content');
        expectEqual('nlink', handle.stat().nlink, 0);
        expectEqual('mode', handle.stat().mode, 0o640);
      },
    },
    {
      name: `a file open for writing goes on after unlink, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDWR);
        ctx.unlink('f');
        handle.pwrite(7, ' and more');
        expectEqual('content', handle.content(), 'content and more');
        handle.truncate(4);
        expectEqual('content', handle.content(), 'cont');
        handle.chmod(0o600);
        expectEqual('mode', handle.stat().mode, 0o600);
        handle.sync();
      },
    },
    {
      name: `a new file of the same name is another one, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDWR);
        ctx.unlink('f');
        ctx.create('f', 'new');
        handle.pwrite(0, 'OLD');
        expectEqual('content', handle.content(), 'OLDtent');
        ctx.expectContent('f', 'new');
      },
    },
    {
      name: `a file replaced by a rename goes on, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDWR);
        ctx.create('g', 'replacement');
        ctx.rename('g', 'f');
        expectEqual('content', handle.content(), 'content');
        handle.pwrite(0, 'X');
        ctx.expectContent('f', 'replacement');
        expectEqual('nlink', handle.stat().nlink, 0);
      },
    },
    {
      name: `a file opened with O_NOFOLLOW goes on after unlink, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDWR | O_NOFOLLOW);
        ctx.unlink('f');
        handle.truncate(3);
        handle.fallocate(0, 0, 5);
        expectEqual('content', handle.content(), 'con\0\0');
      },
    },
    {
      name: `fchmod and ftruncate of an unlinked file that is open for reading only, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.open('f', O_RDONLY);
        ctx.unlink('f');
        handle.truncate(0, { err: 'EINVAL' });
        handle.chown(5, 6);
        expectEqual('uid', handle.stat().uid, 5);
      },
    },
  ];
});

const openDirectories: readonly Check[] = [
  {
    name: 'a removed directory that is open lists nothing',
    lower: [{ d: dir() }],
    run: (ctx) => {
      const handle = ctx.opendir('d');
      ctx.rmdir('d');
      expectEqual('uid', handle.stat().uid, 0);
      ctx.mkdir('d');
      ctx.create('d/new', '');
      ctx.expectList('d', ['new']);
    },
  },
  {
    name: 'a file made and unlinked at once goes on',
    run: (ctx) => {
      const handle = ctx.open('t', O_RDWR | O_CREAT, { mode: 0o600 });
      ctx.unlink('t');
      handle.write('x'.repeat(100_000));
      expectEqual('size', handle.stat().size, 100_000);
      expectEqual('tail', handle.pread(99_990, 100), 'x'.repeat(10));
    },
  },
];

export const remove: readonly Check[] = [...unlinks, ...rmdirs, ...unlinkedButOpen, ...openDirectories];
