import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { requires, runProgram } from '../helpers/requires.js';
import { CLI, runCli, sandboxWithBase } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer cp'), () => {
  test('copies out and in, mounted or not, and between containers', () => {
    using box = sandboxWithBase('cp');
    box.ok('create', '--name', 'one', 'base');
    box.ok('create', '--name', 'two', 'base');
    expect(box.ok('cp', 'one:/etc/hosts', 'here')).toBe('');
    expect(readFileSync(box.at('here'), 'utf8')).toBe('127.0.0.1 localhost\n');
    box.ok('cp', '-q', 'one:usr/share/doc', box.at('doc'));
    expect(readdirSync(box.at('doc'))).toEqual(['a', 'b']);
    writeFileSync(box.at('new'), 'new\n', { mode: 0o640 });
    execFileSync('chown', ['1000:1000', box.at('new')]);
    box.ok('cp', '-q', './new', 'one:/etc');
    box.ok('cp', '-qa', 'new', 'one:/etc/kept');
    expect(box.ok('diff', 'one').split('\n')).toEqual(['C /etc', 'A /etc/kept', 'A /etc/new']);
    expect(box.ok('ps', '-a', '--format', '{{.Names}} {{.Status}}')).toBe('two Created\none Created');

    const dir = box.ok('mount', 'one');
    expect(lstatSync(`${dir}/etc/new`)).toMatchObject({ uid: 0, gid: 0, mode: 0o100640 });
    expect(lstatSync(`${dir}/etc/kept`)).toMatchObject({ uid: 1000, gid: 1000, mode: 0o100640 });
    box.ok('container', 'cp', '-q', 'one:/etc', 'two:/copy');
    box.ok('cp', '-q', 'one:/etc/new', 'one:/tmp');
    expect(readFileSync(`${dir}/tmp/new`, 'utf8')).toBe('new\n');
    expect(box.ok('ps', '--format', '{{.Names}}')).toBe('one');
    box.ok('cp', '-qL', 'two:/bin', box.at('bin'));
    expect(readdirSync(box.at('bin'))).toEqual(['tool']);
    box.ok('umount', 'one');
    expect(box.ok('diff', 'two').split('\n')).toEqual([
      'A /copy',
      ...['hosts', 'kept', 'new', 'passwd'].map((name) => `A /copy/${name}`),
    ]);
    box.check();
  });

  test('speaks tar', () => {
    using box = sandboxWithBase('cp');
    box.ok('create', '--name', 'work', 'base');
    mkdirSync(box.at('src/sub'), { recursive: true });
    writeFileSync(box.at('src/sub/file'), 'file\n');
    execFileSync('sh', ['-euc', 'chown -R 1000:1001 src && ln -s file src/sub/link && tar -czf src.tgz src'], {
      cwd: box.dir,
    });
    const env = { VENEER_ROOT: box.root };
    const input = readFileSync(box.at('src.tgz'));
    expect(runCli(['cp', '-q', '-', 'work:/bin'], { env, input })).toEqual({ code: 0, stdout: '', stderr: '' });
    const listed = (path: string): string[] =>
      execFileSync('sh', ['-euc', `"$0" "$1" cp "$2" - | tar -tv --numeric-owner`, process.execPath, CLI, path], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      })
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +\d+ \S+ \S+ /, ' '));
    expect(listed('work:/usr/bin/src')).toEqual([
      'drwxr-xr-x 1000/1001 src/',
      'drwxr-xr-x 1000/1001 src/sub/',
      '-rw-r--r-- 1000/1001 src/sub/file',
      'lrwxrwxrwx 0/0 src/sub/link -> file',
    ]);
    expect(listed('work:/usr/bin/src/sub/.')).toEqual([
      'drwxr-xr-x 1000/1001 ./',
      '-rw-r--r-- 1000/1001 file',
      'lrwxrwxrwx 0/0 link -> file',
    ]);
    const damaged = runCli(['cp', '-', 'work:/tmp'], { env, input: input.subarray(0, 100) });
    expect(damaged).toMatchObject({ code: 1, stderr: expect.stringMatching(/^veneer: [^\n]+\n$/) as unknown });
    const evil = execFileSync('tar', ['-cP', '--transform=s,src,../../evil,', 'src'], { cwd: box.dir });
    expect(runCli(['cp', '-', 'work:/tmp'], { env, input: evil }).stderr).toContain("its path contains '..'");
    expect(box.ok('ps', '-q')).toBe('');
    box.check();
  });

  test('refuses', () => {
    using box = sandboxWithBase('cp');
    box.ok('create', '--name', 'work', 'base');
    expect(box.fails(2, 'cp', './work:x', 'b')).toContain('is not in a container');
    expect(box.fails(1, 'cp', 'none:/etc', '.')).toContain('no such container: none');
    expect(box.fails(1, 'cp', 'work:/none', '.')).toContain('no such file or directory: work:/none');
    expect(box.fails(1, 'cp', 'none', 'work:/')).toContain('no such file or directory: none');
    expect(box.fails(1, 'cp', 'base.tar', 'work:/none/x')).toContain('work:/none/x');
    expect(box.fails(1, 'cp', '-', 'work:/none')).toContain('work:/none');
    runProgram('mknod', [box.at('null'), 'c', '1', '3']);
    expect(box.fails(1, 'cp', 'work:/etc/hosts', 'null')).toContain('cannot copy over a device: null');
    expect(statSync(box.at('null')).isCharacterDevice()).toBe(true);
    expect(box.fails(1, 'cp', '-', 'work:/etc/hosts')).toContain('work:/etc/hosts');
    expect(box.ok('ps', '-q')).toBe('');
    box.check();
  });
});
