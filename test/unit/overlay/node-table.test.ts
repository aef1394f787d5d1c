import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { FUSE_ROOT_ID } from '../../../src/fuse/index.js';
import { NodeTable } from '../../../src/overlay/node-table.js';
import { LayerDir, RealDir } from '../../../src/stack/index.js';
import { AT_FDCWD, O_PATH, S_IFREG, isCloseOnExec, openat } from '../../../src/sys/index.js';
import { tempDir } from '../../helpers/tmp.js';

const scratch = tempDir('node-table');
mkdirSync(`${scratch.path}/d`);
writeFileSync(`${scratch.path}/f`, '');
const layer = new LayerDir(scratch.path, 0);
const top = new RealDir(layer);
afterAll(() => {
  layer.close();
  scratch.remove();
});

const newTable = (): NodeTable => new NodeTable([top], undefined);
const isOpen = (fd: number): boolean => isCloseOnExec(fd) !== -errno.EBADF;

describe('a table of nodes', () => {
  test('has the root, which is never forgotten', () => {
    const table = newTable();
    expect(table.get(FUSE_ROOT_ID)).toBe(table.root);
    table.forget(FUSE_ROOT_ID, 1000);
    expect(table.get(FUSE_ROOT_ID)).toBe(table.root);
  });

  test('never gives a number twice', () => {
    const table = newTable();
    const ids = Array.from({ length: 100 }, () => {
      const { id } = table.newFile(S_IFREG);
      table.forget(id, 0);
      return id;
    });
    expect(new Set(ids).size).toBe(100);
    expect(table.size).toBe(1);
  });

  test('answers ESTALE and ENOTDIR', () => {
    const table = newTable();
    const file = table.newFile(S_IFREG);
    expect(() => table.get(999)).toThrow(expect.objectContaining({ code: 'ESTALE' }));
    expect(() => table.directory(file.id)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(table.directory(FUSE_ROOT_ID)).toBe(table.root);
  });
});

describe('FORGET', () => {
  test('ends a node with its last reference, and its name with it', () => {
    const table = newTable();
    const file = table.newFile(S_IFREG);
    table.attach(file, table.root, 'f');
    file.nlookup = 5;
    table.forget(file.id, 2);
    table.forget(file.id, 2);
    expect(table.root.children.get('f')).toBe(file);
    table.forget(file.id, 1);
    expect(table.root.children.size).toBe(0);
    expect(() => table.get(file.id)).toThrow();
    // Once more than there were: a kernel that counts wrong must not end another node.
    table.forget(file.id, 1);
  });

  test('leaves the node that has the name now', () => {
    const table = newTable();
    const [old, young] = [table.newFile(S_IFREG), table.newFile(S_IFREG)];
    old.nlookup = 1;
    table.attach(old, table.root, 'f');
    table.attach(young, table.root, 'f');
    table.forget(old.id, 1);
    expect(table.root.children.get('f')).toBe(young);
  });

  test('closes what a directory and a nameless file hold open', () => {
    const table = newTable();
    const part = top.child('d');
    const dir = table.newDirectory([part], undefined);
    table.attach(dir, table.root, 'd');
    const file = table.newFile(S_IFREG);
    file.pinned = openat(AT_FDCWD, `${scratch.path}/f`, O_PATH);
    const fds = [part.fd(), file.pinned];
    expect(fds.map(isOpen)).toEqual([true, true]);
    table.forget(dir.id, 1);
    table.forget(file.id, 1);
    expect(fds.map(isOpen)).toEqual([false, false]);
    expect(file.pinned).toBe(-1);
  });

  test('waits for open handles and for a copy-up', () => {
    const table = newTable();
    const file = table.newFile(S_IFREG);
    file.nlookup = 1;
    file.opens = 1;
    table.forget(file.id, 1);
    expect(table.get(file.id)).toBe(file);
    file.opens = 0;
    file.copying = Promise.resolve(0);
    table.settle(file);
    expect(table.get(file.id)).toBe(file);
    file.copying = undefined;
    table.settle(file);
    expect(() => table.get(file.id)).toThrow();
  });

  test('does not settle a node that was looked up again', () => {
    const table = newTable();
    const file = table.newFile(S_IFREG);
    file.nlookup = 1;
    table.settle(file);
    expect(table.get(file.id)).toBe(file);
  });
});

describe('names', () => {
  test('of a file are many, of a directory one', () => {
    const table = newTable();
    const dir = table.newDirectory([top.child('d')], undefined);
    const file = table.newFile(S_IFREG);
    table.attach(dir, table.root, 'd');
    for (const [parent, name] of [
      [table.root, 'a'],
      [dir, 'b'],
      [table.root, 'a'],
    ] as const) {
      table.attach(file, parent, name);
    }
    expect(file.names).toEqual([
      { parent: table.root, name: 'a' },
      { parent: dir, name: 'b' },
    ]);
    table.detach(file, table.root, 'a');
    expect(file.names).toEqual([{ parent: dir, name: 'b' }]);
    expect([...table.root.children.keys()]).toEqual(['d']);
    table.detach(dir, table.root, 'd');
    expect(dir.at).toBeUndefined();
  });
});

describe('hard links', () => {
  test('share a node until it ends or is split off', () => {
    const table = newTable();
    const [first, second] = [table.newFile(S_IFREG), table.newFile(S_IFREG)];
    table.shareLinks(first, 'key');
    expect(table.byLink('key')).toBe(first);
    table.shareLinks(second, 'key');
    table.unshareLinks(first);
    expect(table.byLink('key')).toBe(second);
    table.forget(second.id, 1);
    expect(table.byLink('key')).toBeUndefined();
  });
});

test('the end of the mount closes everything', () => {
  const table = newTable();
  const file = table.newFile(S_IFREG);
  file.pinned = openat(AT_FDCWD, `${scratch.path}/f`, O_PATH);
  const fd = file.pinned;
  table.close();
  expect([isOpen(fd), table.size]).toEqual([false, 0]);
});
