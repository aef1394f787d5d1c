// Listing: while others change the directory, of many entries, from every position.

import { SEEK_SET } from '../../src/sys/index.js';
import { dir, whiteout } from '../helpers/layer-spec.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import type { Check } from './check.js';
import type { Ctx } from './ctx.js';
import { expectEqual } from './handle.js';

const MANY = 10_000;
const nameOf = (index: number): string => `entry-${String(index).padStart(5, '0')}`;
const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => nameOf(from + index));
const files = (list: readonly string[]): LayerSpec => Object.fromEntries(list.map((name) => [`d/${name}`, '']));

const expectSet = (what: string, got: readonly string[], wanted: readonly string[]): void => {
  expectEqual(`${what}: count`, got.length, wanted.length);
  expectEqual(what, [...got].sort().join(), [...wanted].sort().join());
};

/** Few entries per call: many continuations. */
const SMALL = 1024;

const byOrigin = (
  list: readonly string[],
  make: (layers: Pick<Check, 'lower' | 'upper'>, origin: string) => Check[],
): Check[] => [
  ...make({ lower: [files(list)] }, 'lower'),
  ...make({ upper: files(list) }, 'upper'),
  ...make(
    {
      lower: [files(list.filter((_, index) => index % 2 === 0))],
      upper: files(list.filter((_, index) => index % 3 !== 2 || index % 2 === 1)),
    },
    'merged',
  ),
];

function expectSameAfterRewind(ctx: Ctx, wanted: readonly string[]): void {
  const handle = ctx.opendir('d');
  expectSet('first', handle.names(SMALL), wanted);
  expectSet('at the end', handle.names(), []);
  handle.rewind();
  expectSet('after rewind', handle.names(), wanted);
}

const some = names(0, 120);

export const readdir: readonly Check[] = [
  ...byOrigin(some, (layers, origin) => [
    {
      name: `rewind shows all again, ${origin}`,
      ...layers,
      run: (ctx) => expectSameAfterRewind(ctx, some),
    },
    {
      name: `rewind shows what was made and removed meanwhile, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.opendir('d');
        handle.getdents(SMALL);
        ctx.unlink(`d/${nameOf(0)}`);
        ctx.create('d/new');
        handle.rewind();
        expectSet('after rewind', handle.names(), [...names(1, 120), 'new']);
      },
    },
    {
      name: `nothing comes twice or is left out while entries are made, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.opendir('d');
        const seen: string[] = [];
        for (let round = 0; ; round += 1) {
          const entries = handle.getdents(SMALL);
          if (entries.length === 0) break;
          seen.push(...entries.map(({ name }) => name));
          if (round < 3) ctx.create(`d/made-${String(round)}`);
        }
        expectEqual('names that come twice', new Set(seen).size, seen.length);
        expectSet(
          'old entries',
          seen.filter((name) => name.startsWith('entry')),
          some,
        );
      },
    },
    {
      name: `entries removed while listing lead to no error, and the others all come, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.opendir('d');
        const seen = handle.getdents(SMALL).map(({ name }) => name);
        for (const name of seen.filter((one) => one.startsWith('entry'))) ctx.unlink(`d/${name}`);
        const rest = handle.names(SMALL);
        expectEqual('names that come twice', new Set([...seen, ...rest]).size, seen.length + rest.length);
        expectSet(
          'all',
          [...seen, ...rest].filter((name) => !name.startsWith('.')),
          some,
        );
        expectEqual('left', ctx.list('d').length, 120 - seen.filter((one) => one.startsWith('entry')).length);
        ctx.removeTree('d');
      },
    },
    {
      name: `a removal of everything while listing ends with an empty directory, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.opendir('d');
        for (;;) {
          const entries = handle.getdents(SMALL).filter(({ name }) => !name.startsWith('.'));
          if (entries.length === 0) break;
          for (const { name } of entries) ctx.unlink(`d/${name}`);
        }
        ctx.expectList('d', []);
        ctx.rmdir('d');
      },
    },
    {
      name: `a position can be returned to, ${origin}`,
      ...layers,
      run: (ctx) => {
        const handle = ctx.opendir('d');
        const first = handle.getdents(SMALL);
        const rest = handle.names(SMALL);
        const middle = first[4]!;
        handle.seek(middle.offset, SEEK_SET);
        const after = first.slice(5).map(({ name }) => name);
        expectSet('from the middle', handle.names(), [...after.filter((name) => !/^\.+$/.test(name)), ...rest]);
      },
    },
    {
      name: `d_ino and d_type agree with stat, ${origin}`,
      ...layers,
      run: (ctx) => {
        for (const { name, ino, type } of ctx.opendir('d').getdents()) {
          const stat = ctx.stat(`d/${name}`);
          if (name !== '..') expectEqual(`d_ino of ${name}`, ino, stat.ino);
          expectEqual(`d_type of ${name}`, type, stat.type >> 12);
        }
      },
    },
  ]),
  {
    name: 'renamed within the directory while listing, no name is lost',
    lower: [files(some)],
    run: (ctx) => {
      const handle = ctx.opendir('d');
      const seen = handle.getdents(SMALL).map(({ name }) => name);
      ctx.rename(`d/${nameOf(119)}`, 'd/renamed');
      seen.push(...handle.names(SMALL));
      expectSet(
        'the untouched ones',
        seen.filter((name) => /entry-00(0|10)/.test(name)),
        names(0, 110),
      );
    },
  },
  {
    name: `${String(MANY)} entries in one lower directory`,
    lower: [files(names(0, MANY))],
    run: (ctx) => {
      expectSet('listed', ctx.opendir('d').names(), names(0, MANY));
      ctx.create('d/one-more');
      ctx.unlink(`d/${nameOf(77)}`);
      expectEqual('count', ctx.list('d').length, MANY);
    },
  },
  {
    name: '3,000 entries merged of three layers and an upper',
    lower: [files(names(0, 1200)), files(names(1000, 2200)), files(names(2000, 3000))],
    upper: {
      ...files(names(3000, 3100)),
      ...Object.fromEntries(names(0, 100).map((name) => [`d/${name}`, whiteout()])),
    },
    run: (ctx) => {
      expectSet('listed', ctx.opendir('d').names(), names(100, 3100));
      for (const name of names(100, 200)) ctx.unlink(`d/${name}`);
      for (const name of names(0, 50)) ctx.create(`d/${name}`);
      expectSet('listed again', ctx.opendir('d').names(), [...names(0, 50), ...names(200, 3100)]);
    },
  },
  {
    name: 'a whiteout made by unlink does not show in an open listing after rewind',
    lower: [{ d: dir(), 'd/a': '', 'd/b': '' }],
    run: (ctx) => {
      const handle = ctx.opendir('d');
      ctx.unlink('d/a');
      handle.rewind();
      expectSet('left', handle.names(), ['b']);
    },
  },
];
