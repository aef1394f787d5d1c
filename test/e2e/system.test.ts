import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { runCli, sandbox, sandboxWithBase } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer system'), () => {
  test('check finds a store in order, and says so on stderr only', () => {
    using box = sandboxWithBase('system');
    const { code, stdout, stderr } = box.run('system', 'check');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'The store is in order.\n' });
    expect(box.ok('system', 'check', '-q')).toBe('');
  });

  test('check names what is missing, with exit code 1', () => {
    using box = sandboxWithBase('system');
    const blobs = path.join(box.root, 'blobs/sha256');
    const [blob = ''] = readdirSync(blobs);
    rmSync(path.join(blobs, blob));
    const { code, stdout } = box.run('system', 'check', '--format', 'json');
    expect(code).toBe(1);
    expect(stdout).toContain(blob);
    expect(box.run('system', 'check').stdout).toMatch(/^KIND +OBJECT +WHAT IS WRONG\n/);
  });

  test('check --deep reads what is there', () => {
    using box = sandboxWithBase('system');
    expect(box.run('system', 'check', '--deep')).toEqual({ code: 0, stdout: '', stderr: 'The store is in order.\n' });
    const lower = box.ok('inspect', '-f', '{{.GraphDriver.Data.LowerDir}}', 'base');
    writeFileSync(path.join(lower, 'etc/hosts'), '127.0.0.1 localhosT\n');
    box.check();
    const { code, stdout } = box.run('system', 'check', '--deep', '--format', '{{.Kind}} {{.Object}}');
    const [layer = ''] = readdirSync(path.join(box.root, 'layers'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: `layer-damaged sha256:${layer.replace('sha256:', '')}\n` });
  });

  test('check --repair makes it work again, and says what is lost', () => {
    using box = sandboxWithBase('system');
    box.ok('import', box.tar('other.tar', { other: 'o' }), 'other');
    const id = box.ok('images', '-q', '--no-trunc', 'other').slice('sha256:'.length);
    rmSync(path.join(box.root, 'blobs/sha256', id));
    mkdirSync(path.join(box.root, 'staging', 'leftover'));
    const { code, stdout, stderr } = box.run('system', 'check', '--repair');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'The store is in order again.\n' });
    expect(stdout).toMatch(
      new RegExp(`^LOST +OBJECT +WHAT\\nimage +sha256:${id} +image .* \\(other:latest\\) is forgotten: `),
    );
    expect(stdout).toMatch(/^Deleted staging: leftover$/m);
    box.check();
    expect(box.ok('images', '--format', '{{.Repository}}')).toBe('base');
    expect(box.run('system', 'check', '--repair')).toEqual({ code: 0, stdout: '', stderr: 'The store is in order.\n' });
  });

  test('what cannot be repaired because a container needs it is named, with exit code 1', () => {
    using box = sandboxWithBase('system');
    box.ok('create', 'base');
    const id = box.ok('images', '-q', '--no-trunc').slice('sha256:'.length);
    rmSync(path.join(box.root, 'blobs/sha256', id));
    const { code, stdout } = box.run('system', 'check', '--repair');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^KIND +OBJECT +WHAT IS WRONG\nblob-missing /);
    expect(box.ok('ps', '-aq')).toMatch(/^[0-9a-f]{12}$/);
  });

  test('prune removes leftovers and images without a name, and only those', () => {
    using box = sandboxWithBase('system');
    const leftover = path.join(box.root, 'staging', 'leftover');
    mkdirSync(leftover);
    writeFileSync(path.join(leftover, 'file'), 'x');
    box.ok('import', box.tar('other.tar', { other: 'other' }));
    const dangling = box.ok('images', '-q', '--no-trunc', '-f', 'dangling=true');
    expect(box.ok('system', 'prune', '-f').split('\n')).toEqual([
      'Deleted Images:',
      `deleted: ${dangling}`,
      expect.stringMatching(/^deleted: sha256:/),
      '',
      'Deleted Leftovers:',
      'staging: leftover',
      '',
      expect.stringMatching(/^Total reclaimed space: \d+B$/),
    ]);
    expect(readdirSync(path.join(box.root, 'staging'))).toEqual([]);
    expect(box.ok('system', 'prune', '-f')).toBe('Total reclaimed space: 0B');
    expect(box.ok('images', '--format', '{{.Repository}}')).toBe('base');
    box.ok('create', 'base');
    expect(box.ok('system', 'prune', '-af')).toBe('Total reclaimed space: 0B');
    expect(box.ok('ps', '-aq')).not.toBe('');
    box.check();
  });

  test('prune asks', () => {
    using box = sandboxWithBase('system');
    const prune = (input: string, ...args: string[]) =>
      runCli(['system', 'prune', ...args], { env: { VENEER_ROOT: box.root }, input });
    expect(prune('n\n', '-a', '--filter', 'until=24h')).toEqual({
      code: 0,
      stdout: '',
      stderr: `WARNING! This will remove:
  - leftovers of commands that were interrupted
  - all images without at least one container associated to them

  Images will be filtered with:
  - until=24h

Are you sure you want to continue? [y/N] Nothing was removed.
`,
    });
    const { code, stderr } = prune('');
    expect(code).toBe(2);
    expect(stderr).toMatch(/\nveneer: not confirmed: .*\n {2}hint: .*--force\n$/);
    expect(prune('y\n', '-a').stdout).toContain('untagged: base:latest');
    box.check();
  });

  test('df counts as docker does', () => {
    using box = sandboxWithBase('system');
    box.ok('import', '-c', 'LABEL a=b', box.at('base.tar'), 'twin');
    box.ok('create', '--name', 'work', '-v', 'data:/data', 'base');
    box.ok('volume', 'create', 'free');
    for (const [name, text] of [
      ['data', '12'],
      ['free', '123'],
    ] as const) {
      writeFileSync(path.join(box.root, 'volumes', name, '_data/file'), text);
    }
    const upper = box.ok('inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'work');
    writeFileSync(path.join(upper, 'new'), 'x'.repeat(1000));
    const size = box.ok('inspect', '-f', '{{.Size}}', 'base');
    const [head, images, containers, volumes, blobs, ...rest] = box.ok('system', 'df').split('\n');
    expect(head).toMatch(/^TYPE {2,}TOTAL {2,}ACTIVE {2,}SIZE {2,}RECLAIMABLE$/);
    expect(images).toMatch(new RegExp(`^Images +2 +1 +${size}B +0B \\(0%\\)$`));
    expect(containers).toMatch(/^Containers +1 +0 +1kB +1kB \(100%\)$/);
    expect(volumes).toMatch(/^Local Volumes +2 +1 +5B +3B \(60%\)$/);
    expect(blobs).toMatch(/^Blobs +2 +1 /);
    expect(rest).toEqual([]);
    const verbose = box.ok('system', 'df', '-v');
    expect(verbose).toMatch(
      /^Images space usage:\n\nREPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS\n/,
    );
    expect(verbose).toMatch(
      /\nContainers space usage:\n\nCONTAINER ID +IMAGE +COMMAND +LOCAL VOLUMES +SIZE +CREATED +STATUS +NAMES\n/,
    );
    expect(verbose).toMatch(/\nLocal Volumes space usage:\n\nVOLUME NAME +LINKS +SIZE\ndata +1 +2B\nfree +0 +3B\n/);
    expect(verbose).toMatch(new RegExp(`^base +latest .* ${size}B +${size}B +0B +1$`, 'm'));
    expect(JSON.parse(box.ok('system', 'df', '-v', '--format', 'json'))).toMatchObject({
      Images: [{}, {}],
      Containers: [{ Names: 'work', Size: '1kB', LocalVolumes: '1' }],
      Volumes: [{ Name: 'data', Links: '1' }, {}],
    });
    expect(box.ok('system', 'df', '--format', '{{.Type}}={{.TotalCount}}')).toBe(
      'Images=2\nContainers=1\nLocal Volumes=2\nBlobs=2',
    );
    expect(box.ok('inspect', '-s', '-f', '{{.SizeRw}}', 'work')).toBe('1000');
  });

  test('refuses', () => {
    using box = sandbox('system');
    box.fails(2, 'system', 'chekc');
    box.fails(2, 'system', 'check', 'x');
    box.fails(2, 'system', 'prune', 'x');
    box.fails(2, 'system', 'prune', '-f', '--filter', 'dangling=true');
    box.fails(2, 'system', 'prune', '-f', '--filter', 'until=yesterday');
    box.fails(2, 'system', 'df', '--format', '{{.Nope}}');
    box.fails(2, 'system', 'df', 'x');
  });
});

describe.skipIf(gate.skip)(gate.title('the store'), () => {
  test('is the one of --root, before or after the command, else of VENEER_ROOT', () => {
    using box = sandboxWithBase('root');
    const other = box.at('other');
    const env = { VENEER_ROOT: box.root };
    expect(runCli(['images', '-q'], { env }).stdout).not.toBe('');
    expect(runCli(['--root', other, 'images', '-q'], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(runCli(['images', '-q', '--root', other], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readdirSync(other)).toContain('veneer.db');
  });

  test('in a place that cannot be is one line', () => {
    using box = sandbox('root');
    writeFileSync(box.at('file'), '');
    expect(box.fails(1, '--root', box.at('file'), 'images')).toContain(box.at('file'));
    expect(box.fails(1, '--root', box.at('file/below'), 'images')).toContain(box.at('file'));
  });
});
