// A container's file system kept, taken back and branched off, be it mounted or not.

import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectSameTree, snapshot, withoutTimes } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { fixture, needs, serverOf } from './container-fixture.js';
import type { Fixture } from './container-fixture.js';

describe.skipIf(needs.skip)('a container', () => {
  let box: Fixture;
  let number = 0;
  beforeAll(async () => {
    box = await fixture();
  });
  afterAll(() => {
    box[Symbol.dispose]();
  });

  const create = (): string => {
    number += 1;
    return box.api.createContainer(box.store, { image: 'base', name: `box${String(number)}` }).name;
  };
  const remove = (...names: string[]): Promise<unknown> =>
    Promise.all(names.map((name) => box.api.removeContainer(box.store, name, { force: true })));
  const mounted = async (name: string): Promise<string> => (await box.api.mountContainer(box.store, name)).mountpoint;
  const expectNothingLeft = (): void => {
    expect(box.store.check()).toEqual([]);
    expect(readdirSync(path.join(box.store.root, 'frozen'))).toEqual([]);
  };

  /** Mounts it for a moment, if it is not. */
  async function look<T>(name: string, at: (root: string) => T): Promise<T> {
    const wasMounted = box.store.containers.resolve(name).mountpoint !== undefined;
    const root = await mounted(name);
    try {
      return at(root);
    } finally {
      if (!wasMounted) await box.api.unmount(box.store, name);
    }
  }
  const treeOf = (name: string): Promise<Tree> => look(name, (root) => withoutTimes(snapshot(root), ['dir']));

  const change = (root: string, step: string): void => {
    writeFileSync(path.join(root, `new-${step}`), step);
    appendFileSync(path.join(root, 'etc/passwd'), `${step}\n`);
    appendFileSync(path.join(root, 'usr/lib/big'), step);
    rmSync(path.join(root, `usr/share/doc/a/${step}`));
  };

  test.each([true, false])(
    'goes back to any of its snapshots, and to what it was before (mounted: %s)',
    async (isMounted) => {
      const name = create();
      const trees: Tree[] = [await treeOf(name)];
      for (const step of ['1', '2', '3']) {
        if (isMounted) await mounted(name);
        await box.api.snapshotContainer(box.store, name, { name: `at-${step}` });
        await look(name, (root) => {
          change(root, step);
        });
        trees.push(await treeOf(name));
      }
      if (isMounted) await box.api.unmount(box.store, name);
      expectSameTree(trees[3]!, await treeOf(name));
      const { kept } = await box.api.rollbackContainer(box.store, name, 'at-2');
      expect(kept).toBe('before-rollback-1');
      expectSameTree(trees[1]!, await treeOf(name));
      await box.api.rollbackContainer(box.store, name, 'at-1');
      expectSameTree(trees[0]!, await treeOf(name));
      await box.api.rollbackContainer(box.store, name, 'before-rollback-1', { keep: false });
      expectSameTree(trees[3]!, await treeOf(name));
      const listed = box.api.listSnapshots(box.store, name);
      expect(listed.map((one) => [one.name, one.isCurrent])).toEqual([
        ['at-1', false],
        ['at-2', false],
        ['at-3', false],
        ['before-rollback-1', true],
      ]);
      for (const one of listed) await box.api.removeSnapshot(box.store, name, one.name);
      expectSameTree(trees[3]!, await treeOf(name));
      expect(box.store.check()).toEqual([]);
      await remove(name);
      expectNothingLeft();
    },
  );

  test('goes on while it is kept: open files, and what is written to them afterwards, are its own', async () => {
    const name = create();
    const root = await mounted(name);
    const fd = openSync(path.join(root, 'log'), 'a');
    writeSync(fd, 'one\n');
    await box.api.snapshotContainer(box.store, name, { name: 's' });
    writeSync(fd, 'two\n');
    expect(readFileSync(path.join(root, 'log'), 'utf8')).toBe('one\ntwo\n');
    const branch = await box.api.branchContainer(box.store, name, { snapshot: 's' });
    writeSync(fd, 'three\n');
    expect(await look(branch.name, (at) => readFileSync(path.join(at, 'log'), 'utf8'))).toBe('one\n');
    const now = await box.api.branchContainer(box.store, name, { name: 'now' });
    closeSync(fd);
    expect(await look(now.name, (at) => readFileSync(path.join(at, 'log'), 'utf8'))).toBe('one\ntwo\nthree\n');
    await remove(name, branch.name, now.name);
    expectNothingLeft();
  });

  test('that is branched off shares its data, also when it is gone', async () => {
    const name = create();
    await look(name, (root) => {
      change(root, '1');
    });
    const before = await treeOf(name);
    const { name: other } = await box.api.branchContainer(box.store, name, { name: 'other' });
    await look(other, (root) => {
      change(root, '2');
    });
    expectSameTree(before, await treeOf(name));
    const branched = await treeOf(other);
    await remove(name);
    expectSameTree(branched, await treeOf(other));
    expect(box.store.check()).toEqual([]);
    await remove(other);
    expectNothingLeft();
  });

  test('is committed with what was kept in between as one layer', async () => {
    const name = create();
    await look(name, (root) => {
      writeFileSync(path.join(root, 'secret'), 'x');
    });
    await box.api.snapshotContainer(box.store, name);
    await look(name, (root) => {
      rmSync(path.join(root, 'secret'));
      change(root, '1');
    });
    const tree = await treeOf(name);
    const image = await box.api.commitContainer(box.store, name);
    expect(image.layers).toHaveLength(box.image.layers.length + 1);
    const top = box.store.layers.path(image.layers.at(-1)!);
    expect(readdirSync(top).sort()).toEqual(['etc', 'new-1', 'usr']);
    const made = box.api.createContainer(box.store, { image: image.id, name: 'made' });
    expectSameTree(tree, await treeOf(made.name));
    const changes = [];
    for await (const { path: at } of box.api.diffContainer(box.store, name)) changes.push(at);
    expect(changes).toContain('new-1');
    expect(changes).not.toContain('secret');
    await remove(name, made.name);
    box.store.images.remove(image.id);
    expectNothingLeft();
  });

  test('is committed while it is mounted: its directory is the layer, and it goes on', async () => {
    const name = create();
    const root = await mounted(name);
    const fd = openSync(path.join(root, 'log'), 'a');
    writeSync(fd, 'one\n');
    change(root, '1');
    const inode = snapshot(root);
    const image = await box.api.commitContainer(box.store, name);
    writeSync(fd, 'two\n');
    closeSync(fd);
    change(root, '2');
    expect([...inode.keys()].length).toBeGreaterThan(0);
    const top = box.store.layers.path(image.layers.at(-1)!);
    expect(readFileSync(path.join(top, 'log'), 'utf8')).toBe('one\n');
    expect(existsSync(path.join(top, 'new-2'))).toBe(false);
    expect(box.store.containers.resolve(name)).toMatchObject({ committed: [{}], frozen: [] });
    const second = await box.api.commitContainer(box.store, name);
    expect(second.layers).toHaveLength(image.layers.length + 1);
    await remove(name);
    box.store.images.remove(image.id);
    box.store.images.remove(second.id);
    expectNothingLeft();
  });

  test.each([true, false])('is whole after the death of who keeps its state (it was moved: %s)', async (wasMoved) => {
    const name = create();
    const root = await mounted(name);
    change(root, '1');
    const before = await treeOf(name);
    const { id } = box.store.containers.resolve(name);
    const to = box.store.frozen.begin(id, 's');
    if (wasMoved) await box.api.freezeOverlay(root, { frozen: to });
    expect(box.store.check().map(({ kind }) => kind)).toEqual(['container-unfinished']);
    // The next command takes over.
    (await box.store.containers.lock(box.store.containers.resolve(name))).release();
    expect(box.store.check()).toEqual([]);
    expect(box.store.frozen.snapshots(id)).toHaveLength(wasMoved ? 1 : 0);
    // A server that is still about to do it cannot any more.
    if (!wasMoved) await expect(box.api.freezeOverlay(root, { frozen: to })).rejects.toThrow(/ENOENT/);
    expectSameTree(before, await treeOf(name));
    await box.api.unmount(box.store, name);
    expectSameTree(before, await treeOf(name));
    await remove(name);
    expectNothingLeft();
  });

  test('is whole after the death of its server at any moment of that', async () => {
    const name = create();
    await look(name, (root) => {
      linkSync(path.join(root, 'usr/share/doc/b/1'), path.join(root, 'usr/share/doc/b/linked'));
    });
    let kept = 0;
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const root = await mounted(name);
      writeFileSync(path.join(root, `file-${String(attempt)}`), 'x'.repeat(100_000));
      const fds = ['log', 'usr/share/doc/b/linked', 'etc/passwd'].map((file) => openSync(path.join(root, file), 'a'));
      for (const fd of fds) writeSync(fd, 'more\n');
      const before = await treeOf(name);
      const server = serverOf(root);
      const done = box.api.snapshotContainer(box.store, name).then(
        () => (kept += 1),
        () => undefined,
      );
      // A freeze takes some milliseconds from here.
      await sleep(attempt * 2);
      process.kill(server, 'SIGKILL');
      await done;
      for (const fd of fds) closeSync(fd);
      expectSameTree(before, await treeOf(name));
      const { id } = box.store.containers.resolve(name);
      expect(box.store.frozen.snapshots(id)).toHaveLength(kept);
      expect(box.store.check()).toEqual([]);
    }
    await remove(name);
    expectNothingLeft();
  });

  test('should-fail: what cannot be is said before anything is done', async () => {
    const name = create();
    await box.api.snapshotContainer(box.store, name, { name: 's' });
    await expect(box.api.snapshotContainer(box.store, name, { name: 's' })).rejects.toMatchObject({
      code: 'already-exists',
    });
    await expect(box.api.snapshotContainer(box.store, name, { name: 'a/b' })).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(box.api.rollbackContainer(box.store, name, 'none')).rejects.toMatchObject({ code: 'not-found' });
    await expect(box.api.branchContainer(box.store, name, { name })).rejects.toMatchObject({ code: 'already-exists' });
    await expect(box.api.branchContainer(box.store, name, { snapshot: 'none' })).rejects.toMatchObject({
      code: 'not-found',
    });
    await mounted(name);
    await expect(box.api.rollbackContainer(box.store, name, 's')).rejects.toMatchObject({ code: 'in-use' });
    await remove(name);
    expectNothingLeft();
  });
});
