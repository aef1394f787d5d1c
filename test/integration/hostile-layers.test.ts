// Layers made or changed by somebody who wants the server to look, or write, where it should not: it never leaves the
// layers, never hangs, and answers with an errno.

import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { errno } from '../../src/core/index.js';
import {
  AT_FDCWD,
  S_IFCHR,
  S_IFIFO,
  encodeDev,
  linkat,
  mknodat,
  mount,
  must,
  openat,
  close,
  mkdirat,
  renameat2,
  setxattr,
} from '../../src/sys/index.js';
import { backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { Layers, Mounted, Staged } from '../helpers/backends.js';
import { alive } from '../helpers/death.js';
import { charDevice, dir, file, symlink } from '../helpers/layer-spec.js';
import { DOOR, runProgram } from '../helpers/requires.js';
import type { LayerNode } from '../helpers/layer-spec.js';
import { tempDir, withDeadline } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';
import { expectSameTree, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';

const gate = backendGate('veneer');
const DEADLINE = 20_000;

let temp: TempDir;
let outside: string;
let untouched: Tree;
afterEach(() => temp.remove());

/** Beside the layers lies what nobody may see through the mount, or change. */
function staging(layers: Layers): Staged {
  temp = tempDir('hostile');
  outside = path.join(temp.path, 'outside');
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'secret'), 'SECRET');
  writeFileSync(path.join(outside, 'f'), 'SECRET');
  mkdirSync(path.join(outside, 'hidden'));
  writeFileSync(path.join(outside, 'hidden/secret'), 'SECRET');
  untouched = snapshot(outside);
  const base = path.join(temp.path, 'layers');
  mkdirSync(base, { mode: 0o755 });
  return stage(base, layers, 'veneer');
}

/** Ends a test: the server is well, has not stumbled, and nothing outside was touched. */
async function expectUnharmed(mounted: Mounted): Promise<void> {
  expect(alive(mounted.pid!)).toBe(true);
  expectSameTree(untouched, snapshot(outside));
  await mounted.unmount();
  expect(loggedErrors(mounted.staged)).toEqual([]);
}

/** What a call throws, by its code; 'ok' if it does not. */
function answer(work: () => unknown): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}

/** Looks at everything below: names, attributes, contents. Returns all that was read. */
function readAll(at: string): string {
  let text = '';
  const names = answer(() => readdirSync(at)) === 'ok' ? readdirSync(at) : [];
  for (const name of names) {
    const below = path.join(at, name);
    const status = answer(() => lstatSync(below));
    if (status !== 'ok') continue;
    const stat = lstatSync(below);
    if (stat.isDirectory()) text += readAll(below);
    else if (stat.isFile()) answer(() => (text += readFileSync(below, 'latin1')));
  }
  return text;
}

describe.skipIf(gate.skip)('links that lead out', () => {
  test('are links, and not what they lead to', async () => {
    const staged = staging({
      lower: [{ 'x/own': 'own' }, { x: symlink('PLACEHOLDER') }, { 'x/deep': 'deep' }],
      upper: {},
    });
    rmSync(path.join(staged.lowers[1]!, 'x'));
    symlinkSync(outside, path.join(staged.lowers[1]!, 'x'));
    symlinkSync(outside, path.join(staged.lowers[2]!, 'y'));
    const mounted = await mountStaged('veneer', staged);
    expect(readdirSync(`${mounted.root}/x`)).toEqual(['own']);
    expect(answer(() => lstatSync(`${mounted.root}/x/secret`))).toBe('ENOENT');
    expect(readlinkSync(`${mounted.root}/y`)).toBe(outside);
    chownSync(`${mounted.root}/x/own`, 5, 5);
    renameSync(`${mounted.root}/y`, `${mounted.root}/x/y`);
    expect(readAll(mounted.root)).not.toContain('SECRET');
    await expectUnharmed(mounted);
  });
});

const READ = constants.O_RDONLY | constants.O_NONBLOCK;

const readFlagged = (at: string): string => {
  const fd = openSync(at, READ);
  try {
    return readFileSync(fd, 'latin1');
  } finally {
    closeSync(fd);
  }
};

/** Each is done on `f`, which was a file of the upper when the server last looked, and is a link that leads out. */
const ON_FILE: Readonly<Record<string, (at: string) => unknown>> = {
  read: (at) => expect(readFlagged(at)).not.toContain('SECRET'),
  // Without waiting: by then it is known as a fifo, whose user waits for the other end.
  append: (at) => closeSync(openSync(at, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK)),
  truncate: (at) => truncateSync(at, 1),
  chmod: (at) => chmodSync(at, 0o777),
  chown: (at) => chownSync(at, 5, 5),
  utimes: (at) => utimesSync(at, 1, 1),
  setxattr: (at) => setxattr(at, 'user.x', Buffer.from('v')),
  link: (at) => linkat({ dirfd: AT_FDCWD, name: at }, { dirfd: AT_FDCWD, name: `${at}2` }),
  rename: (at) => renameSync(at, `${at}3`),
  unlink: (at) => rmSync(at),
};

describe.skipIf(gate.skip)('a name swapped under the server', () => {
  for (const layer of ['upper', 'lower'] as const) {
    test.each(Object.entries(ON_FILE))(`a file of the ${layer} for a link that leads out: %s`, async (_, work) => {
      const spec = { 'd/f': 'a longer text' };
      const staged = staging(layer === 'upper' ? { lower: [{}], upper: spec } : { lower: [spec], upper: {} });
      const mounted = await mountStaged('veneer', staged);
      statSync(`${mounted.root}/d/f`);
      const real = path.join(layer === 'upper' ? staged.upper! : staged.lowers[0]!, 'd/f');
      rmSync(real);
      symlinkSync(path.join(outside, 'f'), real);
      withDeadline('on a swapped file', DEADLINE, () => answer(() => work(`${mounted.root}/d/f`)));
      await expectUnharmed(mounted);
    });

    test.each(Object.entries(ON_FILE))(`a file of the ${layer} for a fifo: %s`, async (name, work) => {
      const spec = { 'd/f': 'a longer text' };
      const staged = staging(layer === 'upper' ? { lower: [{}], upper: spec } : { lower: [spec], upper: {} });
      const mounted = await mountStaged('veneer', staged);
      statSync(`${mounted.root}/d/f`);
      const real = path.join(layer === 'upper' ? staged.upper! : staged.lowers[0]!, 'd/f');
      rmSync(real);
      must(mknodat(AT_FDCWD, real, S_IFIFO | 0o644, 0), 'mknod');
      withDeadline(`${name} on a fifo`, DEADLINE, () => answer(() => work(`${mounted.root}/d/f`)));
      expect(withDeadline('the others', DEADLINE, () => readdirSync(mounted.root))).toContain('d');
      await expectUnharmed(mounted);
    });
  }

  test('a directory for a link that leads out: everything in it', async () => {
    const staged = staging({ lower: [{ 'low/f': 'file', 'low/s/t': 't' }], upper: { 'up/f': 'file', 'up/s/t': 't' } });
    const mounted = await mountStaged('veneer', staged);
    for (const [layer, name] of [
      [staged.upper!, 'up'],
      [staged.lowers[0]!, 'low'],
    ] as const) {
      // Known, but not opened.
      statSync(`${mounted.root}/${name}`);
      renameSync(path.join(layer, name), path.join(layer, `${name}.moved`));
      symlinkSync(outside, path.join(layer, name));
      const at = `${mounted.root}/${name}`;
      withDeadline('in a swapped directory', DEADLINE, () => {
        for (const work of [
          () => expect(readdirSync(at)).not.toContain('secret'),
          () => expect(readFileSync(`${at}/secret`)).toBeUndefined(),
          () => writeFileSync(`${at}/new`, 'new'),
          () => mkdirSync(`${at}/newdir`),
          () => rmSync(`${at}/secret`),
          () => renameSync(`${at}/f`, `${at}/g`),
          () => chmodSync(`${at}/f`, 0o777),
          () => chmodSync(at, 0o777),
          () => chownSync(at, 5, 5),
          () => setxattr(at, 'user.x', Buffer.from('v')),
          () => rmSync(at, { recursive: true }),
        ]) {
          answer(work);
        }
      });
    }
    await expectUnharmed(mounted);
  });

  test('directories for links, over and over while the tree is walked and written', async () => {
    const DIRS = 150;
    const ROUNDS = 4;
    const spec = Object.fromEntries(Array.from({ length: DIRS }, (_, n) => [`d${String(n)}/f`, 'inside']));
    const staged = staging({ lower: [spec], upper: {} });
    for (const layer of [staged.lowers[0]!, staged.upper!]) {
      for (let n = 0; n < DIRS; n += 1) symlinkSync(outside, path.join(layer, `.link${String(n)}`));
    }
    const sys = path.resolve(path.dirname(DOOR), '../sys/index.js');
    const swap = `
      import { renameat2, openat } from ${JSON.stringify(sys)};
      const layers = ${JSON.stringify([staged.lowers[0], staged.upper])}.map((at) => openat(-100, at, 0));
      for (;;) for (let n = 0; n < ${String(DIRS)}; n += 1) for (const dirfd of layers)
        renameat2({ dirfd, name: 'd' + n }, { dirfd, name: '.link' + n }, 2);`;
    const racer = spawn(process.execPath, ['--input-type=module', '-e', swap], { stdio: 'ignore' });
    let read = '';
    let done = 0;
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const mounted = await mountStaged('veneer', staged);
        withDeadline('walking while others swap', DEADLINE, () => {
          for (let n = 0; n < DIRS; n += 1) {
            const at = `${mounted.root}/d${String(n)}`;
            // What is a link now is followed by ourselves: only real directories are walked.
            const known = answer(() => lstatSync(at)) === 'ok' && lstatSync(at).isDirectory();
            if (!known) continue;
            for (const work of [
              () => (read += readdirSync(at).join()),
              () => (read += readFileSync(`${at}/f`, 'latin1')),
              () => writeFileSync(`${at}/new${String(round)}`, 'new'),
              () => chmodSync(`${at}/f`, 0o600),
              () => renameSync(`${at}/f`, `${at}/g`),
            ]) {
              if (answer(work) === 'ok') done += 1;
            }
          }
        });
        await expectUnharmed(mounted);
      }
    } finally {
      racer.kill('SIGKILL');
      await sleep(50);
    }
    expect(read).not.toMatch(/SECRET|secret/);
    expect(done).toBeGreaterThan(20);
  });
});

describe.skipIf(gate.skip)('devices in layers', () => {
  const layers: Layers = { lower: [{ null: charDevice(1, 3), 'sub/null': charDevice(1, 3) }], upper: {} };

  test('work as devices', async () => {
    const mounted = await mountStaged('veneer', staging(layers));
    expect(readFileSync(`${mounted.root}/null`, 'latin1')).toBe('');
    await expectUnharmed(mounted);
  });

  test('are refused with nodev, made ones as well', async () => {
    const mounted = await mountStaged('veneer', staging(layers), { nodev: true });
    must(mknodat(AT_FDCWD, `${mounted.root}/made`, S_IFCHR | 0o666, encodeDev(1, 3)), 'mknod');
    for (const name of ['null', 'sub/null', 'made']) {
      expect(
        answer(() => readFileSync(`${mounted.root}/${name}`)),
        name,
      ).toBe('EACCES');
    }
    expect(lstatSync(`${mounted.root}/null`).rdev).toBe(encodeDev(1, 3));
    await expectUnharmed(mounted);
  });
});

/** Attributes no kernel writes, on names of which each has a twin further down. */
const MARKS: Readonly<Record<string, readonly [string, string | Buffer]>> = {
  'redirect up': ['redirect', '..'],
  'redirect out': ['redirect', '/../../outside'],
  'redirect relative out': ['redirect', '../../outside'],
  'redirect over a link': ['redirect', '/way/hidden'],
  'redirect relative over a link': ['redirect', 'way/hidden'],
  'redirect to a link': ['redirect', '/way'],
  'redirect to nothing': ['redirect', ''],
  'redirect to the root': ['redirect', '/'],
  'redirect of slashes': ['redirect', '//'.repeat(50)],
  'redirect with dots': ['redirect', '/./.'],
  'redirect very long': ['redirect', '/a'.repeat(1500)],
  'redirect with a long name': ['redirect', 'n'.repeat(3000)],
  'redirect with a zero': ['redirect', Buffer.from('a\0b')],
  'redirect to itself': ['redirect', '/redirect to itself'],
  'redirect to a device': ['redirect', '/dev'],
  'origin short': ['origin', Buffer.from([0])],
  'origin of another kind': ['origin', Buffer.alloc(200, 0xfb)],
  'origin that lies about its length': ['origin', Buffer.from([0, 0xfb, 255, 0, 1, ...Buffer.alloc(20)])],
  metacopy: ['metacopy', ''],
  'metacopy with a digest': ['metacopy', Buffer.alloc(100, 1)],
  opaque: ['opaque', 'y'],
  'opaque with another value': ['opaque', 'maybe'],
  'opaque long': ['opaque', 'y'.repeat(3000)],
  whiteout: ['whiteout', 'y'],
  nlink: ['nlink', 'L-99999999999999999999'],
  'nlink of nonsense': ['nlink', 'Ux'],
  impure: ['impure', Buffer.alloc(1000)],
};

describe.skipIf(gate.skip)('absurd attributes', () => {
  test.each(['trusted.overlay.', 'user.overlay.'])(
    '%s*: an errno or a file, never what is outside',
    async (namespace) => {
      const lower = Object.fromEntries(
        Object.keys(MARKS).flatMap((name): [string, LayerNode | string][] => [
          [`${name}/of the lower`, 'lower'],
          [`${name}.file`, file('lower content')],
        ]),
      );
      const top = Object.fromEntries(
        Object.entries(MARKS).flatMap(([name, [key, value]]): [string, LayerNode | string][] => [
          [name, dir({ xattrs: { [namespace + key]: value } })],
          [`${name}/of the top`, 'top'],
          [`${name}.file`, file('top content', { xattrs: { [namespace + key]: value } })],
        ]),
      );
      const staged = staging({ lower: [top, { ...lower, dev: charDevice(1, 3) }], upper: {} });
      symlinkSync(outside, path.join(staged.lowers[1]!, 'way'));
      const mounted = await mountStaged('veneer', staged);
      withDeadline('absurd attributes', DEADLINE, () => {
        // What cannot be looked up is listed, and does not stand in the way of the rest.
        expect(readdirSync(mounted.root)).toEqual(expect.arrayContaining([...Object.keys(MARKS), 'dev', 'way']));
        expect(answer(() => lstatSync(`${mounted.root}/redirect out`))).toMatch(/^E(INVAL|IO)$/);
        const text = readAll(mounted.root);
        expect(text).toContain('top content');
        expect(text).not.toContain('SECRET');
        for (const name of Object.keys(MARKS)) {
          const at = `${mounted.root}/${name}`;
          for (const work of [
            () => appendFileSync(`${at}.file`, 'x'),
            () => chmodSync(at, 0o700),
            () => writeFileSync(`${at}/new`, 'x'),
            () => renameSync(at, `${at}.renamed`),
            () => rmSync(`${at}.file`),
            () => rmSync(`${at}.renamed`, { recursive: true }),
          ]) {
            answer(work);
          }
        }
        expect(readAll(mounted.root)).not.toContain('SECRET');
      });
      await expectUnharmed(mounted);
    },
  );

  test('values of 64 KiB, a thousand names, and more than a list can tell', async () => {
    const staged = staging({ lower: [{}], upper: {} });
    // ext4 has no room for them.
    const call = { source: 'tmpfs', type: 'tmpfs', flags: 0, data: '' };
    must(mount({ ...call, target: staged.base }), 'mount');
    const roomy = stage(
      staged.base,
      { lower: [{ long: 'l', many: 'm', toomany: 't', 'd/f': 'f' }], upper: {} },
      'veneer',
    );
    const at = (name: string): string => path.join(roomy.lowers[0]!, name);
    must(setxattr(at('long'), 'trusted.long', Buffer.alloc(65536, 'v')), 'setxattr');
    must(setxattr(at('d'), 'trusted.overlay.redirect', Buffer.alloc(65536, '/d')), 'setxattr');
    for (let n = 0; n < 1000; n += 1)
      must(setxattr(at('many'), `trusted.name${String(n)}`, Buffer.from('v')), 'setxattr');
    for (let n = 0; n < 400; n += 1) {
      const name = `trusted.${'n'.repeat(200)}${String(n)}`;
      must(setxattr(at('toomany'), name, Buffer.from('v')), 'setxattr');
    }
    const mounted = await mountStaged('veneer', roomy);
    withDeadline('absurd attributes', DEADLINE, () => {
      chmodSync(`${mounted.root}/long`, 0o600);
      chmodSync(`${mounted.root}/many`, 0o600);
      expect(answer(() => chmodSync(`${mounted.root}/toomany`, 0o600))).toBe('E2BIG');
      expect(readFileSync(`${mounted.root}/toomany`, 'latin1')).toBe('t');
      answer(() => readdirSync(`${mounted.root}/d`));
    });
    expect(
      snapshot(roomy.upper!)
        .get('many')
        ?.xattrs?.match(/trusted\.name/g),
    ).toHaveLength(1000);
    expect(snapshot(roomy.upper!).get('long')?.xattrs).toContain('76'.repeat(65536));
    await expectUnharmed(mounted);
  });
});

describe.skipIf(gate.skip)('long names', () => {
  const NAME = 'n'.repeat(255);
  const DEPTH = 24;

  test('of 255 bytes, deeper than a path can tell', async () => {
    const staged = staging({ lower: [{}], upper: {} });
    // By fds: no path reaches the end.
    let dirfd = must(openat(AT_FDCWD, staged.lowers[0]!, 0), 'open');
    for (let n = 0; n < DEPTH; n += 1) {
      must(mkdirat(dirfd, NAME, 0o755), 'mkdir');
      const below = must(openat(dirfd, NAME, 0), 'open');
      close(dirfd);
      dirfd = below;
    }
    close(must(openat(dirfd, 'file', 0o101, 0o644), 'create'));
    close(dirfd);
    const mounted = await mountStaged('veneer', staged);
    withDeadline('deep', DEADLINE, () => {
      let fd = must(openat(AT_FDCWD, mounted.root, 0), 'open');
      const fds = [fd];
      for (let n = 0; n < DEPTH; n += 1) fds.push((fd = must(openat(fd, NAME, 0), 'open')));
      // Copied up with all that is above.
      close(must(openat(fd, 'file', 0o2001), 'append'));
      close(must(openat(fd, 'new', 0o101, 0o644), 'create'));
      const [deepest, above] = [fds.at(-1)!, fds.at(-2)!];
      must(mkdirat(deepest, 'sub', 0o755), 'mkdir');
      must(renameat2({ dirfd: deepest, name: 'sub' }, { dirfd: above, name: 'sub' }), 'rename');
      // Where its lower contents are does not fit into an attribute of every file system.
      const moved = renameat2({ dirfd: above, name: NAME }, { dirfd: fds[0]!, name: 'moved' });
      expect([0, -errno.ENAMETOOLONG, -errno.EXDEV, -errno.ENOSPC, -errno.E2BIG]).toContain(moved);
      for (const one of fds) close(one);
    });
    await expectUnharmed(mounted);
    runProgram('rm', ['-rf', staged.base]);
  });
});

describe.skipIf(gate.skip)('a layer directory', () => {
  const layers: Layers = { lower: [{ 'a/f': 'top' }, { 'a/g': 'low', 'b/c/h': 'low' }], upper: {} };

  test('that disappears: errors for what was in it, and the rest goes on', async () => {
    const staged = staging(layers);
    const mounted = await mountStaged('veneer', staged);
    statSync(`${mounted.root}/b/c/h`);
    rmSync(staged.lowers[1]!, { recursive: true });
    withDeadline('a layer has gone', DEADLINE, () => {
      expect(readFileSync(`${mounted.root}/a/f`, 'latin1')).toBe('top');
      expect(answer(() => readFileSync(`${mounted.root}/b/c/h`))).toMatch(/^E(NOENT|STALE|IO)$/);
      expect(answer(() => appendFileSync(`${mounted.root}/b/c/h`, 'x'))).toMatch(/^E(NOENT|STALE|IO)$/);
      // The directory itself is held open: its copy can still be made.
      expect(answer(() => writeFileSync(`${mounted.root}/b/c/new`, 'x'))).toMatch(/^(ok|E(NOENT|STALE|IO))$/);
      answer(() => readdirSync(`${mounted.root}/b`));
      writeFileSync(`${mounted.root}/new`, 'new');
      appendFileSync(`${mounted.root}/a/f`, ' more');
      expect(readFileSync(`${mounted.root}/a/f`, 'latin1')).toBe('top more');
    });
    await expectUnharmed(mounted);
  });

  test('that is replaced by a link: the mount keeps the one it opened', async () => {
    const staged = staging(layers);
    const mounted = await mountStaged('veneer', staged);
    for (const layer of [staged.lowers[1]!, staged.upper!, staged.work]) {
      renameSync(layer, `${layer}.moved`);
      symlinkSync(outside, layer);
    }
    withDeadline('layers were replaced', DEADLINE, () => {
      expect(readFileSync(`${mounted.root}/b/c/h`, 'latin1')).toBe('low');
      appendFileSync(`${mounted.root}/b/c/h`, ' more');
      rmSync(`${mounted.root}/a/g`);
      writeFileSync(`${mounted.root}/new`, 'new');
      expect(existsSync(`${mounted.root}/secret`)).toBe(false);
    });
    expect(readFileSync(`${staged.upper!}.moved/b/c/h`, 'latin1')).toBe('low more');
    await expectUnharmed(mounted);
  });
});
