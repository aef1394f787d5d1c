// The main job by hand, on a real Debian root: chroot into the mount, add a user, work as that user, install and remove a
// package, move directories around. Kernel overlayfs must see the same tree afterwards.

import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendGate, loggedErrors, mountStaged } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import { copyDebianRoot } from '../helpers/debian-root.js';
import { runWell } from '../helpers/other-process.js';
import { requires } from '../helpers/requires.js';
import { Scenario } from '../helpers/scenario.js';
import { expectSameTree, snapshot } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';

const gate = backendGate('veneer').skip ? backendGate('veneer') : requires('dpkg', 'kernel-overlay');

describe.skipIf(gate.skip)(gate.title('a Debian root'), () => {
  let scenario: Scenario;
  let mounted: Mounted;
  let root: string;
  let debian: string;
  let before: Tree;
  const inRoot = (command: string): Promise<string> =>
    runWell('chroot', [root, '/bin/sh', '-ec', command], {
      env: { PATH: '/usr/sbin:/usr/bin', HOME: '/root', LC_ALL: 'C' },
      timeout: 50_000,
    });

  beforeAll(async () => {
    const bottom = new Scenario('debian', { lower: [{}] });
    debian = bottom.staged.lowers[0]!;
    await copyDebianRoot(debian);
    before = snapshot(debian);
    scenario = new Scenario('debian-top', { lower: [{ 'usr/share/doc/layer': 'of the middle layer' }], upper: {} }, [
      debian,
    ]);
    mounted = await mountStaged('veneer', scenario.staged);
    ({ root } = mounted);
    return () => bottom.remove();
  });
  afterAll(async () => {
    await mounted.unmount();
    scenario.remove();
  });

  test('takes a new user, who works in it', async () => {
    await inRoot('useradd -m -s /bin/bash ada && id ada');
    await inRoot(
      'su ada -c "cd; umask 022; echo hello > file; mkdir dir; ln file dir/hard; ln -s file soft; mkfifo pipe"',
    );
    const uid = Number(await inRoot('id -u ada'));
    expect(uid).toBeGreaterThan(0);
    for (const name of ['file', 'dir', 'dir/hard', 'pipe']) expect(statSync(`${root}/home/ada/${name}`).uid).toBe(uid);
    await expect(inRoot('su ada -c "echo x >> /etc/passwd"')).rejects.toThrow(/Permission denied/);
    expect(await inRoot('su ada -c "cd; cat soft dir/hard"')).toBe('hello\nhello\n');
  });

  test('installs, upgrades and removes a package', async () => {
    for (const version of ['1.0', '2.0']) {
      const build = path.join(scenario.temp.path, `pkg-${version}`);
      for (const name of ['DEBIAN', 'usr/bin', 'usr/share/veneer-test', 'etc'])
        mkdirSync(path.join(build, name), { recursive: true });
      writeFileSync(
        path.join(build, 'DEBIAN/control'),
        `Package: veneer-test\nVersion: ${version}\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a test\n`,
      );
      writeFileSync(path.join(build, 'DEBIAN/conffiles'), '/etc/veneer-test.conf\n');
      writeFileSync(path.join(build, 'DEBIAN/postinst'), '#!/bin/sh\nset -e\necho "$@" >> /var/log/veneer-test\n', {
        mode: 0o755,
      });
      writeFileSync(path.join(build, 'etc/veneer-test.conf'), 'a = 1\n');
      writeFileSync(path.join(build, 'usr/bin/veneer-test'), `#!/bin/sh\necho version ${version}\n`, { mode: 0o755 });
      for (let n = 0; n < 50; n += 1)
        writeFileSync(path.join(build, `usr/share/veneer-test/${version}-${String(n)}`), 'x'.repeat(n * 100));
      await runWell('dpkg-deb', ['--root-owner-group', '-b', build, `${root}/tmp/pkg-${version}.deb`]);
      await inRoot(`dpkg -i /tmp/pkg-${version}.deb`);
      expect(await inRoot('veneer-test')).toBe(`version ${version}\n`);
    }
    expect(await inRoot('ls /usr/share/veneer-test | wc -l')).toBe('50\n');
    expect(await inRoot('dpkg -V veneer-test')).toBe('');
    await inRoot('dpkg -r veneer-test');
    expect(await inRoot('ls /usr/share/veneer-test 2>/dev/null || echo gone')).toBe('gone\n');
  });

  test('has directories moved and removed, and files appended to', async () => {
    appendFileSync(`${root}/etc/hosts`, '10.0.0.1 veneer\n');
    renameSync(`${root}/usr/share/doc`, `${root}/usr/share/papers`);
    renameSync(`${root}/usr/share/base-files`, `${root}/usr/share/papers/base-files-moved`);
    rmSync(`${root}/usr/share/bash-completion`, { recursive: true, force: true });
    rmSync(`${root}/usr/share/perl5`, { recursive: true, force: true });
    mkdirSync(`${root}/usr/share/doc`);
    await inRoot('cp -a /usr/share/papers/dpkg /usr/share/doc/ && find /usr -newer /etc/hosts > /tmp/found && sync');
    expect(readFileSync(`${root}/usr/share/papers/layer`, 'utf8')).toBe('of the middle layer');
  });

  test('is for kernel overlayfs, and for a second mount, the tree it was', async () => {
    const tree = scenario.tree(root);
    expect(tree.size).toBeGreaterThan(1000);
    await mounted.unmount();
    expect(loggedErrors(scenario.staged)).toEqual([]);
    for (const kind of ['kernel', 'veneer'] as const) {
      await scenario.on(kind, (again) => expectSameTree(tree, scenario.tree(again)));
    }
    expectSameTree(before, snapshot(debian));
    mounted = await mountStaged('veneer', scenario.staged);
  });
});
