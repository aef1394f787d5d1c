import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runProgram, requires } from '../requires.js';
import { tempDir } from '../tmp.js';
import { boxStore, podmanIn, tmux, watchLeaks, writeBoxTar } from './index.js';

const gate = requires('root', 'fuse', 'tar', 'build', 'busybox');

describe.skipIf(gate.skip)(gate.title('the ground for tests of containers'), () => {
  test('a box has a shell, users and nothing left of a container', async () => {
    await using box = await boxStore();
    expect(box.ok('inspect', '-f', '{{.Config.Cmd}}', 'box')).toBe('[sh]');
    box.ok('create', '--name', 'web', 'box');
    const root = box.ok('mount', 'web');
    expect(runProgram('chroot', [root, 'id', 'ada'])).toBe(
      'uid=1000(ada) gid=1000(ada) groups=1000(ada),50(staff),1001(wheel)\n',
    );
    expect((await box.leaks(0)).join('\n')).toMatch(/^process [0-9]+: .*\nmount .*merged$/m);
    await box.expectNoLeaks();
    expect(box.ok('ps', '-aq')).toBe('');
  });

  test('finds processes by environment, arguments and mounts, and ends them', async () => {
    using temp = tempDir('leaks');
    const watch = await watchLeaks(temp.path);
    expect(await watch.leaks()).toEqual([]);
    const child = spawn('sleep', ['1000'], { env: { MARK: temp.path }, stdio: 'ignore' });
    const ended = once(child, 'exit');
    mkdirSync(`${temp.path}/m`);
    runProgram('mount', ['-t', 'tmpfs', 'none', `${temp.path}/m`]);
    expect(await watch.leaks(0)).toEqual([`process ${String(child.pid)}: sleep 1000`, `mount ${temp.path}/m`]);
    await watch.end();
    await ended;
    expect(await watch.leaks()).toEqual([]);
  });
});

const podmanGate = requires('root', 'tar', 'podman', 'busybox');

describe.skipIf(podmanGate.skip)(podmanGate.title('podman, to compare with'), () => {
  test('runs the box', async () => {
    using temp = tempDir('podman');
    const podman = podmanIn(temp.path);
    expect(await podman.run('import', writeBoxTar(temp.path), 'box')).toMatchObject({ status: 0 });
    expect(await podman.run('run', '--rm', '--network', 'none', 'box', 'echo', 'hello')).toEqual({
      status: 0,
      stdout: 'hello\n',
      stderr: '',
    });
  });
});

const tmuxGate = requires('tmux', 'build');

describe.skipIf(tmuxGate.skip)(tmuxGate.title('a terminal of tmux'), () => {
  test('is typed into, looked at, and resized', async () => {
    using temp = tempDir('tmux');
    await using terminal = await tmux(temp.path, { VENEER_ROOT: temp.path });
    await terminal.line('veneer version; stty size; echo "[$?]"');
    await terminal.wait(/Version: [^]*40 120\n\[0\]/);
    await terminal.resize(80, 24);
    await terminal.line('stty size; sleep 1000');
    await terminal.wait(/^24 80$/m);
    await terminal.press('C-c');
    await terminal.line('echo "[$?]"');
    await terminal.wait(/\[130\]/);
  });
});
