// Volumes, binds and other mounts of containers, in what is done with containers.

import { lstatSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires, runProgram } from '../helpers/requires.js';

const needs = requires('root', 'fuse', 'containers', 'busybox', 'build');

interface Mount {
  readonly Destination: string;
  readonly Name: string;
  readonly Source: string;
}

describe.skipIf(needs.skip)(needs.title('the volumes of a container'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('volumes');
  });
  afterEach(() => {
    box.empty();
    box.ok('volume', 'prune', '-a', '-f');
  });
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  const mountsOf = (name: string): Record<string, Mount> =>
    Object.fromEntries(
      (JSON.parse(box.ok('inspect', '-f', '{{json .Mounts}}', name)) as Mount[]).map((one) => [one.Destination, one]),
    );
  const plain = ['--network', 'none'];

  test('and their mount points are made as docker makes them', () => {
    writeFileSync(path.join(box.dir, 'file'), 'bound');
    const options = ['-v', '/deep/volume', '--tmpfs', '/memory', '-v', `${box.dir}/file:/etc/bound`];
    box.ok('run', '--name', 'web', ...plain, ...options, 'box', 'touch', '/deep/volume/x', '/memory/x');
    expect(box.ok('diff', 'web').split('\n')).toEqual([
      'A /deep',
      'A /deep/volume',
      'C /etc',
      'A /etc/bound',
      'A /memory',
    ]);
    const root = box.ok('mount', 'web');
    const modes = ['deep', 'deep/volume', 'memory', 'etc/bound'].map(
      (name) => statSync(path.join(root, name)).mode & 0o7777,
    );
    expect(modes).toEqual([0o755, 0o755, 0o755, 0o755]);
    expect(readFileSync(path.join(root, 'etc/bound'), 'utf8')).toBe('');
    box.ok('umount', 'web');
  });

  describe('are seen by cp', () => {
    test('in a container that does not run, but for memory; links stay inside', () => {
      mkdirSync(path.join(box.dir, 'host/sub'), { recursive: true });
      writeFileSync(path.join(box.dir, 'host/file'), 'bound\n');
      writeFileSync(path.join(box.dir, 'new'), 'new\n');
      const bind = `${box.dir}/host`;
      const options = [
        '-v',
        'data:/srv',
        '-v',
        `${bind}:/bind`,
        '-v',
        `${bind}:/ro:ro`,
        '-v',
        '/bind/sub',
        '--tmpfs',
        '/memory',
      ];
      const script =
        'echo hosts > /etc/hosts; echo v > /srv/v; ln -s /etc/passwd /srv/out; ln -s /srv /by; echo m > /memory/m';
      box.ok('create', '--name', 'web', ...plain, ...options, 'box', 'sh', '-c', script);
      // A volume is filled before, as docker fills it when the container is made.
      box.ok('cp', 'web:/srv/absolute', 'absolute');
      expect(lstatSync(box.at('absolute')).isSymbolicLink()).toBe(true);
      box.ok('start', '-a', 'web');
      const read = (place: string): string => box.ok('cp', '-L', place, 'got') + readFileSync(box.at('got'), 'utf8');
      expect(['/srv/v', '/by/v', '/bind/file', '/ro/file', '/etc/hosts'].map((place) => read(`web:${place}`))).toEqual([
        'v\n',
        'v\n',
        'bound\n',
        'bound\n',
        'hosts\n',
      ]);
      expect(read('web:/srv/out')).toContain('ada:');
      expect(box.run('cp', 'web:/memory/m', 'got').code).toBe(1);
      for (const place of ['/by/new', '/bind/new', '/bind/sub/new']) box.ok('cp', 'new', `web:${place}`);
      expect(box.run('cp', 'new', 'web:/ro/new').stderr).toContain('cannot copy to web:/ro/new: it is read-only');
      expect(readdirSync(bind).sort()).toEqual(['file', 'new', 'sub']);
      expect(readdirSync(path.join(bind, 'sub'))).toEqual([]);
      box.ok('cp', 'web:/', 'whole');
      expect(readFileSync(box.at('whole/bind/sub/new'), 'utf8')).toBe('new\n');
      expect(box.ok('run', '--rm', ...plain, '-v', 'data:/d', 'box', 'ls', '/d')).toMatch(/^new\nnothing\nout\n/m);
      box.check();
    });

    test('also where the root of the container is read-only', () => {
      writeFileSync(path.join(box.dir, 'new'), 'new\n');
      box.ok('create', '--name', 'web', ...plain, '--read-only', '-v', '/own', 'box', 'sleep', '1000');
      for (const state of ['created', 'running']) {
        if (state === 'running') box.ok('start', 'web');
        expect(box.run('cp', 'new', 'web:/tmp')).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('cannot copy to web:/tmp: it is read-only in the container') as unknown,
        });
        box.ok('cp', 'new', `web:/own/${state}`);
        expect(box.run('cp', '-', 'web:/tmp').stderr).toContain('it is read-only in the container');
      }
      expect(box.ok('exec', 'web', 'ls', '/own')).toBe('created\nrunning');
    });
  });

  test('and memory (--ipc) are shared as docker shares them', () => {
    const inMemory = 'readlink /proc/self/ns/ipc; ls /dev/shm; stat -f -c %S%b /dev/shm';
    box.ok('run', '-d', '--name', 'one', ...plain, '--ipc', 'shareable', '--shm-size', '1m', 'box', 'sleep', '1000');
    box.ok('exec', 'one', 'touch', '/dev/shm/file');
    box.ok('create', '--name', 'two', ...plain, '--ipc', 'container:one', 'box', 'sleep', '1000');
    box.ok('rename', 'one', 'first');
    box.ok('start', 'two');
    const first = box.ok('exec', 'first', 'sh', '-c', inMemory);
    expect(first).toMatch(/^ipc:\[\d+\]\nfile\n4096256$/);
    expect(box.ok('exec', 'two', 'sh', '-c', inMemory)).toBe(first);
    expect(box.ok('run', '--rm', ...plain, '--ipc', 'container:two', 'box', 'sh', '-c', inMemory)).toBe(first);
    box.ok('rm', '-f', 'first');
    box.ok('exec', 'two', 'ls', '/dev/shm/file');
    box.ok('run', '-d', '--name', 'own', ...plain, 'box', 'sleep', '1000');
    const refused = box.run('run', '--rm', ...plain, '--ipc', 'container:own', 'box', 'true');
    expect(refused).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('cannot join the IPC of container own') as unknown,
    });
    expect(box.run('create', '--ipc', 'container:nobody', 'box').stderr).toContain('no such container: nobody');
    const none = box.run('run', '--rm', ...plain, '--ipc', 'none', 'box', 'ls', '-d', '/dev', '/dev/shm');
    expect(none.stdout).toBe('/dev\n');
  });

  test('are listed, kept while they are in use, and pruned by label', () => {
    box.ok('volume', 'create', '--label', 'keep=yes', 'one');
    box.ok('volume', 'create', 'two');
    box.ok('create', '--name', 'web', '-v', 'two:/two', '-v', '/own', 'box');
    const listed = (...filters: string[]): string[] =>
      box
        .ok('volume', 'ls', '-q', ...filters)
        .split('\n')
        .filter(Boolean);
    expect(listed('-f', 'driver=local', '-f', 'name=o')).toEqual(['one', 'two']);
    expect(listed('-f', 'driver=nfs')).toEqual([]);
    expect(listed('-f', 'dangling=true')).toEqual(['one']);
    expect(box.run('volume', 'rm', 'two').stderr).toContain('volume two is in use by container');
    box.ok('rm', 'web');
    expect(box.ok('volume', 'prune', '-af', '--filter', 'label!=keep')).toMatch(
      /^Deleted Volumes:\n[0-9a-f]{64}\ntwo\n\n/,
    );
    expect(box.ok('volume', 'prune', '-f', '--filter', 'all=1', '--filter', 'label=keep=no')).toMatch(/^Total/);
    expect(listed()).toEqual(['one']);
    box.ok('volume', 'create');
    expect(box.ok('system', 'prune', '-f')).not.toContain('Volumes');
    expect(box.ok('system', 'prune', '-f', '--volumes')).toMatch(/^Deleted Volumes:\n[0-9a-f]{64}\n/);
    expect(listed()).toEqual(['one']);
    box.fails(2, 'system', 'prune', '-f', '--volumes', '--filter', 'until=1h');
  });

  test.each([
    ['-v', '/tmp:/p:ro,rw', "'ro' and 'rw' do not go together"],
    ['-v', '/tmp:/p:shared,rslave', "'shared' and 'rslave' do not go together"],
    ['-v', '/tmp:/p:nocopy', "'nocopy' is for volumes alone"],
    ['-v', 'data:/p:rshared', "'rshared' is for directories of the host alone"],
    ['--tmpfs', '/p:bogus', "'bogus' is not an option of it"],
    ['--mount', 'type=bind,src=/nowhere/at/all,dst=/p', "cannot mount '/nowhere/at/all'"],
    ['--mount', 'type=bind,src=/tmp,dst=/p,bind-recursive=writable', 'take readonly'],
    ['--mount', 'type=volume,dst=/p,volume-opt=type=nfs', "volume-opt=type=nfs: the driver 'local' takes no options"],
    ['--volume-driver', 'nfs', "--volume-driver 'nfs': there is no other than 'local'"],
  ])('should-fail: %s %s', (option, value, message) => {
    expect(box.run('create', option, value, 'box').stderr).toContain(message);
  });

  test('and what is mounted below a directory of the host come along as they are asked for', () => {
    const dir = path.join(box.dir, 'deep');
    mkdirSync(path.join(dir, 'below'), { recursive: true });
    const quoted = `'${dir}'`;
    runProgram('sh', [
      '-euc',
      `mount --bind ${quoted} ${quoted}; mount --make-private ${quoted}; mount -t tmpfs below ${quoted}/below`,
    ]);
    try {
      writeFileSync(path.join(dir, 'below/file'), '');
      const seen = (
        mount: string,
        script = 'ls /p/below; for d in /p /p/below; do touch $d/x 2>&1 | grep -o Read-only; done',
      ): string =>
        box.run('run', '--rm', ...plain, '--mount', `type=bind,src=${dir},dst=/p${mount}`, 'box', 'sh', '-c', script)
          .stdout;
      expect(seen(',ro')).toBe('file\nRead-only\nRead-only\n');
      expect(seen(',ro,bind-recursive=writable')).toBe('file\nRead-only\n');
      expect(seen(',bind-recursive=disabled')).toBe('');
      const options = ['run', '--rm', ...plain, '-v', `${dir}:/p:rshared`];
      expect(box.run(...options, 'box', 'true').stderr).toContain(
        `cannot mount '${dir}' as rshared: the mount it is on`,
      );
      runProgram('mount', ['--make-shared', dir]);
      box.ok(
        ...options,
        '--privileged',
        'box',
        'sh',
        '-c',
        'mkdir /p/made; mount -t tmpfs made /p/made; touch /p/made/inside',
      );
      expect(readdirSync(path.join(dir, 'made'))).toEqual(['inside']);
    } finally {
      runProgram('sh', ['-c', `umount -l ${quoted}/made ${quoted}/below ${quoted}`]);
    }
  });

  describe('branched off another one', () => {
    test('are its own where they have no name, with what was in them', () => {
      box.ok('run', '-d', '--name', 'web', ...plain, '-v', '/own', '-v', 'shared:/shared', 'box', 'sleep', '1000');
      box.ok(
        'exec',
        'web',
        'sh',
        '-c',
        'echo 1 > /own/file; ln /own/file /own/link; chown -R 7:8 /own; echo 1 > /shared/file',
      );
      box.ok('branch', 'web', 'trial');
      const [old, own] = [mountsOf('web'), mountsOf('trial')];
      expect(own['/shared']).toEqual(old['/shared']);
      expect(own['/own']!.Name).not.toBe(old['/own']!.Name);
      expect(own['/own']!.Source).toBe(path.join(box.root, 'volumes', own['/own']!.Name, '_data'));
      box.ok('exec', 'web', 'sh', '-c', 'echo 2 > /own/file; echo 2 > /shared/file');
      box.ok('start', 'trial');
      expect(box.ok('exec', 'trial', 'sh', '-c', 'cat /own/link /shared/file; stat -c "%u %g %h" /own/file')).toBe(
        '1\n2\n7 8 2',
      );
      box.ok('rm', '-f', '-v', 'trial');
      expect(box.ok('exec', 'web', 'cat', '/own/file', '/shared/file')).toBe('2\n2');
      expect(box.ok('volume', 'ls', '-q').split('\n').sort()).toEqual([old['/own']!.Name, 'shared'].sort());
      box.check();
    });

    test('are not touched by a rollback', () => {
      box.ok('create', '--name', 'web', '-v', '/own', 'box');
      box.ok('snapshot', 'web', 'then');
      const { Source } = mountsOf('web')['/own']!;
      writeFileSync(path.join(Source, 'file'), 'kept');
      box.ok('rollback', 'web', 'then');
      expect(readFileSync(path.join(Source, 'file'), 'utf8')).toBe('kept');
      box.ok('branch', '--snapshot', 'then', 'web', 'trial');
      expect(readdirSync(mountsOf('trial')['/own']!.Source)).toEqual(['file']);
    });
  });
});
