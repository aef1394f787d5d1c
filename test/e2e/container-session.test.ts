// What somebody who knows Docker types, from a shell in a container to a service made of it.

import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { boxStore, processesOf, tmux } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';

const gate = requires('root', 'fuse', 'tar', 'build', 'busybox', 'containers', 'seccomp', 'netavark');

/** A port that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The page that a server shows as soon as it answers. */
async function page(url: string): Promise<string> {
  for (const end = Date.now() + 10_000; ;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

const SERVE = 'CMD ["httpd", "-f", "-vv", "-h", "/srv/www"]';
const CHANGES = `C /srv
A /srv/www
A /srv/www/index.html`;

describe.skipIf(gate.skip)(gate.title('a session'), () => {
  test('makes an image by hand and runs it', async () => {
    await using box = await boxStore('session');
    const port = await freePort();
    const made = box.run('run', '--name', 'work', 'box', 'sh', '-c', 'mkdir /srv/www; echo hello >/srv/www/index.html');
    expect(made).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(box.ok('ps', '-q')).toBe('');
    expect(box.ok('ps', '-a', '--format', '{{.Names}} {{.Image}} {{.Status}}')).toMatch(
      /^work box Exited \(0\) .* ago$/,
    );
    expect(box.ok('diff', 'work')).toBe('C /srv\nA /srv/www\nA /srv/www/index.html');
    box.ok('commit', '-m', 'a page', '-c', SERVE, '-c', 'EXPOSE 80', 'work', 'site:1');
    expect(box.ok('history', 'site:1')).toContain('a page');

    const id = box.ok('run', '-d', '--name', 'web', '-p', `127.0.0.1:${String(port)}:80`, 'site:1');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await page(`http://127.0.0.1:${String(port)}/`)).toBe('hello\n');
    expect(box.ok('ps')).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/);
    expect(box.ok('ps', '--format', '{{.Names}} {{.Status}} {{.Ports}}')).toMatch(
      new RegExp(`^web Up .* 127\\.0\\.0\\.1:${String(port)}->80/tcp$`),
    );
    expect(box.ok('port', 'web')).toBe(`80/tcp -> 127.0.0.1:${String(port)}`);
    expect(box.run('logs', 'web').stderr).toMatch(/response:200/);
    expect(box.ok('exec', 'web', 'cat', '/srv/www/index.html')).toBe('hello');
    expect(box.run('exec', 'web', 'sh', '-c', 'exit 3').code).toBe(3);
    box.ok('exec', 'web', 'sh', '-c', 'echo changed >/srv/www/index.html');
    expect(await page(`http://127.0.0.1:${String(port)}/`)).toBe('changed\n');
    expect(box.ok('diff', 'web')).toBe('C /srv\nC /srv/www\nC /srv/www/index.html');
    box.ok('commit', 'web', 'site:2');
    expect(box.ok('run', '--rm', 'site:2', 'cat', '/srv/www/index.html')).toBe('changed');

    expect(box.ok('stop', '-t', '1', 'web')).toBe('web');
    await expect(fetch(`http://127.0.0.1:${String(port)}/`)).rejects.toThrow();
    expect(box.ok('ps', '-a', '--filter', 'name=web', '--format', '{{.Status}}')).toMatch(/^Exited \(137\)/);
    expect(box.ok('start', 'web')).toBe('web');
    expect(await page(`http://127.0.0.1:${String(port)}/`)).toBe('changed\n');
    expect(box.fails(1, 'rm', 'web')).toMatch(/running/);
    expect(box.ok('rm', '-f', 'web')).toBe('web');
    expect(box.ok('rm', 'work')).toBe('work');
    await box.expectNoLeaks();
  });
});

const terminalGate = requires('root', 'fuse', 'tar', 'build', 'busybox', 'containers', 'seccomp', 'netavark', 'tmux');

describe.skipIf(terminalGate.skip)(terminalGate.title('a session under tmux'), () => {
  test('is the same by hand', async () => {
    await using box = await boxStore('tmux');
    await using terminal = await tmux(box.dir, { VENEER_ROOT: box.root });
    const port = await freePort();
    await terminal.line('veneer run -it --name work --hostname work box');
    await terminal.wait(/^\/ #$/m);
    await terminal.line('hostname; tty; stty size');
    await terminal.wait(/^work\n\/dev\/pts\/0\n40 120\n/m);
    await terminal.resize(100, 30);
    await terminal.line('stty size');
    await terminal.wait(/^30 100$/m);
    await terminal.line('sleep 1000');
    await terminal.press('C-c');
    await terminal.line('mkdir /srv/www && echo hello >/srv/www/index.html; echo "[$?]"');
    await terminal.wait(/\[0\]/);
    await terminal.line('exit');
    await terminal.wait(/^\$$/m);
    await terminal.line('veneer ps -a');
    await terminal.wait(/^CONTAINER ID .*NAMES *\n[0-9a-f]{12} +box .*Exited \(0\) .* work *$/m);
    await terminal.wait(/^\$$/m);
    await terminal.line('veneer diff work');
    await terminal.wait(new RegExp(`^${CHANGES}$`, 'm'));
    await terminal.line(`veneer commit -c '${SERVE}' work site; veneer history site`);
    await terminal.wait(/^sha256:[0-9a-f]{64}$/m);
    await terminal.wait(/^\$$/m);
    await terminal.line(`veneer run -d -p ${String(port)}:80 --name web site`);
    await terminal.wait(/^[0-9a-f]{64}$/m);
    expect(await page(`http://127.0.0.1:${String(port)}/`)).toBe('hello\n');
    await terminal.line('veneer exec -it web sh');
    await terminal.wait(/^\/ #$/m);
    await terminal.line('ps; exit 7');
    await terminal.wait(/1 root .*httpd/);
    await terminal.wait(/^\$$/m);
    await terminal.line('echo "[$?]"; stty -a | grep -o " echo "');
    await terminal.wait(/^\[7\]\n echo $/m);
    await terminal.line('veneer logs -f web');
    await terminal.wait(/response:200/);
    await terminal.press('C-c');
    await terminal.wait(/^\$$/m);
    await terminal.line('veneer stop -t 0 web && veneer rm web work');
    await terminal.wait(/^web\nweb\nwork$/m);
    await box.expectNoLeaks();
  });

  test('leaves a container with ^P^Q and comes back', async () => {
    await using box = await boxStore('detach');
    await using terminal = await tmux(box.dir, { VENEER_ROOT: box.root });
    await terminal.line('veneer run -it --name work box');
    await terminal.wait(/^\/ #$/m);
    await terminal.line('kept=yes');
    await terminal.press('C-p', 'C-q');
    await terminal.wait(/^\$$/m);
    await terminal.line('stty -a | grep -o " echo "; veneer ps --format "{{.Names}} {{.Status}}"');
    await terminal.wait(/^ echo $/m);
    await terminal.wait(/^work Up /m);
    await terminal.line('veneer attach work');
    await terminal.line('echo "kept: $kept"');
    await terminal.wait(/^kept: yes$/m);
    await terminal.line('exit 5');
    await terminal.wait(/^\$$/m);
    await terminal.line('echo "[$?]"');
    await terminal.wait(/^\[5\]$/m);
    await box.expectNoLeaks();
  });

  test('has its terminal back when the container is killed', async () => {
    await using box = await boxStore('raw');
    await using terminal = await tmux(box.dir, { VENEER_ROOT: box.root });
    await terminal.line('veneer run -it --rm --name work box sh -i');
    await terminal.wait(/^\/ #$/m);
    const pid = processesOf(box.root).find(({ command }) => command === 'sh -i')?.pid;
    expect(pid).toBeGreaterThan(1);
    process.kill(pid!, 'SIGKILL');
    await terminal.wait(/\$$/m);
    await terminal.line('echo "[$?]"; stty -a | grep -o " echo "');
    await terminal.wait(/^\[137\]\n echo $/m);
    await box.expectNoLeaks();
  });
});
