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

  test('is none in a user namespace without a systemd of its user', () => {
    const script = `const { cgroupPlace } = await import(${JSON.stringify(DOOR)});
      console.log(JSON.stringify(cgroupPlace('id', '', { XDG_RUNTIME_DIR: '/nonexistent' })))`;
    const { stdout } = spawnSync('unshare', ['-Ur', process.execPath, '--input-type=module', '-e', script]);
    expect(JSON.parse(String(stdout))).toEqual({ manager: 'none' });
  });
});
