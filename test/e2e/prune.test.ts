import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Store } from '../../src/store/index.js';
import { holds } from '../helpers/other-process.js';
import { requires } from '../helpers/requires.js';
import { runCli, sandboxWithBase, SMALL_TREE } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

/** base; old:1 and a nameless image of long ago with labels; and a nameless image of now, which a container uses. */
function mixed(): Sandbox {
  const box = sandboxWithBase('prune');
  const make = (epoch: string | undefined, label: string, ...names: string[]): void => {
    const env = { VENEER_ROOT: box.root, ...(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: epoch }) };
    runCli(['import', '-c', `LABEL ${label}`, box.at('base.tar'), ...names], { env });
  };
  make('1000000000', 'keep=yes', 'old:1');
  make('1000000001', 'keep=no');
  make(undefined, 'used=yes');
  box.ok('create', '--name', 'work', box.ok('images', '-q', '-f', 'label=used'));
  return box;
}

describe.skipIf(gate.skip)(gate.title('veneer image prune'), () => {
  test('removes images without a name that no container uses', () => {
    using box = mixed();
    const old = box.ok('images', '-q', '--no-trunc', '-f', 'label=keep=no');
    expect(box.ok('image', 'prune', '--dry-run')).toContain(`deleted: ${old}`);
    expect(box.ok('images', '-q').split('\n')).toHaveLength(4);
    expect(box.ok('image', 'prune', '-f').split('\n')).toEqual([
      'Deleted Images:',
      `deleted: ${old}`,
      '',
      expect.stringMatching(/^Total reclaimed space: \d+B$/),
    ]);
    expect(box.ok('image', 'prune', '-f')).toBe('Total reclaimed space: 0B');
    box.check();
  });

  test('-a removes all that no container uses, filters keep some of them', () => {
    using box = mixed();
    const left = (): string => box.ok('images', '--format', '{{.Repository}}').replaceAll('\n', ' ');
    box.ok('image', 'prune', '-af', '--filter', 'label!=keep', '--filter', 'until=24h');
    expect(left()).toBe('<none> base <none> old');
    box.ok('image', 'prune', '-af', '--filter', 'label=keep=yes', '--filter', 'until=2001-01-01');
    expect(left()).toBe('<none> base <none> old');
    expect(box.ok('image', 'prune', '-af', '--filter', 'label=keep=yes', '--filter', 'until=24h')).toContain(
      'untagged: old:1',
    );
    expect(left()).toBe('<none> base <none>');
    box.ok('image', 'prune', '-af');
    expect(left()).toBe('<none>');
    box.check();
  });

  test('asks, and refuses', () => {
    using box = mixed();
    const { stderr } = runCli(['image', 'prune'], { env: { VENEER_ROOT: box.root }, input: 'no\n' });
    expect(stderr).toBe(
      'WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] Nothing was removed.\n',
    );
    expect(box.run('image', 'prune', '-a').stderr).toContain('all images without at least one container');
    expect(box.fails(2, 'image', 'prune', '-f', '--filter', 'dangling=true')).toContain("unknown filter 'dangling'");
    box.fails(2, 'image', 'prune', '-f', '--filter', 'until=soon');
    box.fails(2, 'image', 'prune', 'x');
  });
});

describe.skipIf(gate.skip)(gate.title('veneer container prune'), () => {
  test('removes containers that are not mounted', () => {
    using box = sandboxWithBase('prune');
    box.ok('create', '--name', 'kept', '-l', 'keep=1', 'base');
    const id = box.ok('create', '--name', 'gone', 'base');
    const upper = box.ok('inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'gone');
    writeFileSync(path.join(upper, 'new'), 'x'.repeat(1000));
    expect(box.ok('container', 'prune', '-f', '--filter', 'until=24h')).toBe('Total reclaimed space: 0B');
    expect(box.ok('container', 'prune', '-f', '--filter', 'label!=keep').split('\n')).toEqual([
      'Deleted Containers:',
      id,
      '',
      'Total reclaimed space: 1kB',
    ]);
    expect(box.run('container', 'prune').stderr).toMatch(/^WARNING! This will remove all containers that do not run/);
    expect(box.ok('ps', '-a', '--format', '{{.Names}}')).toBe('kept');
    box.fails(2, 'container', 'prune', 'kept');
    box.check();
  });

  test('leaves out what somebody else removes meanwhile', async () => {
    using box = sandboxWithBase('prune');
    const one = box.ok('create', 'base');
    box.ok('create', '--name', 'two', 'base');
    const store = Store.open(box.root);
    const record = store.containers.resolve('two');
    const lock = await store.containers.lock(record);
    const pruning = box.start(['container', 'prune', '-f']);
    const directory = store.containers.directory(record.id);
    await expect.poll(() => holds(pruning.child.pid!, directory)).toBe(true);
    await store.containers.remove(record.id);
    lock.release();
    store.close();
    expect(await pruning.ended).toMatchObject({ code: 0, stderr: '' });
    expect(pruning.output.stdout).toMatch(new RegExp(`^Deleted Containers:\n${one}\n\nTotal`));
    box.check();
  });
});

describe.skipIf(gate.skip)(gate.title('veneer rmi'), () => {
  test('takes digests and the start of IDs, and with force passes over what is not there', () => {
    using box = sandboxWithBase('rmi');
    const id = box.ok('images', '-q', '--no-trunc');
    expect(box.run('rmi', '-f', 'none')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('no such image: none') as unknown,
    });
    expect(box.ok('rmi', '--no-prune', id.slice(0, 20)).split('\n').slice(0, 2)).toEqual([
      'Untagged: base:latest',
      `Deleted: ${id}`,
    ]);
    box.fails(1, 'rmi', id);
    box.check();
  });

  test('scratch is the empty image, and no name to give', () => {
    using box = sandboxWithBase('scratch');
    box.ok('create', '--name', 'empty', 'scratch');
    expect(box.ok('images', '--format', '{{.Repository}}')).toBe('base');
    expect(box.ok('images', '-a', '--format', '{{.Repository}} {{.Size}}').split('\n')).toContain('<none> 0B');
    expect(box.fails(1, 'tag', 'base', 'scratch')).toContain("'scratch' is a reserved name");
    expect(box.fails(1, 'import', box.tar('t.tar', SMALL_TREE), 'scratch')).toContain('reserved');
  });
});
