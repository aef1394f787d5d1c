// What is the transport's own: that it is the package indeed, what libfuse's paths and hidden names come to, and what
// happens where the package is missing. How the server lives is in server-life, what the file system does in conformance.

import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import { MountLab } from '../helpers/mount-program.js';
import { run, runWell } from '../helpers/other-process.js';
import { requires } from '../helpers/requires.js';
import { CLI, sandboxWithBase } from '../helpers/run-cli.js';

const NATIVE = 'transport=fuse-native';
const gate = backendGate('fuse-native');

async function serverOf(lab: MountLab): Promise<string> {
  return (await runWell('pgrep', ['-f', `server-main.cjs ${lab.at('m')}$`])).trim();
}

describe.skipIf(gate.skip)(gate.title('--transport fuse-native'), () => {
  test('is libfuse in the server', async () => {
    using lab = new MountLab('native');
    await lab.mount(NATIVE);
    expect(readFileSync(`/proc/${await serverOf(lab)}/maps`, 'utf8')).toMatch(/libfuse\.so/);
    expect(await lab.in('.', 'findmnt -n -o FSTYPE,SOURCE m')).toBe('fuse.veneer veneer\n');
    await lab.unmount();
    await lab.mount('');
    expect(readFileSync(`/proc/${await serverOf(lab)}/maps`, 'utf8')).not.toMatch(/libfuse\.so/);
    await lab.unmount();
  });

  test('is asked for as an option of its own, too, also in the foreground', async () => {
    using lab = new MountLab('native');
    await lab.in('.', 'echo lower > l/f');
    const script = `"$@" overlay -f --transport fuse-native -o lowerdir=l,upperdir=u,workdir=w m & server=$!
      until [ -e m/f ]; do sleep 0.05; done; echo new > m/new; umount m; wait $server; cat u/new`;
    expect(await lab.in('.', `set -- ${process.execPath} ${CLI}; ${script}`)).toMatch(/new\n$/);
  });

  test('keeps a removed file that is open out of sight, and its directory removable', async () => {
    using lab = new MountLab('native');
    await lab.in('l', 'mkdir d; echo file > d/f');
    const script = `exec 3<>d/f; rm d/f; echo more >&3; ls -A d; stat -L -c %h /proc/self/fd/3; cat /proc/self/fd/3
      echo other > d/g; exec 4<d/g; mv d d2; rm d2/g; cat <&4; exec 4<&-; exec 3>&-; rmdir d2; ls -A`;
    expect(await lab.on(NATIVE, script)).toBe('0\nmore\nother\n');
    expect(await lab.in('u', 'find . -name ".fuse*"')).toBe('');
  });

  test('answers while a long copy-up goes on', async () => {
    using lab = new MountLab('native');
    await lab.in('l', 'head -c 64M /dev/zero > big; echo small > small');
    const script = 'printf x >> big & cat small; wait; stat -c %s big; sync big; tail -c 1 big';
    expect(await lab.on(NATIVE, script)).toBe('small\n67108865\nx');
  });

  test('is for the user who mounts alone', async () => {
    using lab = new MountLab('native');
    await lab.in('.', 'chmod 755 .; echo lower > l/f');
    await lab.mount(NATIVE);
    const stranger = await run('setpriv', ['--reuid=61001', '--clear-groups', 'cat', lab.at('m/f')]);
    expect(stranger.stderr).toMatch(/Permission denied/);
    await lab.unmount();
  });

  test('mounts containers and images', () => {
    using box = sandboxWithBase('native');
    box.ok('create', '--name', 'work', 'base');
    const dir = box.ok('mount', '--transport', 'fuse-native', 'work');
    writeFileSync(path.join(dir, 'etc/new'), 'new');
    box.ok('umount', 'work');
    expect(box.ok('diff', 'work')).toBe('C /etc\nA /etc/new');
    mkdirSync(box.at('look'));
    box.ok('mount', '--transport', 'fuse-native', 'base', box.at('look'));
    expect(readFileSync(box.at('look/etc/hosts'), 'utf8')).toMatch(/localhost/);
    box.ok('umount', box.at('look'));
    box.check();
  });
});

const without = requires('root', 'fuse', 'build');

describe.skipIf(without.skip)(without.title('--transport fuse-native without the package'), () => {
  test('is one line and what to do', async () => {
    using lab = new MountLab('native');
    const project = path.resolve(path.dirname(CLI), '../..');
    cpSync(path.join(project, 'dist'), lab.at('dist'), { recursive: true });
    cpSync(path.join(project, 'package.json'), lab.at('package.json'));
    mkdirSync(lab.at('node_modules'));
    for (const name of readdirSync(path.join(project, 'node_modules'))) {
      if (name === 'fuse-native') continue;
      symlinkSync(path.join(project, 'node_modules', name), lab.at('node_modules', name));
    }
    const args = ['overlay', '--transport', 'fuse-native', '-o', 'lowerdir=l,upperdir=u,workdir=w', 'm'];
    const { status, stderr } = await run(process.execPath, [lab.at('dist/program/veneer.cjs'), ...args], {
      cwd: lab.at(),
    });
    expect([status, stderr]).toEqual([
      1,
      "veneer: --transport fuse-native: the package is not installed\n  hint: npm install fuse-native@2.2.6 in veneer's directory, or mount without --transport\n",
    ]);
  });
});
