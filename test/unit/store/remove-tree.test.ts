import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, mkdirat, mount, openat, umount2 } from '../../../src/sys/index.js';
import { removeTree, removeTreeAside } from '../../../src/store/remove-tree.js';
import { codeOf, temporaryDirectory } from './fixture.js';

test('removes files, directories and symlinks, and nothing a symlink leads to', () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside', 'kept'), 'x');
  mkdirSync(join(root, 'tree', 'a', 'b'), { recursive: true });
  writeFileSync(join(root, 'tree', 'a', 'file'), 'x');
  symlinkSync('../../outside', join(root, 'tree', 'a', 'link'));
  symlinkSync('/etc', join(root, 'tree', 'etc'));
  removeTree(join(root, 'tree'));
  expect(existsSync(join(root, 'tree'))).toBe(false);
  expect(existsSync(join(root, 'outside', 'kept'))).toBe(true);
});

test('refuses a symlink in place of the tree', () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'outside'));
  symlinkSync('outside', join(root, 'link'));
  expect(codeOf(() => removeTree(join(root, 'link')))).toBe('ENOTDIR');
  expect(existsSync(join(root, 'outside'))).toBe(true);
});

test('removes a tree deeper than any path may be long', () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'tree'));
  let fd = openat(AT_FDCWD, join(root, 'tree'), O_RDONLY | O_DIRECTORY);
  for (let depth = 0; depth < 3000; depth += 1) {
    mkdirat(fd, 'deep', 0o755);
    mkdirat(fd, 'deep.1', 0o755);
    const child = openat(fd, 'deep', O_RDONLY | O_DIRECTORY);
    close(fd);
    fd = child;
  }
  close(fd);
  removeTree(join(root, 'tree'));
  expect(existsSync(join(root, 'tree'))).toBe(false);
});

test('removes directories without permissions and names that are not UTF-8', () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'tree', 'closed'), { recursive: true });
  writeFileSync(Buffer.concat([Buffer.from(join(root, 'tree', 'closed/')), Buffer.from([0xff, 0xfe])]), '');
  chmodSync(join(root, 'tree', 'closed'), 0);
  removeTree(join(root, 'tree'));
  expect(existsSync(join(root, 'tree'))).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)('refuses to go into a mounted file system', () => {
  const root = temporaryDirectory();
  const inner = join(root, 'tree', 'mounted');
  mkdirSync(inner, { recursive: true });
  expect(mount({ source: 'tmpfs', target: inner, type: 'tmpfs', flags: 0, data: '' })).toBe(0);
  onTestFinished(() => {
    umount2(inner);
  });
  writeFileSync(join(inner, 'kept'), 'x');
  expect(codeOf(() => removeTree(join(root, 'tree')))).toBe('in-use');
  expect(existsSync(join(inner, 'kept'))).toBe(true);
});

describe('by several threads', () => {
  /** From the first file on. */
  const AT_ONCE = -1;

  test('files at any depth go, and nothing a symlink leads to', async () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, 'outside'));
    writeFileSync(join(root, 'outside', 'kept'), 'x');
    const deep = join(root, 'tree', ...Array<string>(70).fill('d'));
    mkdirSync(deep, { recursive: true });
    for (let at = deep; at.length > root.length; at = dirname(at)) {
      for (let index = 0; index < 10; index += 1) writeFileSync(join(at, `file${String(index)}`), 'x');
      symlinkSync(join(root, 'outside'), join(at, 'link'));
    }
    mkdirSync(join(root, 'tree', 'closed'), { mode: 0 });
    await removeTreeAside(join(root, 'tree'), AT_ONCE);
    expect(readdirSync(root).filter((name) => !/^(?:file|link)/.test(name))).toEqual(['outside']);
    expect(existsSync(join(root, 'outside', 'kept'))).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)('what is mounted stays', async () => {
    const root = temporaryDirectory();
    const inner = join(root, 'tree', 'mounted');
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(root, 'tree', 'file'), '');
    expect(mount({ source: 'tmpfs', target: inner, type: 'tmpfs', flags: 0, data: '' })).toBe(0);
    onTestFinished(() => {
      umount2(inner);
    });
    writeFileSync(join(inner, 'kept'), 'x');
    await expect(removeTreeAside(join(root, 'tree'), AT_ONCE)).rejects.toMatchObject({ code: 'in-use' });
    expect(readdirSync(join(root, 'tree'))).toEqual(['mounted']);
    expect(existsSync(join(inner, 'kept'))).toBe(true);
  });

  test('a tree that is not there is an error', async () => {
    await expect(removeTreeAside(join(temporaryDirectory(), 'tree'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
