// Files that chattr made immutable or append-only in the upper directory, and the link count at its limit: what the file
// system below refuses is refused, by its errno, and leaves nothing behind.

import { linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { Ctx } from '../conformance/ctx.js';
import { O_APPEND, O_RDWR, O_TRUNC, O_WRONLY } from '../../src/sys/index.js';
import { backendGate, mountStaged } from '../helpers/backends.js';
import { runProgram } from '../helpers/requires.js';
import { Scenario } from '../helpers/scenario.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;
const EPERM = { err: 'EPERM' };
/** ext4's limit of links to one file, EXT4_LINK_MAX. */
const LINK_MAX = 65_000;

let scenario: Scenario;
let marked: string[] = [];
afterEach(() => {
  for (const path of marked) runProgram('chattr', ['-i', '-a', path]);
  marked = [];
  scenario.remove();
});

const markAt = (flag: 'i' | 'a', path: string): void => {
  runProgram('chattr', [`+${flag}`, path]);
  marked.push(path);
};

function mark(flag: 'i' | 'a', ...names: readonly string[]): void {
  for (const name of names) markAt(flag, `${scenario.staged.upper!}/${name}`);
}

const onCtx = (kind: 'kernel' | 'veneer', check: (ctx: Ctx) => void): Promise<void> =>
  scenario.on(kind, (root) => {
    const ctx = new Ctx(kind, root);
    try {
      check(ctx);
    } finally {
      ctx.closeAll();
    }
  });

const layers = {
  lower: [{ 'd/below': 'x', other: 'x', log: 'x', 'kept/file': 'x' }],
  upper: { f: 'content', 'd/f': 'content', 'd/sub/x': '' },
};

describe.skipIf(skip).each(['kernel', 'veneer'] as const)('on %s', (kind) => {
  test('an immutable file and directory are not changed', async () => {
    scenario = new Scenario('immutable', layers);
    mark('i', 'f', 'd');
    await onCtx(kind, (ctx) => {
      ctx.expectContent('f', 'content');
      for (const flags of [O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND]) ctx.touch('f', flags, EPERM);
      ctx.truncate('f', 0, EPERM);
      ctx.chmod('f', 0o600, EPERM);
      ctx.chown('f', 1, 1, EPERM);
      ctx.utimens('f', { atime: { sec: 1, nsec: 0 }, mtime: { sec: 1, nsec: 0 } }, EPERM);
      ctx.setxattr('f', 'user.k', 'v', EPERM);
      ctx.unlink('f', EPERM);
      ctx.rename('f', 'g', EPERM);
      ctx.link('f', 'g', EPERM);
      ctx.rename('other', 'f', EPERM);
      ctx.create('d/new', '', { err: ['EPERM', 'EACCES'] });
      ctx.mkdir('d/new', { err: ['EPERM', 'EACCES'] });
      ctx.unlink('d/f', EPERM);
      ctx.unlink('d/below', EPERM);
      ctx.rename('d/f', 'moved', EPERM);
      ctx.rename('d', 'moved', EPERM);
      ctx.chmod('d', 0o700, EPERM);
      ctx.expectList('', ['d', 'f', 'kept', 'log', 'other']);
      ctx.expectList('d', ['below', 'f', 'sub']);
    });
    // Nothing half-made.
    expect(readdirSync(`${scenario.staged.work}/work`)).toEqual([]);
  });

  test('an append-only file takes appends alone', async () => {
    scenario = new Scenario('append-only', layers);
    mark('a', 'f');
    await onCtx(kind, (ctx) => {
      ctx.append('f', '+');
      ctx.expectContent('f', 'content+');
      ctx.touch('f', O_WRONLY, EPERM);
      ctx.touch('f', O_WRONLY | O_APPEND | O_TRUNC, EPERM);
      ctx.truncate('f', 0, EPERM);
      ctx.unlink('f', EPERM);
      ctx.rename('f', 'g', EPERM);
      ctx.link('f', 'g', EPERM);
      ctx.chmod('f', 0o600, EPERM);
      ctx.expectContent('f', 'content+');
    });
  });

  const ours = kind === 'veneer' ? test : undefined;
  ours?.('an append-only file takes appends without passthrough, too', async () => {
    scenario = new Scenario('append-through-us', layers);
    mark('a', 'f');
    const mounted = await mountStaged('veneer', scenario.staged, { passthrough: 'off' });
    try {
      const ctx = new Ctx('veneer', mounted.root);
      const handle = ctx.open('f', O_RDWR | O_APPEND);
      handle.write('+');
      handle.write('+');
      handle.sync();
      expect(handle.content()).toBe('content++');
      handle.close();
      ctx.touch('f', O_RDWR, EPERM);
      ctx.expectContent('f', 'content++');
    } finally {
      await mounted.unmount();
    }
  });

  test('what a lower layer has marked is protected, until the mark is taken away above it', async () => {
    scenario = new Scenario('lower-marks', layers);
    const [lower] = scenario.staged.lowers;
    markAt('i', `${lower!}/other`);
    markAt('a', `${lower!}/log`);
    markAt('i', `${lower!}/kept`);
    await onCtx(kind, (ctx) => {
      ctx.touch('other', O_WRONLY, EPERM);
      ctx.chmod('other', 0o600, EPERM);
      ctx.unlink('other', EPERM);
      ctx.rename('other', 'new', EPERM);
      ctx.touch('log', O_WRONLY, EPERM);
      ctx.append('log', '+');
      ctx.touch('log', O_WRONLY, EPERM);
      ctx.create('kept/new', '', EPERM);
      ctx.unlink('kept/file', EPERM);
      ctx.append('kept/file', '+');
      ctx.create('kept/new', '', EPERM);
      runProgram('chattr', ['-i', ctx.path('other')]);
      ctx.append('other', '+');
      ctx.expectContent('other', 'x+');
    });
    expect(runProgram('lsattr', ['-d', `${scenario.staged.upper!}/kept`, `${scenario.staged.upper!}/log`])).not.toMatch(
      /^\S*[ia]\S* /m,
    );
    await onCtx(kind === 'kernel' ? 'veneer' : 'kernel', (ctx) => {
      ctx.append('other', '+');
      ctx.touch('log', O_WRONLY, EPERM);
      ctx.append('log', '+');
      ctx.expectContent('log', 'x++');
      ctx.create('kept/new', '', EPERM);
      runProgram('chattr', ['-i', ctx.path('kept')]);
      runProgram('chattr', ['-a', ctx.path('log')]);
      ctx.create('kept/new');
      ctx.unlink('log');
    });
  });

  test('a mark is honoured by whoever mounts next, and is no mark of the real file', async () => {
    scenario = new Scenario('marks', layers);
    await onCtx(kind, (ctx) => {
      for (const name of ['f', 'other', 'd']) runProgram('chattr', ['+i', ctx.path(name)]);
    });
    expect(runProgram('lsattr', [scenario.staged.upper!])).not.toMatch(/^\S*i\S* /m);
    for (const next of ['kernel', 'veneer'] as const) {
      await onCtx(next, (ctx) => {
        for (const name of ['f', 'other']) ctx.touch(name, O_WRONLY, EPERM);
        ctx.unlink('f', EPERM);
        ctx.create('d/new', '', EPERM);
      });
    }
    await onCtx(kind === 'kernel' ? 'veneer' : 'kernel', (ctx) => {
      for (const name of ['f', 'other', 'd']) runProgram('chattr', ['-i', ctx.path(name)]);
      ctx.append('f', '+');
      ctx.unlink('other');
      ctx.create('d/new');
    });
  });

  test('a real mark in the upper is told, and cannot be taken away through the mount', async () => {
    scenario = new Scenario('real-marks', layers);
    mark('i', 'f');
    await onCtx(kind, (ctx) => {
      expect(runProgram('lsattr', [ctx.path('f')])).toMatch(/^\S*i\S* /);
      expect(() => runProgram('chattr', ['-i', ctx.path('f')])).toThrow();
      expect(() => runProgram('chattr', ['+A', ctx.path('f')])).toThrow();
      ctx.touch('f', O_WRONLY, EPERM);
    });
  });

  test('a file with as many links as the file system below allows gets no more: EMLINK', async ({ skip: skipHere }) => {
    scenario = new Scenario('links', layers);
    const pool = `${scenario.temp.path}/pool`;
    mkdirSync(pool);
    const file = `${scenario.staged.upper!}/f`;
    try {
      for (let n = 1; n < LINK_MAX; n += 1) linkSync(file, `${pool}/${String(n)}`);
      try {
        linkSync(file, `${pool}/more`);
        skipHere('the file system of the temporary directory has another limit');
      } catch {
        // At the limit.
      }
      await onCtx(kind, (ctx) => {
        ctx.link('f', 'g', { err: 'EMLINK' });
        ctx.expectMissing('g');
        ctx.link('other', 'g');
      });
    } finally {
      rmSync(pool, { recursive: true });
    }
  });
});
