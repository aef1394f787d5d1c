import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { firstPartOfNames, list, lookup, openStack, showsNothing } from '../../../src/stack/index.js';
import type { FirstParts, Stack } from '../../../src/stack/index.js';
import { Stat, statx } from '../../../src/sys/index.js';
import { charDevice, dir, file, opaque, symlink, whiteout } from '../../helpers/layer-spec.js';
import type { LayerSpec, Mark } from '../../helpers/layer-spec.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';
import { kernelViewOf, namesIn, viewOf, writeLayers } from './support.js';

const gate = requires('root', 'mknod', 'trusted-xattr');
const kernel = requires('kernel-overlay');
const scratch = tempDir('stack');
afterAll(() => {
  scratch.remove();
});

let count = 0;
const fresh = (): string => `${scratch.path}/${String((count += 1))}`;
const layersOf = (...specs: LayerSpec[]): string[] => writeLayers(fresh(), specs);
const namesOf = (...specs: LayerSpec[]): string[] => namesIn(viewOf(layersOf(...specs)));

describe.skipIf(gate.skip)(gate.title('whiteouts'), () => {
  const marks: readonly Mark[] = ['kernel', 'oci', 'xattr'];

  test.each(marks)('of the form %s hide a file, a directory and nothing else', (mark) => {
    const top: LayerSpec = { d: dir({ opaque: 'xattr' }), 'd/file': whiteout(mark), 'd/sub': whiteout(mark) };
    const below: LayerSpec = { 'd/file': 'x', 'd/sub/inner': 'x', 'd/other': 'x' };
    expect(namesOf(top, below)).toEqual(['d', 'd/other']);
  });

  test.each(marks)('of the form %s hide through all layers below, not above', (mark) => {
    const hiding: LayerSpec = { d: dir({ opaque: 'xattr' }), 'd/a': whiteout(mark) };
    expect(namesOf({ 'd/b': '' }, hiding, { 'd/a': '1', 'd/c': '' }, { 'd/a': '2' })).toEqual(['d', 'd/b', 'd/c']);
    expect(namesOf({ 'd/a': 'new' }, hiding, { 'd/a': 'old' })).toEqual(['d', 'd/a']);
  });

  test.each(marks)('of the form %s end a directory: above them it starts anew', (mark) => {
    const hiding: LayerSpec = { p: dir({ opaque: 'xattr' }), 'p/d': whiteout(mark) };
    expect(namesOf({ 'p/d/new': '' }, hiding, { 'p/d/old': '' })).toEqual(['p', 'p/d', 'p/d/new']);
  });

  test('are invisible themselves, also where they hide nothing', () => {
    expect(namesOf({ 'd/kernel': whiteout(), 'd/oci': whiteout('oci') }, {})).toEqual(['d']);
    expect(namesOf({}, { 'd/kernel': whiteout(), 'd/oci': whiteout('oci') })).toEqual(['d']);
  });

  test('in the attribute form need an empty file', () => {
    const full = file('content', { xattrs: { 'trusted.overlay.whiteout': 'y' } });
    expect(namesOf({ d: dir({ opaque: 'xattr' }), 'd/a': full }, { 'd/a': 'low' })).toEqual(['d', 'd/a']);
  });

  test('in the attribute form count only in a directory that announces them, for lookups as for lists', () => {
    const stack = openStack(layersOf({ a: whiteout('xattr') }, { a: 'low' }));
    const names = list(stack.root);
    expect(typeof names === 'number' ? names : [...names.keys()]).toEqual(['a']);
    expect(lookup(stack.root, 'a', new Stat())).toMatchObject({ kind: 'other', name: 'a' });
    stack.close();
  });

  test('a name that begins with .wh. is never found', () => {
    const stack = openStack(layersOf({ 'd/.wh.a': '' }, { 'd/a': '', 'd/.wh.b': '' }));
    const stat = new Stat();
    const found = lookup(stack.root, 'd', stat);
    if (typeof found !== 'object' || found.kind !== 'directory') throw new Error('no directory');
    expect(lookup(found.parts, '.wh.a', stat)).toBeUndefined();
    expect(lookup(found.parts, '.wh..wh..opq', stat)).toBeUndefined();
    stack.close();
  });
});

describe.skipIf(gate.skip)(gate.title('an opaque directory'), () => {
  const marks: readonly Mark[] = ['kernel', 'oci', 'user-overlay', 'user-fuseoverlayfs'];

  test.each(marks)('of the form %s hides what lies below', (mark) => {
    const view = viewOf(layersOf({ d: opaque(mark), 'd/new': '' }, { 'd/old': '' }, { 'd/older': '' }));
    expect(namesIn(view)).toEqual(['d', 'd/new']);
  });

  test.each(marks)('of the form %s in the middle hides what lies below it only', (mark) => {
    expect(namesOf({ 'd/top': '' }, { d: opaque(mark), 'd/middle': '' }, { 'd/bottom': '' })).toEqual([
      'd',
      'd/middle',
      'd/top',
    ]);
  });

  test('of the value x is not opaque', () => {
    expect(namesOf({ d: dir({ opaque: 'xattr' }) }, { 'd/old': '' })).toEqual(['d', 'd/old']);
  });

  test('shows no trace of its mark', () => {
    const view = viewOf(layersOf({ d: opaque('oci') }, {}));
    expect(namesIn(view)).toEqual(['d']);
    expect(viewOf(layersOf({ d: opaque('user-fuseoverlayfs') }, {}))['d']).toBe(view['d']);
  });
});

describe.skipIf(gate.skip)(gate.title('types'), () => {
  test('a file hides a directory, and what lies below that', () => {
    expect(namesOf({ a: 'file' }, { 'a/b': '' }, { 'a/c': '' })).toEqual(['a']);
  });

  test('a directory hides a file, and a directory below that', () => {
    expect(namesOf({ 'a/top': '' }, { a: 'file' }, { 'a/bottom': '' })).toEqual(['a', 'a/top']);
  });

  test('a symlink to a directory is a symlink', () => {
    const view = viewOf(layersOf({ a: symlink('b') }, { 'a/x': '', 'b/y': '' }));
    expect(namesIn(view)).toEqual(['a', 'b', 'b/y']);
    expect(view['a']).toMatch(/^symlink .* -> b$/);
  });

  test('owner, mode and times are those of the top one', () => {
    const top = dir({ mode: 0o700, uid: 1, gid: 2, mtime: 5 });
    expect(viewOf(layersOf({ d: top, 'd/f': 'top' }, { d: dir({ mode: 0o777 }), 'd/f': 'low', 'd/g': 'g' }))).toEqual({
      d: 'dir 700 1:2 5',
      'd/f': 'file 644 0:0 1000001000 3 "top"',
      'd/g': 'file 644 0:0 1000000000 1 "g"',
    });
  });

  test('names are bytes', () => {
    const names = ['\xff', '\xc3\xa9', 'n'.repeat(255)];
    const spec = Object.fromEntries(names.map((name) => [name, 'x']));
    expect(namesOf({}, spec)).toEqual([...names].sort());
    expect(namesOf({ '\xff': whiteout() }, spec)).toEqual(names.slice(1).sort());
  });
});

describe.skipIf(gate.skip)(gate.title('redirects'), () => {
  const redirect = (to: string): LayerSpec[string] => dir({ xattrs: { 'trusted.overlay.redirect': to } });
  const both = dir({ xattrs: { 'trusted.overlay.redirect': '/x', 'trusted.overlay.opaque': 'y' } });

  test.each<[what: string, at: string, names: string[], layers: LayerSpec[]]>([
    ['relative, to a sibling', 'n', ['x', 'y'], [{ n: redirect('o') }, { 'o/x': '' }, { 'o/y': '', 'n/not': '' }]],
    ['absolute, from elsewhere', 'q/n', ['x'], [{ 'q/n': redirect('/p/o') }, { 'p/o/x': '' }, { 'q/n/not': '' }]],
    [
      'through another one further down',
      'c',
      ['second', 'third'],
      [{ c: redirect('/b') }, { b: redirect('/a'), 'b/second': '' }, { 'a/third': '', 'b/not': '' }],
    ],
    [
      'of the directory above',
      'n/sub',
      ['low', 'top'],
      [
        { 'n/sub/top': '', n: redirect('/o') },
        { 'o/sub/low': '', 'n/sub/not': '' },
      ],
    ],
    [
      'absolute, below a redirected directory',
      'n/sub',
      ['yes'],
      [
        { n: redirect('/o'), 'n/sub': redirect('/elsewhere') },
        { 'o/sub/not': '', 'elsewhere/yes': '' },
      ],
    ],
    ['to nothing', 'd', ['own'], [{ d: redirect('/missing'), 'd/own': '' }, { 'd/not': '' }]],
    ['to a file', 'd', ['own'], [{ d: redirect('/f'), 'd/own': '' }, { f: 'file' }]],
    ['to what is hidden', 'd', [], [{ d: redirect('/x') }, { x: whiteout() }, { 'x/hidden': '' }]],
    ['to an opaque directory', 'd', ['y'], [{ d: redirect('/x') }, { x: opaque(), 'x/y': '' }, { 'x/hidden': '' }]],
    ['never into its own layer', 'd', ['low'], [{ d: redirect('/x'), 'x/own': '' }, { 'x/low': '' }]],
    ['beside an opaque mark', 'd', [], [{ d: both }, { 'x/hidden': '' }]],
  ])('%s', (_what, at, names, specs) => {
    const layers = layersOf(...specs);
    const view = viewOf(layers);
    const below = namesIn(view).filter((name) => name.startsWith(`${at}/`) && !name.slice(at.length + 1).includes('/'));
    expect(below).toEqual(names.map((name) => `${at}/${name}`));
    if (!kernel.skip) expect(view).toEqual(kernelViewOf(layers, fresh()));
  });
});

describe.skipIf(gate.skip)(gate.title('redirects that are refused'), () => {
  const secret = `${scratch.path}/secret`;
  mkdirSync(secret);
  writeFileSync(`${secret}/password`, 'secret!');

  test.each([
    ['through a symlink', 'link/secret'],
    ['through a symlink, absolute', '/link/secret'],
    ['up', '..'],
    ['up and down', '../secret'],
    ['up, absolute', '/../secret'],
    ['up in the middle', '/a/../../secret'],
    ['to the directory itself', '.'],
    ['of two names', 'a/b'],
    ['of nothing', ''],
    ['of an empty name', '/a//b'],
    ['to the root', '/'],
  ])('%s', (_what, to) => {
    const redirect = { 'trusted.overlay.redirect': to };
    const metacopy = file('', { size: 7, xattrs: { 'trusted.overlay.metacopy': '', ...redirect } });
    const view = viewOf(
      layersOf({ d: dir({ xattrs: redirect }), f: metacopy }, { 'a/b/x': '', link: symlink(scratch.path) }),
    );
    expect(namesIn(view)).toEqual(['a', 'a/b', 'a/b/x', 'd', 'f', 'link']);
    expect(view['f']).toMatch(/^E(INVAL|IO)$/);
    expect(view['d']).toMatch(/^(EINVAL$|dir )/);
  });
});

describe.skipIf(gate.skip)(gate.title('a metadata-only file'), () => {
  const metacopy = (redirect?: string): LayerSpec[string] =>
    file('', {
      size: 7,
      mode: 0o600,
      uid: 5,
      xattrs: {
        'trusted.overlay.metacopy': '',
        ...(redirect === undefined ? {} : { 'trusted.overlay.redirect': redirect }),
      },
    });

  test.each<[string, LayerSpec[]]>([
    ['under its own name', [{ f: metacopy() }, { f: 'content' }]],
    ['two layers down', [{ f: metacopy() }, {}, { f: 'content' }]],
    ['through another one', [{ f: metacopy() }, { f: metacopy('/g') }, { g: 'content' }]],
    ['under another name', [{ f: metacopy('old') }, { old: 'content', f: 'falsely' }]],
    ['in another directory', [{ f: metacopy('/d/old') }, { 'd/old': 'content' }]],
    [
      'below a redirected directory',
      [{ d: dir({ xattrs: { 'trusted.overlay.redirect': '/o' } }), 'd/f': metacopy() }, { 'o/f': 'content' }],
    ],
  ])('has its data %s', (_what, specs) => {
    const layers = layersOf(...specs);
    const view = viewOf(layers);
    const name = 'f' in specs[0]! ? 'f' : 'd/f';
    expect(view[name]).toMatch(/^file 600 5:0 \d+ 7 "content"$/);
    if (!kernel.skip) expect(view).toEqual(kernelViewOf(layers, fresh()));
  });

  test.each<[string, LayerSpec[]]>([
    ['is missing', [{ f: metacopy() }, {}]],
    ['is hidden', [{ f: metacopy() }, { f: whiteout() }, { f: 'content' }]],
    ['is a directory', [{ f: metacopy() }, { f: dir() }]],
    ['is a symlink', [{ f: metacopy() }, { f: symlink('g'), g: 'content' }]],
    ['would be below the bottom', [{}, { f: metacopy() }]],
    ['is below one whose data is missing', [{ f: metacopy('/g/x') }, { g: metacopy() }, {}]],
  ])('whose data %s is EIO', (_what, specs) => {
    const layers = layersOf(...specs);
    expect(viewOf(layers)['f']).toBe('EIO');
    if (!kernel.skip) expect(kernelViewOf(layers, fresh())['f']).toBe('EIO');
  });
});

describe.skipIf(gate.skip)(gate.title('a metadata-only file without its data leaves directories alone'), () => {
  const broken = file('', { size: 7, xattrs: { 'trusted.overlay.metacopy': '' } });
  const redirected = (to: string): LayerSpec => ({
    d: dir({ xattrs: { 'trusted.overlay.redirect': to } }),
    'd/own': '',
  });

  test.each<[string, LayerSpec[]]>([
    ['that lead to it', [redirected('old'), { old: broken }, {}]],
    ['that lead to it by a path', [redirected('/o/old'), { 'o/old': broken }, {}]],
    ['that lead through it', [redirected('/old/x'), { old: broken }, { 'old/x/hidden': '' }]],
    ['that hold it', [{ 'd/own': '' }, { 'd/f': broken }, {}]],
    ['that hide it', [{ 'd/own': '' }, { d: broken }, {}]],
  ])('%s', (_what, specs) => {
    const layers = layersOf(...specs);
    const view = viewOf(layers);
    expect(view['d']).toMatch(/^dir /);
    expect(view['d/own']).toMatch(/^file /);
    if (!kernel.skip) expect(view).toEqual(kernelViewOf(layers, fresh()));
  });
});

describe.skipIf(gate.skip)(gate.title('lookup'), () => {
  const open = (...specs: LayerSpec[]): Stack => openStack(layersOf(...specs));

  test('tells where a file was found, and its attributes', () => {
    const stack = open({}, { f: file('abc', { mode: 0o640 }) }, { f: 'x' });
    const stat = new Stat();
    expect(lookup(stack.root, 'f', stat)).toMatchObject({ kind: 'other', name: 'f', data: undefined, origin: false });
    expect([stat.size, stat.mode & 0o7777]).toEqual([3, 0o640]);
    expect(lookup(stack.root, 'missing', stat)).toBeUndefined();
    expect(lookup(stack.root, 'n'.repeat(256), stat)).toBe(-errno.ENAMETOOLONG);
    stack.close();
  });

  test('starts at the part it is told', () => {
    const stack = open({ f: 'top' }, { f: 'low!' });
    const stat = new Stat();
    lookup(stack.root, 'f', stat, 1);
    expect(stat.size).toBe(4);
    stack.close();
  });

  test('tells which files carry an origin', () => {
    const stack = open({ f: file('', { xattrs: { 'trusted.overlay.origin': 'x' } }) }, {});
    expect(lookup(stack.root, 'f', new Stat())).toMatchObject({ origin: true });
    stack.close();
  });
});

describe.skipIf(gate.skip)(gate.title('list'), () => {
  test('has names of upper parts first, and tells on the way which part speaks first of a name', () => {
    const stack = openStack(layersOf({ b: 'x', gone: whiteout() }, { a: dir(), b: dir(), gone: '' }));
    const first = new Map([
      ['b', 0],
      ['gone', 0],
      ['a', 1],
    ]);
    const onTheWay: FirstParts = new Map();
    const names = list(stack.root, onTheWay);
    expect(typeof names === 'number' ? names : [...names]).toEqual(['b', 'a']);
    expect(onTheWay).toEqual(first);
    expect(firstPartOfNames(stack.root)).toEqual(first);
    const below: FirstParts = new Map();
    list(stack.root, below, 1);
    expect(below).toEqual(new Map(['a', 'b', 'gone'].map((name) => [name, 0])));
    stack.close();
  });

  test.each([
    ['nothing', {}, true],
    ['whiteouts', { gone: whiteout(), more: whiteout() }, true],
    ['a whiteout as OCI has it', { '.wh.gone': '' }, true],
    ['a file', { gone: whiteout(), f: '' }, false],
    ['a directory', { d: dir() }, false],
    [
      'an empty file, which is no whiteout where none are announced',
      {
        f: file('', { xattrs: { 'trusted.overlay.whiteout': 'y' } }),
      },
      false,
    ],
    ['a device', { n: charDevice(1, 3) }, false],
  ] satisfies [string, LayerSpec, boolean][])('a directory of %s shows nothing: %s', (_, layer, expected) => {
    const stack = openStack(layersOf(layer));
    expect(showsNothing(stack.root[0]!)).toBe(expected);
    stack.close();
  });

  test('whiteouts that are links of a known one need no look', () => {
    const stack = openStack(layersOf({ gone: whiteout() }));
    const stat = new Stat();
    statx(stack.layers[0]!.fd, 'gone', stat);
    const { inoLow, inoHigh } = stat;
    expect(showsNothing(stack.root[0]!, { inoLow, inoHigh })).toBe(true);
    expect(showsNothing(stack.root[0]!, { inoLow: inoLow + 1, inoHigh })).toBe(true);
    stack.close();
  });
});

describe('openStack', () => {
  test('opens none if one is missing or no directory', () => {
    const root = tempDir('stack-open');
    writeFileSync(`${root.path}/file`, '');
    expect(() => openStack([root.path, `${root.path}/missing`])).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => openStack([`${root.path}/file`])).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    root.remove();
  });
});
