import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { runCli, sandboxWithBase } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer which'), () => {
  let box: Sandbox;
  let mounted: string;

  beforeAll(() => {
    box = sandboxWithBase('which');
    box.ok('create', '--name', 'one', 'base', 'make', 'hosts');
    const dir = box.ok('mount', 'one');
    appendFileSync(path.join(dir, 'etc/hosts'), '192.0.2.1 one\n');
    rmSync(path.join(dir, 'usr/share/doc/a'), { recursive: true });
    box.ok('umount', 'one');
    box.ok('commit', 'one', 'v2');
    box.ok('create', '--name', 'work', 'v2');
    mounted = box.ok('mount', 'work');
    writeFileSync(path.join(mounted, 'new'), 'x'.repeat(1500));
    rmSync(path.join(mounted, 'etc/passwd'));
  }, 60_000);
  afterAll(() => box[Symbol.dispose]());

  /** `layer status maker` for each line. */
  const which = (...args: string[]): string[] =>
    box.ok('which', '--format', '{{.Layer}} {{.Status}} {{.CreatedBy}}', ...args).split('\n');

  test('names the layer, what made it and what it hides, in images and containers', () => {
    expect(which('v2:/etc/hosts')).toEqual(['2 shown make hosts', '1 hidden Imported from base.tar']);
    expect(which('v2:latest:/etc/hosts')).toEqual(which('v2:etc/hosts'));
    expect(which('base:/etc/hosts')).toEqual(['1 shown Imported from base.tar']);
    expect(which('v2@1:/etc/hosts')).toEqual(['1 shown Imported from base.tar']);
    expect(which('work:/new')).toEqual(['container shown ']);
    expect(which('work:/usr/share/doc/a/README')).toEqual(['2 deleted make hosts', '1 hidden Imported from base.tar']);
    expect(which('one:/etc/hosts')[0]).toBe('2 shown make hosts');
  });

  test('finds the container or image of a mounted path, also of one that is gone', () => {
    expect(which(path.join(mounted, 'etc/hosts'))).toEqual(which('v2:/etc/hosts'));
    expect(which(path.join(mounted, 'etc/passwd'))).toEqual(['container deleted ', '1 hidden Imported from base.tar']);
    const env = { VENEER_ROOT: box.root };
    const inside = runCli(['which', '-q', '../usr/bin/tool', 'hosts'], { env, cwd: path.join(mounted, 'etc') });
    expect(inside).toEqual({ code: 0, stdout: '1\n2\n', stderr: '' });
    expect(which(path.join(mounted, 'bin/tool'))).toEqual(['1 shown Imported from base.tar']);
    mkdirSync(box.at('image'));
    box.ok('mount', 'v2', box.at('image'));
    expect(which('./image/etc/hosts')).toEqual(which('v2:/etc/hosts'));
    box.ok('umount', box.at('image'));
  });

  test('prints a table for people and objects for programs', () => {
    const [head, line] = box.ok('which', 'work:/new').split('\n');
    expect(head).toMatch(/^PATH +STATUS +LAYER +DIFF ID +SIZE +MODIFIED +CREATED BY$/);
    expect(line).toMatch(/^\/new +shown +container +1\.5kB +20\d\d-/);
    const [first] = box.ok('which', '--format', 'json', 'v2:/usr/share/doc/a/README').split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({
      Path: '/usr/share/doc/a/README',
      Status: 'deleted',
      Layer: '2',
      LayerPath: '/usr/share/doc/a',
      DiffID: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      ChainID: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      Size: '',
    });
  });

  test('should-fail: a path no layer has, and what is on no mount', () => {
    expect(box.fails(1, 'which', 'work:/none')).toContain("no layer has 'work:/none'");
    expect(box.fails(1, 'which', path.join(mounted, 'none/below'))).toContain('no layer has');
    expect(box.fails(1, 'which', '/etc')).toContain('is on no mounted container or image');
    expect(box.fails(1, 'which', 'none:/etc')).toContain('no such container, image or layer: none');
    expect(box.fails(1, 'which', 'hosts')).toContain('is on no mounted container or image');
    expect(box.fails(2, 'which')).toContain("missing required argument 'path'");
    const some = box.run('which', '-q', 'work:/none', 'work:/new');
    expect(some).toMatchObject({ code: 1, stdout: 'container\n' });
    const foreign = runCli(['which', mounted], { env: { VENEER_ROOT: box.at('other') } });
    expect(foreign.stderr).toContain('on a mount that is not of this store');
  });
});
