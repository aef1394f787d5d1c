import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseByGlobs, listLayerEntries, rewriteLayer, writeLayer } from '../../../src/layer/index.js';
import type { GlobChoice } from '../../../src/layer/index.js';
import { changed, made, shown } from './overlay-mount.js';
import { look, temporary } from './tree.js';

const LOWER = `
  umask 022; mkdir -p etc/sub usr/share/doc var/cache/apt var/log; echo root > etc/passwd; echo hosts > etc/hosts
  echo 1 > usr/share/doc/1; echo c > var/cache/apt/c; echo l > var/log/a.log
  find . -exec touch -h -d '2020-01-01 00:00:00.5' {} +
`;

async function rewritten(change: string, choice: GlobChoice) {
  const lower = made(LOWER);
  const { upper } = changed([lower], change);
  const target = temporary();
  const paths = await chooseByGlobs(choice);
  const layers = { upper: [upper], lower: [lower] };
  const applied = await rewriteLayer({ ...layers, target, onto: [lower], paths });
  const listed = listLayerEntries({ ...layers, paths }).map((it) => it.path);
  return { lower, target, applied, listed, seen: shown([target, lower]) };
}

const CHANGE = `
  echo x >> etc/hosts; echo p >> etc/passwd; rm usr/share/doc/1; mkdir -p new/deep var/cache/more; echo d > new/deep/d; echo n > new/n
  echo big > var/cache/apt/big; rm var/cache/apt/c; echo log > var/log/b.log; echo t > var/log/text; chmod 700 etc/sub; chmod 750 new
`;
const ALL = [
  'etc',
  'etc/hosts',
  'etc/passwd',
  'etc/sub',
  'new',
  'new/deep',
  'new/deep/d',
  'new/n',
  'usr',
  'usr/share',
  'usr/share/doc',
  'usr/share/doc/1',
  'var',
  'var/cache',
  'var/cache/apt',
  'var/cache/apt/big',
  'var/cache/apt/c',
  'var/cache/more',
  'var/log',
  'var/log/b.log',
  'var/log/text',
];

const below = (...names: string[]) =>
  ALL.filter((it) => names.some((name) => it === name || it.startsWith(`${name}/`)));
const without = (...names: string[]) => ALL.filter((it) => !names.includes(it));

const cases: Record<string, [GlobChoice, string[]]> = {
  'without patterns, all': [{}, ALL],
  'a directory with all in it': [{ exclude: ['var/cache'] }, without(...below('var/cache'))],
  'what is in a directory': [{ exclude: ['var/cache/**'] }, without(...below('var/cache'))],
  'slashes around a pattern': [{ exclude: ['/var/cache/'] }, without(...below('var/cache'))],
  'names at any depth': [{ exclude: ['**/*.log'] }, without('var/log/b.log')],
  'names at the root alone': [{ exclude: ['*.log', 'n*'] }, without(...below('new'))],
  'a deletion': [{ exclude: ['usr/share/doc/1'] }, without(...below('usr'))],
  'a deletion of a directory it covers': [{ exclude: ['usr'] }, without(...below('usr'))],
  'what is included of what is excluded, with the new directories it is in': [
    { exclude: ['new', 'etc'], include: ['new/deep/d', 'etc/hosts'] },
    without('etc', 'etc/passwd', 'etc/sub', 'new/n'),
  ],
  'only what is included': [{ include: ['etc/hosts', '**/deep'] }, ['etc/hosts', 'new', 'new/deep', 'new/deep/d']],
  'included directories': [
    { include: ['var/log', 'etc/sub'] },
    ['etc/sub', 'var/log', 'var/log/b.log', 'var/log/text'],
  ],
  'braces and classes': [{ include: ['{etc,usr}/**/[1h]*'] }, ['etc/hosts', 'usr/share/doc/1']],
  'nothing at all': [{ exclude: ['**'] }, []],
  'a leading exclamation mark is a character': [{ exclude: ['!etc'] }, ALL],
};

describe('rewriteLayer', () => {
  for (const [what, [choice, expected]] of Object.entries(cases)) {
    it(`takes in ${what}`, async () => {
      const { listed, applied, lower, seen } = await rewritten(CHANGE, choice);
      expect(listed).toEqual(expected);
      expect(applied.entries).toBe(expected.length);
      const before = look(lower);
      for (const [name, entry] of Object.entries(seen)) {
        if (!expected.includes(name)) expect([name, entry]).toEqual([name, before[name]]);
      }
      for (const name of Object.keys(before)) {
        if (!expected.includes(name)) expect(Object.keys(seen)).toContain(name);
      }
    });
  }

  it('puts a new directory where something else was, if it leads to what is asked for', async () => {
    const { seen } = await rewritten(
      'rm etc/hosts; mkdir -m 711 etc/hosts; echo a > etc/hosts/a; echo b > etc/hosts/b',
      {
        include: ['etc/hosts/a'],
      },
    );
    expect(seen['etc/hosts']).toMatchObject({ type: 'dir', mode: '711' });
    expect(seen['etc/hosts/a']).toMatchObject({ content: 'a\n' });
    expect(seen['etc/hosts/b']).toBeUndefined();
  });

  it('refuses patterns of nothing', async () => {
    for (const pattern of ['', '/', './', '.']) {
      await expect(chooseByGlobs({ exclude: [pattern] })).rejects.toMatchObject({ code: 'invalid' });
    }
  });

  it('makes one layer of a whole stack', async () => {
    const lower = made(LOWER);
    const { upper, seen } = changed(
      [lower],
      `${CHANGE} mv usr/share/doc usr/docs; chmod 600 etc/hosts; ln etc/hosts etc/h2`,
    );
    const target = temporary();
    await rewriteLayer({ now: [upper, lower], before: [], target, onto: [] });
    expect(look(target)).toEqual(seen);
  });

  it('dates what is later, and gives the same layer at any time', async () => {
    const make = async () => {
      const lower = made(LOWER);
      const { upper } = changed([lower], CHANGE);
      const target = temporary();
      const layers = { upper: [upper], lower: [lower], sourceDateEpoch: 1_600_000_000 };
      const { diffId } = await rewriteLayer({ ...layers, target, onto: [lower] });
      expect((await writeLayer(layers)).diffId).toBe(diffId);
      return { diffId, target };
    };
    const first = await make();
    expect((await make()).diffId).toBe(first.diffId);
    // Nobody sees the time of a whiteout.
    for (const { mtime, device } of Object.values(look(first.target))) {
      if (device === '0:0') continue;
      expect(Number(mtime)).toBeLessThanOrEqual(1_600_000_000);
    }
    expect(look(first.target)['new/n']?.mtime).toBe('1600000000.000000000');
  });

  it('tells the failure of either side, and leaves nothing open', async () => {
    const lower = made(LOWER);
    const { upper } = changed([lower], 'head -c 20000000 /dev/zero > big; head -c 20000000 /dev/zero > big2');
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    const layers = { upper: [upper], lower: [lower], onto: [lower] };
    await expect(rewriteLayer({ ...layers, target: path.join(upper, 'none') })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    const full = temporary();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', full]);
    try {
      await expect(rewriteLayer({ ...layers, target: full })).rejects.toThrow(/no space|ENOSPC/);
    } finally {
      execFileSync('umount', [full]);
    }
    const controller = new AbortController();
    const stopped = rewriteLayer({
      ...layers,
      target: temporary(),
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('stopped')),
    });
    await expect(stopped).rejects.toThrow('stopped');
    await expect(rewriteLayer({ ...layers, lower: ['/none'], target: temporary() })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(open()).toBe(before);
  });
});
