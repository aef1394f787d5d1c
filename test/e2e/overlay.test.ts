import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountEntries } from '../../src/sys/index.js';
import { requires } from '../helpers/requires.js';
import { CLI, runCli } from '../helpers/run-cli.js';
import type { CliResult } from '../helpers/run-cli.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';

const gate = requires('root', 'fuse', 'build');

let temp: TempDir;
const at = (...names: string[]): string => path.join(temp.path, ...names);
const overlay = (...args: string[]): CliResult => runCli(['overlay', ...args], { cwd: temp.path });
const mounted = (): string[] =>
  mountEntries()
    .filter(({ mountpoint, type }) => mountpoint.startsWith(temp.path) && type === 'fuse.veneer')
    .map(({ mountpoint }) => path.relative(temp.path, mountpoint));

const SILENT_SUCCESS = { code: 0, stdout: '', stderr: '' };
const WRITABLE = 'lowerdir=a:b,upperdir=u,workdir=w';

beforeEach(() => {
  temp = tempDir('overlay');
  for (const name of ['a', 'b', 'u', 'w', 'm']) mkdirSync(at(name));
  writeFileSync(at('a/both'), 'from a');
  writeFileSync(at('b/both'), 'from b');
  writeFileSync(at('b/only'), 'from b');
});

afterEach(() => {
  for (const mount of mounted().reverse()) spawnSync('umount', [at(mount)]);
  temp.remove();
});

describe.skipIf(gate.skip)(gate.title('veneer overlay'), () => {
  test('mounts, and answers when it returns', () => {
    expect(overlay('-o', WRITABLE, 'm')).toEqual(SILENT_SUCCESS);
    expect(mounted()).toEqual(['m']);
    expect(readFileSync(at('m/both'), 'utf8')).toBe('from a');
    appendFileSync(at('m/only'), ', changed');
    expect(readFileSync(at('u/only'), 'utf8')).toBe('from b, changed');
    expect(readFileSync(at('b/only'), 'utf8')).toBe('from b');
  });

  test('without an upper is read-only', () => {
    expect(overlay('-o', 'lowerdir=a:b', 'm')).toEqual(SILENT_SUCCESS);
    expect(() => writeFileSync(at('m/new'), '')).toThrow(expect.objectContaining({ code: 'EROFS' }));
    expect(readdirSync(at('m')).sort()).toEqual(['both', 'only']);
  });

  test('ro makes it read-only in spite of an upper', () => {
    expect(overlay('-o', `${WRITABLE},ro`, 'm')).toEqual(SILENT_SUCCESS);
    expect(() => writeFileSync(at('m/new'), '')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  });

  test('sets the flags of the mount', () => {
    expect(overlay('-o', `${WRITABLE},nosuid,nodev,noexec`, 'm')).toEqual(SILENT_SUCCESS);
    const line = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .find((it) => it.includes(at('m')));
    for (const flag of ['nosuid', 'nodev', 'noexec']) expect(line).toContain(flag);
  });

  test('takes names with colons, commas and blanks', () => {
    mkdirSync(at('x:y, z'));
    writeFileSync(at('x:y, z/file'), '');
    expect(overlay('-o', 'lowerdir=x\\:y\\, z:a', 'm')).toEqual(SILENT_SUCCESS);
    expect(readdirSync(at('m')).sort()).toEqual(['both', 'file']);
  });

  test('says what it passes over, and mounts', () => {
    const { code, stdout, stderr } = overlay('-o', `${WRITABLE},frobnicate=1`, '--what', 'm');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(
      "veneer: overlay: unknown option '--what' is passed over\nveneer: overlay: unknown option 'frobnicate' is passed over\n",
    );
    expect(mounted()).toEqual(['m']);
  });

  test('runs as a mount_program of containers/storage does', () => {
    expect(runCli(['-o', WRITABLE, at('m')], { cwd: temp.path })).toEqual(SILENT_SUCCESS);
    expect(mounted()).toEqual(['m']);
  });

  test('-f stays in the foreground until SIGTERM, which un-mounts', async () => {
    const child = spawn(process.execPath, [CLI, 'overlay', '-f', '-o', WRITABLE, 'm'], {
      cwd: temp.path,
      stdio: 'ignore',
    });
    for (let tries = 0; tries < 500 && mounted().length === 0; tries += 1) await sleep(20);
    expect(mounted()).toEqual(['m']);
    expect(child.exitCode).toBeNull();
    writeFileSync(at('m/new'), 'kept');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(mounted()).toEqual([]);
    expect(readFileSync(at('u/new'), 'utf8')).toBe('kept');
  });

  test('is un-mounted by veneer umount, by any path that leads there', () => {
    symlinkSync('m', at('link'));
    for (const target of [at('m'), 'm', './m/', 'link']) {
      expect(overlay('-o', WRITABLE, 'm')).toEqual(SILENT_SUCCESS);
      const { code, stderr } = runCli(['umount', target], { cwd: temp.path, env: { VENEER_ROOT: at('store') } });
      expect({ target, code, stderr }).toEqual({ target, code: 0, stderr: '' });
      expect(mounted()).toEqual([]);
    }
  });
});

describe.skipIf(gate.skip)(gate.title('mount -t fuse.veneer'), () => {
  const HELPER = '/sbin/mount.fuse.veneer';
  let made = false;

  beforeEach(() => {
    made = !existsSync(HELPER);
    if (made) symlinkSync(CLI, HELPER);
  });

  afterEach(() => {
    if (made) unlinkSync(HELPER);
  });

  const mount = (...args: string[]): CliResult => {
    const { status, stdout, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
  const absolute = (): string => `lowerdir=${at('a')}:${at('b')},upperdir=${at('u')},workdir=${at('w')}`;

  test('mounts, with its source and flags', () => {
    expect(mount('-t', 'fuse.veneer', 'mysource', at('m'), '-o', `${absolute()},nosuid`)).toEqual(SILENT_SUCCESS);
    const entry = mountEntries().find(({ mountpoint }) => mountpoint === at('m'));
    expect(entry).toMatchObject({ type: 'fuse.veneer', source: 'mysource' });
    writeFileSync(at('m/new'), '');
    expect(readdirSync(at('u'))).toEqual(['new']);
    expect(spawnSync('umount', [at('m')]).status).toBe(0);
    expect(mounted()).toEqual([]);
  });

  test('from a line of fstab', () => {
    writeFileSync(at('fstab'), `src ${at('m')} fuse.veneer ${absolute()},noauto,_netdev,x-systemd.automount 0 0\n`);
    expect(mount('-T', at('fstab'), at('m'))).toEqual(SILENT_SUCCESS);
    expect(mounted()).toEqual(['m']);
  });

  test('-r is read-only, -f a dry run', () => {
    expect(mount('-f', '-t', 'fuse.veneer', 's', at('m'), '-o', absolute())).toEqual(SILENT_SUCCESS);
    expect(mounted()).toEqual([]);
    expect(mount('-r', '-t', 'fuse.veneer', 's', at('m'), '-o', absolute())).toEqual(SILENT_SUCCESS);
    expect(() => writeFileSync(at('m/new'), '')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  });

  test("fails with mount's codes", () => {
    const failed = mount('-t', 'fuse.veneer', 's', at('m'), '-o', `lowerdir=${at('none')}`);
    expect(failed).toEqual({
      code: 32,
      stdout: '',
      stderr: `veneer: overlay: lowerdir '${at('none')}': no such directory\n`,
    });
    expect(mount('-t', 'fuse.veneer', 's', at('m'))).toMatchObject({ code: 1 });
  });
});

describe.skipIf(gate.skip)(gate.title('refused, in one line, with nothing left behind'), () => {
  test.each([
    ['a missing lower', ['-o', 'lowerdir=a:none', 'm'], 1, "overlay: lowerdir 'none': no such directory"],
    ['a repeated lower', ['-o', 'lowerdir=a:b:a', 'm'], 1, "overlay: lowerdir 'a' is given twice"],
    [
      'a missing upper',
      ['-o', 'lowerdir=a,upperdir=none,workdir=w', 'm'],
      1,
      "overlay: upperdir 'none': no such directory",
    ],
    [
      'a missing work',
      ['-o', 'lowerdir=a,upperdir=u,workdir=none', 'm'],
      1,
      "overlay: workdir 'none': no such directory",
    ],
    ['no work', ['-o', 'lowerdir=a,upperdir=u', 'm'], 1, "overlay: upperdir 'u' needs a workdir"],
    [
      'an upper inside a lower',
      ['-o', 'lowerdir=.,upperdir=u,workdir=w', 'm'],
      1,
      "overlay: upperdir 'u' is inside lowerdir '.'",
    ],
    [
      'work on another file system',
      ['-o', 'lowerdir=a,upperdir=u,workdir=/dev/shm', 'm'],
      1,
      'on different file systems',
    ],
    ['a missing mount point', ['-o', 'lowerdir=a', 'none'], 1, "overlay: mount point 'none': no such directory"],
    ['no lower', ['m'], 2, 'overlay: no lowerdir is given'],
    ['no mount point', ['-o', 'lowerdir=a'], 2, 'overlay: the mount point is missing'],
    ['no mount point, in the foreground', ['-f', '-o', 'lowerdir=a'], 2, 'overlay: the mount point is missing'],
    ['a missing lower, in the foreground', ['-f', '-o', 'lowerdir=none', 'm'], 1, "overlay: lowerdir 'none'"],
  ])('%s', (_what, args, code, message) => {
    const result = overlay(...args);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
    expect(result.stderr).toMatch(/^veneer: [^\n]+\n( {2}hint: [^\n]+\n)?$/);
    expect(result.stderr).toContain(message);
    expect(mounted()).toEqual([]);
    expect([readdirSync(at('u')), readdirSync(at('w'))]).toEqual([[], []]);
  });

  test('two mounts of one upper', () => {
    mkdirSync(at('m2'));
    mkdirSync(at('w2'));
    overlay('-o', WRITABLE, 'm');
    for (const workdir of ['w', 'w2']) {
      const { code, stderr } = overlay('-o', `lowerdir=a:b,upperdir=u,workdir=${workdir}`, 'm2');
      expect(code).toBe(1);
      expect(stderr).toMatch(/^veneer: '[^']*\/u' is in use by another mount\n {2}hint: [^\n]+\n$/);
    }
    expect(mounted()).toEqual(['m']);
    expect(readFileSync(at('m/both'), 'utf8')).toBe('from a');
  });

  test('a mount point in use', () => {
    overlay('-o', WRITABLE, 'm');
    const { code, stderr } = overlay('-o', 'lowerdir=a', 'm');
    expect(code).toBe(1);
    expect(stderr).toContain("mount point 'm' is in use: fuse.veneer is mounted there");
  });
});
