// What the options of `create` do to a container that runs.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';

const needs = requires('root', 'fuse', 'containers', 'busybox', 'build', 'seccomp', 'init');

describe.skipIf(needs.skip)(needs.title('a container'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('options');
  });
  afterEach(() => box.empty());
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  /** What a shell in a new container says. */
  function said(options: readonly string[], script: string, image = 'box'): string {
    const id = box.ok('create', '--network', 'none', ...options, image, 'sh', '-c', script).trim();
    box.ok('start', id);
    box.ok('wait', id);
    const log = readFileSync(path.join(box.root, 'containers', id, 'output.log'), 'utf8');
    return log.replace(/^\S+ \S+ [FP] /gm, '').trim();
  }

  test('runs as a user by name, with his groups, home and directory, and the name it is given', () => {
    const options = ['-u', 'ada', '-w', '/new/place', '-h', 'host.example', '-e', 'A=b c', '--group-add', '77'];
    const lines = said(
      options,
      'id; echo $HOME; pwd; hostname; echo "$A"; grep host.example /etc/hosts; cat /etc/hostname',
    );
    expect(lines.split('\n')).toEqual([
      expect.stringMatching(/^uid=1000\(ada\) gid=1000\S* groups=.*50\(staff\).*77/),
      '/home/ada',
      '/new/place',
      'host.example',
      'b c',
      'host.example',
    ]);
  });

  test('has the rights of docker, or what is asked for', () => {
    const script =
      'grep -E "CapEff|Seccomp:|NoNewPrivs" /proc/self/status | tr -d "\\t"; ls /proc/acpi /sys/firmware | wc -l';
    expect(said([], script)).toMatch(/CapEff:00000000a80425fb\nNoNewPrivs:0\nSeccomp:2\n/);
    const more = ['--cap-drop', 'ALL', '--cap-add', 'chown', '--security-opt', 'no-new-privileges'];
    expect(said([...more, '--security-opt', 'seccomp=unconfined'], script)).toMatch(
      /CapEff:0000000000000001\nNoNewPrivs:1\nSeccomp:0\n/,
    );
    expect(said(['--privileged'], script)).toMatch(/CapEff:000001f\w+\nNoNewPrivs:0\nSeccomp:0\n/);
  });

  test('is limited', () => {
    const options = ['-m', '64m', '--cpus', '0.5', '--pids-limit', '50', '--ulimit', 'nofile=100:200', '--init'];
    const script = `cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null;
      cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; ulimit -n; ulimit -Hn; tr "\\0" " " </proc/1/cmdline`;
    const lines = said(
      [...options, '--read-only', '--tmpfs', '/tmp'],
      `${script}; echo; touch /x; touch /tmp/x && echo tmp`,
    );
    expect(lines).toMatch(/^67108864\n50\n100\n200\n\/dev\/init -- sh -c /);
    expect(lines).toContain('Read-only file system');
    expect(lines.split('\n')).toContain('tmp');
  });

  test('has directories and files of its host, as they are asked for', () => {
    using dir = tempDir('binds');
    mkdirSync(path.join(dir.path, 'sub'));
    writeFileSync(path.join(dir.path, 'sub/file'), 'hello\n');
    const options = ['-v', `${dir.path}/sub:/a/b:ro`, '-v', `${dir.path}/made:/made`];
    const file = ['--mount', `type=bind,src=${dir.path}/sub/file,dst=/etc/deep/file`];
    const script = 'cat /a/b/file /etc/deep/file; touch /a/b/x 2>/dev/null || echo ro; echo back > /made/y';
    expect(said([...options, ...file], script)).toBe('hello\nhello\nro');
    expect(readFileSync(path.join(dir.path, 'made/y'), 'utf8')).toBe('back\n');
    const missing = ['--mount', `type=bind,src=${dir.path}/nosuch,dst=/x`];
    expect(box.run('create', '--network', 'none', ...missing, 'box', 'true').stderr).toContain(
      `cannot mount '${dir.path}/nosuch' in the container`,
    );
  });

  test('has volumes, which are filled from its image and stay, or go with it', () => {
    const script = 'ls -ld /home/ada; ls /srv | wc -l; echo kept > /srv/new; echo one > /anon/file';
    const lines = said(['--name', 'one', '-v', 'data:/srv', '-v', 'home:/home/ada', '-v', '/anon'], script).split('\n');
    expect(lines[0]).toMatch(/^d\S+ +\d+ ada +ada /);
    expect(Number(lines[1])).toBeGreaterThan(0);
    expect(
      said(['-v', 'data:/srv:ro', '--volumes-from', 'one'], 'cat /srv/new /anon/file; ls -A /srv | wc -l'),
    ).toMatch(/^kept\none\n\d+$/);
    const volumes = path.join(box.root, 'volumes');
    expect(existsSync(path.join(volumes, 'data/_data/new'))).toBe(true);
    const [mount] = JSON.parse(box.ok('inspect', '-f', '{{json .Mounts}}', 'one')) as object[];
    expect(mount).toMatchObject({ Type: 'volume', Name: 'data', Destination: '/srv', RW: true });
    expect(
      box
        .ok('volume', 'ls', '-q')
        .split('\n')
        .filter((name) => name.length < 64),
    ).toEqual(['data', 'home']);
    expect(box.run('volume', 'rm', 'data').stderr).toContain('volume data is in use by container');
    box.ok('rm', '-f', '-v', ...box.ok('ps', '-aq').split('\n'));
    expect(box.ok('volume', 'ls', '-q')).toBe('data\nhome');
    expect(box.ok('volume', 'inspect', '-f', '{{.Mountpoint}}', 'data')).toBe(path.join(volumes, 'data/_data'));
    box.ok('volume', 'prune', '-f');
    expect(box.ok('volume', 'rm', 'data')).toBe('data');
    expect(box.ok('volume', 'prune', '-a', '-f')).toContain('home');
    expect(box.run('system', 'check').code).toBe(0);
  });
});
