// Uppers that go back and forth between kernel overlayfs and veneer. (What each conformance check leaves goes both ways,
// too; here are longer stories.)

import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { MNT_DETACH, getxattr, umount2 } from '../../src/sys/index.js';
import { mountKernelOverlay } from '../helpers/kernel-overlay.js';
import { dir, file, link, opaque, symlink, whiteout } from '../helpers/layer-spec.js';
import { backendGate } from '../helpers/backends.js';
import { Scenario } from '../helpers/scenario.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;

let scenario: Scenario;
afterEach(() => scenario.remove());

const debianLike = [
  {
    'etc/passwd': 'root:x:0\n',
    'etc/new': 'top',
    'usr/share/doc/b': 'b2',
    'usr/bin/tool': file('new tool', { mode: 0o755 }),
    'var/cache': whiteout(),
  },
  {
    'etc/hosts': '127.0.0.1\n',
    'etc/alternatives/x': symlink('/usr/bin/tool'),
    'usr/share/doc/a': 'a',
    'usr/share/doc/b': 'b',
    'usr/share/man/man1/x.1': 'x',
    'usr/bin/tool': 'old tool',
    'usr/bin/tool-link': link('usr/bin/tool'),
    'usr/bin/su': file('su', { mode: 0o4755 }),
    'var/cache/apt/x': 'x',
    tmp: dir({ mode: 0o1777 }),
  },
];

const change = (root: string, round: number): void => {
  const tag = String(round);
  appendFileSync(`${root}/etc/hosts`, `line ${tag}\n`);
  writeFileSync(`${root}/etc/made-${tag}`, tag);
  mkdirSync(`${root}/opt/${tag}/deep`, { recursive: true });
  linkSync(`${root}/etc/made-${tag}`, `${root}/opt/${tag}/linked`);
  renameSync(
    round === 0 ? `${root}/usr/share/doc` : `${root}/usr/share/doc-${String(round - 1)}`,
    `${root}/usr/share/doc-${tag}`,
  );
  writeFileSync(`${root}/usr/share/doc-${tag}/in-${tag}`, tag);
  rmSync(`${root}/usr/share/man`, { recursive: true, force: true });
  mkdirSync(`${root}/usr/share/man/fresh-${tag}`, { recursive: true });
  chownSync(`${root}/usr/bin/su`, round + 1, round + 1);
  chmodSync(`${root}/tmp`, 0o1700 + round);
};

describe.skipIf(skip)('an upper that both write', () => {
  test.each([
    ['veneer first', ['veneer', 'kernel', 'veneer', 'kernel']],
    ['kernel first', ['kernel', 'veneer', 'kernel', 'veneer']],
  ] as const)('shows the same tree after every round, %s', async (_name, kinds) => {
    scenario = new Scenario('interop', { lower: debianLike, upper: {} });
    for (const [round, kind] of kinds.entries()) await scenario.step(kind, (root) => change(root, round));
  });

  test('has whiteouts and opaque marks of both', async () => {
    scenario = new Scenario('interop', {
      lower: [{ 'a/x': '', 'a/y': '', 'b/x': '', 'c/sub/x': '' }],
      upper: { 'a/x': whiteout(), b: opaque(), 'b/new': '' },
    });
    await scenario.step('veneer', (root) => {
      rmSync(`${root}/a/y`);
      rmSync(`${root}/b/new`);
      rmSync(`${root}/c`, { recursive: true });
      mkdirSync(`${root}/c/sub`, { recursive: true });
    });
    await scenario.step('kernel', (root) => {
      mkdirSync(`${root}/a/x`);
      rmSync(`${root}/c`, { recursive: true });
      writeFileSync(`${root}/c`, 'now a file');
    });
    await scenario.step('veneer', (root) => {
      rmSync(`${root}/c`);
      mkdirSync(`${root}/c`);
      rmSync(`${root}/a`, { recursive: true });
      mkdirSync(`${root}/a`);
    });
  });

  test('keeps hard links of lower files that either broke into', async () => {
    scenario = new Scenario('interop', { lower: [{ a: 'x', b: link('a'), 'd/c': link('a') }], upper: {} });
    await scenario.step('veneer', (root) => appendFileSync(`${root}/a`, 'veneer'));
    await scenario.step('kernel', (root) => appendFileSync(`${root}/b`, 'kernel'));
    const tree = await scenario.step('veneer', (root) => {
      linkSync(`${root}/d/c`, `${root}/d/e`);
      rmSync(`${root}/a`);
    });
    expect(tree.get('b')?.links).toMatch(/^3/);
  });
});

describe.skipIf(skip)('an upper on its own, as a layer', () => {
  // Whoever packs or stacks an upper does not know of the index: a name that was changed must be there itself.
  test.each(['veneer', 'kernel'] as const)('has every name through which %s changed a linked file', async (kind) => {
    scenario = new Scenario('interop-layer', {
      lower: [{ a: 'x', b: link('a'), 'd/c': link('a'), 'd/e': link('a'), untouched: link('a') }],
      upper: {},
    });
    const { staged } = scenario;
    await scenario.on(kind, (root) => {
      appendFileSync(`${root}/a`, '+a');
      appendFileSync(`${root}/b`, '+b');
      chmodSync(`${root}/d/c`, 0o600);
      chownSync(`${root}/d/e`, 5, 5);
    });
    const names = ['a', 'b', 'd/c', 'd/e'];
    expect(names.map((name) => readFileSync(`${staged.upper!}/${name}`, 'utf8'))).toEqual(names.map(() => 'x+a+b'));
    expect(new Set(names.map((name) => statSync(`${staged.upper!}/${name}`).ino)).size).toBe(1);
    // On the same mount again they are one file, the untouched one included.
    const tree = await scenario.step('veneer', (root) => appendFileSync(`${root}/untouched`, '+u'));
    expect(tree.get('b')).toMatchObject({ size: 7, mode: '0600', owner: '5:5', links: '5 same as a' });
  });
});

describe.skipIf(skip).each(['veneer', 'kernel'] as const)('hard links made in a lower layer later, on %s', (kind) => {
  test('between two mounts: the copy that was made before is another file', async () => {
    scenario = new Scenario('later-links', { lower: [{ a: 'x' }], upper: {} });
    const [lower] = scenario.staged.lowers;
    await scenario.on(kind, (root) => {
      appendFileSync(`${root}/a`, '+a');
      linkSync(`${root}/a`, `${root}/a2`);
    });
    linkSync(`${lower!}/a`, `${lower!}/b`);
    linkSync(`${lower!}/a`, `${lower!}/c`);
    await scenario.on(kind, (root) => linkSync(`${root}/b`, `${root}/b2`));
    await scenario.on(kind, (root) => {
      appendFileSync(`${root}/b2`, '+b');
      const seen = ['a', 'a2', 'b', 'b2', 'c'].map((name) => readFileSync(`${root}/${name}`, 'utf8'));
      expect(seen).toEqual(['x+a', 'x+a', 'x+b', 'x+b', 'x+b']);
      const numbers = ['a', 'a2', 'b', 'b2', 'c'].map((name) => statSync(`${root}/${name}`).ino);
      expect(new Set(numbers.slice(0, 2)).size).toBe(1);
      expect(new Set(numbers.slice(2)).size).toBe(1);
      expect(numbers[0]).not.toBe(numbers[2]);
    });
  });

  test('while it is mounted: the names that remain are links of the copy', async () => {
    scenario = new Scenario('later-links', { lower: [{ a: 'x', b: link('a') }], upper: {} });
    const [lower] = scenario.staged.lowers;
    await scenario.on(kind, (root) => {
      appendFileSync(`${root}/a`, '+');
      linkSync(`${lower!}/a`, `${lower!}/c`);
      linkSync(`${lower!}/a`, `${lower!}/d`);
      rmSync(`${root}/c`);
      rmSync(`${root}/d`);
      expect(statSync(`${root}/a`).nlink).toBeGreaterThan(0);
      linkSync(`${root}/a`, `${root}/e`);
    });
    await scenario.on(kind, (root) => {
      expect(readdirSync(root).sort()).toEqual(['a', 'b', 'e']);
      for (const name of ['a', 'b', 'e']) expect(readFileSync(`${root}/${name}`, 'utf8')).toBe('x+');
      expect(statSync(`${root}/e`).nlink).toBeGreaterThan(0);
    });
  });
});

describe.skipIf(skip)("the kernel's metacopy uppers", () => {
  test('are read, and written on', async () => {
    scenario = new Scenario('metacopy', {
      lower: [{ f: file('lower content', { mode: 0o644 }), 'd/g': 'g' }],
      upper: {},
    });
    const { staged } = scenario;
    const data = `lowerdir=${staged.lowers[0]!},upperdir=${staged.upper!},workdir=${staged.work},metacopy=on,redirect_dir=on,index=on`;
    mountKernelOverlay(staged.mountpoint, data);
    chownSync(`${staged.mountpoint}/f`, 5, 5);
    renameSync(`${staged.mountpoint}/f`, `${staged.mountpoint}/renamed`);
    chmodSync(`${staged.mountpoint}/d/g`, 0o600);
    renameSync(`${staged.mountpoint}/d`, `${staged.mountpoint}/e`);
    const expected = scenario.tree(staged.mountpoint);
    umount2(staged.mountpoint, MNT_DETACH);
    expect(getxattr(`${staged.upper!}/renamed`, 'trusted.overlay.metacopy')).toBeInstanceOf(Buffer);

    await scenario.on('veneer', (root) => expect([...scenario.tree(root)]).toEqual([...expected]));
    const tree = await scenario.on('veneer', (root) => {
      appendFileSync(`${root}/renamed`, '+more');
      appendFileSync(`${root}/e/g`, '+g');
      return scenario.tree(root);
    });
    expect(tree.get('renamed')).toMatchObject({ size: 18, owner: '5:5' });
    expect(tree.get('e/g')).toMatchObject({ size: 3, mode: '0600' });
    await scenario.on('kernel', (root) => expect([...scenario.tree(root)]).toEqual([...tree]));
    scenario.expectLowersUnchanged();
  });
});
