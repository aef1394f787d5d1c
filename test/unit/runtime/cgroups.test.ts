import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cgroupPlace } from '../../../src/runtime/cgroups.js';
import { requires } from '../../helpers/requires.js';

const root = requires('root', 'build', 'userns');
const version = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
const DOOR = path.resolve(import.meta.dirname, '../../../dist/runtime/index.js');

describe.skipIf(root.skip)(root.title('the cgroup of a container'), () => {
  test.each([
    ['', '/veneer/id'],
    ['/machine', '/machine/id'],
  ])('is made below %j by root', (parent, place) => {
    expect(cgroupPlace('id', parent)).toEqual({ manager: 'cgroupfs', version, path: place });
  });

  test('is a unit of systemd in a slice, where systemd runs', () => {
    const booted = existsSync('/run/systemd/system');
    expect(cgroupPlace('id', 'web.slice')).toEqual(
      booted
        ? { manager: 'systemd', version, path: 'web.slice:veneer:id' }
        : { manager: 'cgroupfs', version, path: 'web.slice/id' },
    );
  });

  test('is made by the systemd of a user, with the controllers that he was given', () => {
    const script = `const { cgroupControllers, cgroupPlace } = await import(${JSON.stringify(DOOR)});
      const env = { XDG_RUNTIME_DIR: '/run/user/0' };
      const places = ['', 'web.slice'].map((parent) => cgroupPlace('id', parent, env));
      console.log(JSON.stringify([...places, ...places.map(cgroupControllers)]))`;
    const machine = `mount -t tmpfs t /sys/fs/cgroup && mount -t tmpfs t /run && cd /sys/fs/cgroup &&
      mkdir -p /run/systemd/system /run/user/0 user.slice/user-0.slice/user@0.service && touch /run/user/0/bus &&
      echo cpuset cpu memory pids > cgroup.controllers && cd user.slice/user-0.slice/user@0.service &&
      echo memory pids > cgroup.controllers && exec "$0" --input-type=module -e "$1"`;
    const { stdout } = spawnSync('unshare', ['-Urm', 'sh', '-c', machine, process.execPath, script]);
    expect(JSON.parse(String(stdout))).toEqual([
      { manager: 'systemd', version: 2, path: 'user.slice:veneer:id' },
      { manager: 'systemd', version: 2, path: 'web.slice:veneer:id' },
      ['memory', 'pids'],
      ['memory', 'pids'],
    ]);
  });

  test('is none in a user namespace without a systemd of its user', () => {
    const script = `const { cgroupPlace } = await import(${JSON.stringify(DOOR)});
      console.log(JSON.stringify(cgroupPlace('id', '', { XDG_RUNTIME_DIR: '/nonexistent' })))`;
    const { stdout } = spawnSync('unshare', ['-Ur', process.execPath, '--input-type=module', '-e', script]);
    expect(JSON.parse(String(stdout))).toEqual({ manager: 'none' });
  });
});
