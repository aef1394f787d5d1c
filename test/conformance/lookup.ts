// What the merged tree shows: which layer wins, and what whiteouts and opaque directories hide.

import { S_IFDIR, S_IFLNK, S_IFREG } from '../../src/sys/index.js';
import { dir, file, link, opaque, symlink, whiteout } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import type { Check } from './check.js';

/** Forms that only veneer reads in every layer (fuse-overlayfs and OCI tools write them). */
const NOT_KERNEL = ['plain', 'veneer'] as const;

const shadowing: readonly Check[] = [
  {
    name: 'a file of the upper hides one of the lower',
    lower: [{ f: 'lower' }],
    upper: { f: 'upper' },
    run: (ctx) => ctx.expectContent('f', 'upper'),
  },
  {
    name: 'the top lower layer wins',
    lower: [{ f: 'top' }, { f: 'middle', g: 'middle' }, { f: 'bottom', g: 'bottom', h: 'bottom' }],
    run: (ctx) => {
      for (const [name, content] of [
        ['f', 'top'],
        ['g', 'middle'],
        ['h', 'bottom'],
      ] as const)
        ctx.expectContent(name, content);
      ctx.expectList('', ['f', 'g', 'h']);
    },
  },
  {
    name: 'directories merge their names and take the attributes of the top one',
    lower: [
      { d: dir({ mode: 0o700, uid: 5, mtime: 1_100_000_000, xattrs: { 'user.a': 'top' } }), 'd/b': 'b' },
      { d: dir({ mode: 0o755, xattrs: { 'user.z': 'bottom' } }), 'd/c': 'c' },
    ],
    run: (ctx) => {
      ctx.expectList('d', ['b', 'c']);
      ctx.expectStat('d', { mode: 0o700, uid: 5, mtime: '1100000000.123456789' });
      ctx.expectXattrNames('d', ['user.a']);
    },
  },
  {
    name: 'a file over a directory hides all of it',
    lower: [{ x: 'file' }, { 'x/in': 'hidden' }],
    run: (ctx) => {
      ctx.expectContent('x', 'file');
      ctx.stat('x/in', { err: 'ENOTDIR' });
    },
  },
  {
    name: 'a directory over a file shows only itself',
    lower: [{ 'x/in': 'seen' }, { x: 'file' }],
    run: (ctx) => ctx.expectList('x', ['in']),
  },
  {
    name: 'a file between two directories cuts the merge',
    lower: [{ 'x/top': '' }, { x: 'file' }, { 'x/bottom': '' }],
    run: (ctx) => {
      ctx.expectList('x', ['top']);
      ctx.expectMissing('x/bottom');
    },
  },
  {
    name: 'a symlink over a directory hides it',
    lower: [{ x: symlink('other'), 'other/o': '' }, { 'x/in': '' }],
    run: (ctx) => {
      ctx.expectStat('x', { type: S_IFLNK });
      ctx.expectList('x', ['o']);
    },
  },
  {
    name: 'a directory over a symlink hides it',
    lower: [{ 'x/in': '' }, { x: symlink('other'), 'other/o': '' }],
    run: (ctx) => ctx.expectList('x', ['in']),
  },
];

const whiteouts: readonly Check[] = [
  {
    name: 'a whiteout hides a file',
    lower: [{ gone: 'x', stays: 'y' }],
    upper: { gone: whiteout() },
    run: (ctx) => {
      ctx.expectMissing('gone');
      ctx.expectList('', ['stays']);
    },
  },
  {
    name: 'a whiteout hides a directory',
    lower: [{ d: whiteout() }, { 'd/in': '' }],
    run: (ctx) => {
      ctx.expectMissing('d');
      ctx.stat('d/in', { err: 'ENOENT' });
    },
  },
  {
    name: 'a whiteout does not hide the layers above it',
    lower: [{ f: 'back' }, { f: whiteout() }, { f: 'gone' }],
    run: (ctx) => ctx.expectContent('f', 'back'),
  },
  {
    name: 'a directory above a whiteout does not merge with what is below it',
    lower: [{ 'd/new': '' }, { d: whiteout() }, { 'd/old': '' }],
    run: (ctx) => {
      ctx.expectList('d', ['new']);
      ctx.expectMissing('d/old');
    },
  },
  {
    name: 'a whiteout with nothing below hides nothing',
    lower: [{ ghost: whiteout(), f: '' }],
    run: (ctx) => ctx.expectList('', ['f']),
  },
  {
    name: 'an xattr whiteout hides a file',
    lower: [
      { d: opaque('xattr'), 'd/gone': whiteout('xattr') },
      { 'd/gone': 'x', 'd/stays': '' },
    ],
    run: (ctx) => {
      ctx.expectMissing('d/gone');
      ctx.expectList('d', ['stays']);
    },
  },
  {
    name: 'an OCI whiteout file hides its name and itself',
    lower: [{ 'd/gone': whiteout('oci') }, { 'd/gone': 'x', 'd/stays': '' }],
    on: NOT_KERNEL,
    run: (ctx) => {
      ctx.expectMissing('d/gone');
      ctx.expectMissing('d/.wh.gone');
      ctx.expectList('d', ['stays']);
    },
  },
  {
    name: 'an OCI whiteout file hides a directory',
    lower: [{ d: dir(), 'd/sub': whiteout('oci') }, { 'd/sub/x': '' }],
    on: NOT_KERNEL,
    run: (ctx) => ctx.expectList('d', []),
  },
  {
    name: 'an OCI whiteout file leaves a sibling of its own layer alone',
    lower: [{ 'd/.wh.f': '', 'd/f': 'own' }, { 'd/f': 'below' }],
    on: ['veneer'],
    run: (ctx) => {
      ctx.expectContent('d/f', 'own');
      ctx.expectList('d', ['f']);
    },
  },
];

const opaqueLayers = (mark: Parameters<typeof opaque>[0]): LayerSpec[] => [
  { d: opaque(mark), 'd/new': '' },
  { 'd/old': '', 'd/sub/x': '' },
];

const opaques: readonly Check[] = [
  {
    name: 'an opaque directory hides what is below',
    lower: opaqueLayers('kernel'),
    run: (ctx) => {
      ctx.expectList('d', ['new']);
      ctx.expectMissing('d/old');
      ctx.expectXattrNames('d', []);
    },
  },
  {
    name: 'an opaque directory in the middle cuts there',
    lower: [{ 'd/top': '' }, { d: opaque(), 'd/middle': '' }, { 'd/bottom': '' }],
    run: (ctx) => ctx.expectList('d', ['middle', 'top']),
  },
  {
    name: 'an opaque directory of the upper hides what is below',
    lower: [{ 'd/old': '' }],
    upper: { d: opaque(), 'd/new': '' },
    run: (ctx) => ctx.expectList('d', ['new']),
  },
  ...(['oci', 'user-overlay', 'user-fuseoverlayfs'] as const).map((mark): Check => ({
    name: `a directory marked opaque in the form ${mark} hides what is below`,
    lower: opaqueLayers(mark),
    on: NOT_KERNEL,
    run: (ctx) => {
      ctx.expectList('d', ['new']);
      ctx.expectMissing('d/old');
      ctx.expectMissing('d/.wh..wh..opq');
      ctx.expectXattrNames('d', []);
    },
  })),
  {
    name: 'a directory below an opaque one is opaque with it',
    lower: [{ d: opaque(), 'd/sub/new': '' }, { 'd/sub/old': '' }],
    run: (ctx) => ctx.expectList('d/sub', ['new']),
  },
];

const paths: readonly Check[] = [
  {
    name: 'a relative symlink resolves in the merged tree, not in its layer',
    lower: [{ l: symlink('d/f') }, { 'd/f': 'below' }],
    upper: { 'd/f': 'merged' },
    run: (ctx) => ctx.expectContent('l', 'merged'),
  },
  {
    name: 'a symlink loop is ELOOP',
    lower: [{ a: symlink('b'), b: symlink('a') }],
    run: (ctx) => ctx.read('a', { err: 'ELOOP' }),
  },
  {
    name: 'names of 255 bytes exist and of 256 are ENAMETOOLONG',
    lower: [{ ['n'.repeat(255)]: 'long' }],
    run: (ctx) => {
      ctx.expectContent('n'.repeat(255), 'long');
      ctx.stat('n'.repeat(256), { err: 'ENAMETOOLONG' });
      ctx.create('m'.repeat(255), 'x');
      ctx.create('m'.repeat(256), '', { err: 'ENAMETOOLONG' });
      ctx.rename('n'.repeat(255), 'o'.repeat(255));
      ctx.rename('o'.repeat(255), 'o'.repeat(256), { err: 'ENAMETOOLONG' });
      ctx.expectList('', ['m'.repeat(255), 'o'.repeat(255)]);
    },
  },
  {
    name: 'names are bytes, of any encoding',
    lower: [{ 'latin-\xe4': '1', 'bad-\xff\xfe': '2', 'ctl-\x01\n': '3', 'utf8-\xe2\x82\xac': '4' }],
    run: (ctx) => {
      ctx.append('bad-\xff\xfe', '+');
      ctx.expectContent('bad-\xff\xfe', '2+');
      ctx.rename('latin-\xe4', 'moved-\xf6');
      ctx.mkdir('dir-\x80');
      ctx.create('dir-\x80/\xc3', 'x');
      ctx.unlink('utf8-\xe2\x82\xac');
      ctx.expectList('', ['bad-\xff\xfe', 'ctl-\x01\n', 'dir-\x80', 'moved-\xf6']);
    },
  },
  {
    name: 'the dots of a merged directory lead where they should',
    lower: [{ 'd/sub/x': '' }],
    upper: { 'd/y': '' },
    run: (ctx) => {
      ctx.expectStat('d/sub/..', { ino: ctx.stat('d').ino });
      ctx.expectStat('d/.', { ino: ctx.stat('d').ino });
    },
  },
  {
    name: 'hard links of a layer are one file',
    lower: [{ a: file('same'), b: link('a') }],
    run: (ctx) => {
      ctx.expectStat('a', { nlink: 2, type: S_IFREG });
      ctx.expectStat('b', { ino: ctx.stat('a').ino });
    },
  },
  {
    name: 'the type of a directory comes from its top layer',
    lower: [{ d: dir({ mode: 0o1777, gid: 9 }) }, { d: dir({ mode: 0o500 }) }],
    run: (ctx) => ctx.expectStat('d', { type: S_IFDIR, mode: 0o1777, gid: 9 }),
  },
];

export const lookup: readonly Check[] = [...shadowing, ...whiteouts, ...opaques, ...paths];
