import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_HOST_CONFIG, buildSpec, processSpec, readUserDatabase } from '../../../src/runtime/index.js';
import type { HostConfig, OciSpec, SpecInput } from '../../../src/runtime/index.js';
import { tempDir } from '../../helpers/tmp.js';

const users = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nada:x:1000:100::/home/ada:/bin/sh\n',
  group: 'root:x:0:\nstaff:x:50:ada,bob\nwheel:x:10:ada\n',
};
const FREE = { SecurityOpt: ['seccomp=unconfined'] };

function specOf(host: Partial<HostConfig> = {}, input: Partial<SpecInput> = {}): OciSpec {
  return buildSpec({
    config: { Cmd: ['sh'] },
    host: { ...DEFAULT_HOST_CONFIG, ...FREE, ...host },
    rootfs: '/rootfs',
    hostname: 'box',
    users,
    mounts: [],
    ...input,
  });
}

describe('the process', () => {
  test('is the entry point with its arguments, by root, with docker’s environment', () => {
    const { process } = specOf({}, { config: { Entrypoint: ['/init'], Cmd: ['sh', '-c'], Env: ['A=1'] } });
    expect(process).toMatchObject({
      args: ['/init', 'sh', '-c'],
      cwd: '/',
      terminal: false,
      user: { uid: 0, gid: 0, additionalGids: [0] },
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOSTNAME=box', 'A=1', 'HOME=/root'],
    });
  });

  test('of another user keeps no capability but what it may get back', () => {
    const { user, capabilities, env } = specOf({}, { config: { Cmd: ['sh'], User: 'ada' } }).process;
    expect(user).toEqual({ uid: 1000, gid: 100, additionalGids: [100, 50, 10] });
    expect(Object.keys(capabilities)).toEqual(['bounding']);
    expect(env).toContain('HOME=/home/ada');
  });

  test('should-fail: nothing to run', () => {
    expect(() => specOf({}, { config: {} })).toThrow('there is no command to run');
  });

  test('of exec has its own words, the rest is the container’s', () => {
    const config = { Cmd: ['sh'], Env: ['A=1', 'B=2'], WorkingDir: '/srv', User: 'ada' };
    const request = { args: ['id'], env: ['A=3', 'B'], user: '0:50', tty: true };
    const made = processSpec({ config, host: { ...DEFAULT_HOST_CONFIG, ...FREE }, users, hostname: 'box', request });
    expect(made).toMatchObject({ args: ['id'], cwd: '/srv', terminal: true, user: { uid: 0, gid: 50 } });
    expect(made.env).toEqual([expect.stringMatching(/^PATH=/), 'HOSTNAME=box', 'TERM=xterm', 'A=3', 'HOME=/root']);
  });
});

test('users are read from the tree, whose links never lead out of it', () => {
  using dir = tempDir('users');
  mkdirSync(join(dir.path, 'etc'));
  writeFileSync(join(dir.path, 'etc/passwd'), users.passwd);
  expect(readUserDatabase(dir.path)).toEqual({ passwd: users.passwd, group: '' });
});

test('a container of its own has the namespaces of docker, and paths it cannot see', () => {
  const { linux, mounts, hostname } = specOf();
  expect(linux.namespaces.map(({ type }) => type)).toEqual(['mount', 'network', 'pid', 'ipc', 'uts']);
  expect(linux.maskedPaths).toContain('/proc/kcore');
  expect(linux.readonlyPaths).toContain('/proc/sys');
  expect(mounts.map(({ destination }) => destination)).toEqual([
    '/proc',
    '/dev',
    '/dev/pts',
    '/sys',
    '/dev/mqueue',
    '/dev/shm',
  ]);
  expect(hostname).toBe('box');
});

describe('with cgroups of version 2', () => {
  const limited = { Memory: 1 << 26, NanoCpus: 5e8, CpusetCpus: '0', PidsLimit: 9, BlkioWeight: 300 };

  test('a container sees its own only, also with all rights', () => {
    for (const Privileged of [false, true]) {
      const { namespaces } = specOf({ Privileged }, { cgroups: { version: 2 } }).linux;
      expect(namespaces).toContainEqual({ type: 'cgroup' });
    }
    const { namespaces } = specOf({ CgroupnsMode: 'host' }, { cgroups: { version: 2 } }).linux;
    expect(namespaces).not.toContainEqual({ type: 'cgroup' });
  });

  test('limits are kept as far as there are controllers', () => {
    const warnings: string[] = [];
    const limits = (controllers?: string[]): object =>
      specOf(limited, { cgroups: { version: 2, controllers }, onWarning: (text) => warnings.push(text) }).linux
        .resources;
    const all = {
      memory: { limit: 1 << 26, swap: 1 << 27 },
      cpu: { quota: 50_000, period: 100_000, cpus: '0' },
      pids: { limit: 9 },
      blockIO: { weight: 300 },
    };
    expect(limits()).toMatchObject(all);
    expect(limits(['cpuset', 'cpu', 'io', 'memory', 'pids'])).toMatchObject(all);
    expect(warnings).toEqual([]);
    const { devices: _devices, ...some } = limits(['cpu', 'pids']) as { devices: object };
    expect(some).toEqual({ cpu: { quota: 50_000, period: 100_000 }, pids: { limit: 9 } });
    expect(warnings).toEqual([
      expect.stringMatching(/^limits of memory, cpuset, io are not kept: they need a controller/),
    ]);
  });

  test('what only version 1 has is left out, and said', () => {
    const warnings: string[] = [];
    const host = { MemorySwappiness: 20, OomKillDisable: true };
    const resources = (version: 1 | 2): object =>
      specOf(host, { cgroups: { version }, onWarning: (text) => warnings.push(text) }).linux.resources;
    expect(resources(1)).toMatchObject({ memory: { swappiness: 20, disableOOMKiller: true } });
    expect(warnings).toEqual([]);
    expect(resources(2)).toMatchObject({ memory: {} });
    expect(resources(2)).not.toMatchObject({ memory: { swappiness: 20 } });
    expect(warnings[0]).toBe('--memory-swappiness means nothing here: cgroups of version 2 have no such thing');
    expect(warnings[1]).toMatch(/^--oom-kill-disable means nothing here/);
  });
});
