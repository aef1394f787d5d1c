// Containers that run: started, ended, and cleaned up after by whoever is left.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore, runDirectory } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';
import { startCli } from '../helpers/run-cli.js';
import { library } from './container-fixture.js';

const needs = requires('root', 'fuse', 'containers', 'busybox', 'build');

const FOREVER = ['sleep', '1000'] as const;
/** Ends by itself when it is asked to. */
const POLITE = ['sh', '-c', 'trap "exit 3" TERM; echo up; while :; do sleep 0.05; done'] as const;

describe.skipIf(needs.skip)(needs.title('a container'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('run');
  });
  afterEach(() => box.empty());
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  const create = (...command: string[]): string => box.ok('create', '--name', 'web', 'box', ...command).trim();
  const start = (...command: string[]): string => {
    const id = create(...command);
    box.ok('start', 'web');
    return id;
  };
  const state = (): string => box.ok('ps', '-a', '--format', '{{.State}}').trim();
  const output = (id: string): string => {
    try {
      return readFileSync(path.join(box.root, 'containers', id, 'output.log'), 'utf8');
    } catch {
      return '';
    }
  };
  /** How many wait for the end of a container. */
  const waiting = (): number => {
    const directory = path.join(runDirectory(box.root), 'waits');
    return existsSync(directory) ? readdirSync(directory).length : 0;
  };
  /** Until its trap is set. */
  const startPolite = async (): Promise<string> => {
    const id = start(...POLITE);
    await expect.poll(() => output(id)).toContain('up');
    return id;
  };

  test("has its command's exit code when it has ended, and leaves nothing", async () => {
    const id = start('sh', '-c', 'echo out; echo err >&2; exit 7');
    expect(box.ok('wait', 'web')).toBe('7');
    expect(state()).toBe('exited');
    expect(await box.leaks()).toEqual([]);
    expect(output(id)).toMatch(/ stdout F out\n/);
    expect(output(id)).toMatch(/ stderr F err\n/);
  });

  test.each([
    ['nosuch', /^veneer: cannot start container web: no such command in the container: nosuch\n/],
    ['/nosuch', /no such command in the container/],
    ['/etc/passwd', /: \/etc\/passwd: (?:permission denied|operation not permitted)\n/],
    ['/etc', /: \/etc: (?:permission denied|is a directory|operation not permitted)\n/],
  ])('whose command is %s is not started, and leaves nothing', async (command, message) => {
    create(command);
    const { code, stderr } = box.run('start', 'web');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(state()).toBe('created');
    expect(await box.leaks(2_000)).toEqual([]);
  });

  test('is stopped by its own end when it is asked, or killed when it does not listen', async () => {
    await startPolite();
    expect(box.ok('stop', 'web')).toBe('web');
    expect(box.ok('wait', 'web')).toBe('3');
    expect(await box.leaks()).toEqual([]);
    box.ok('rm', 'web');
    start(...FOREVER);
    box.ok('stop', '-t', '0', 'web');
    expect(box.ok('wait', 'web')).toBe('137');
    // What does not run is left as it is.
    expect(box.ok('stop', 'web')).toBe('web');
    expect(box.run('kill', 'web').stderr).toMatch(/^veneer: container web is not running\n/);
  });

  test('that was mounted before gets nothing from being run, and stays mounted', () => {
    create('true');
    const mountpoint = box.ok('mount', 'web').trim();
    box.ok('start', '-a', 'web');
    expect(box.ok('diff', 'web')).toBe('');
    expect(box.ok('mount', 'web').trim()).toBe(mountpoint);
    box.ok('umount', 'web');
  });

  test('is held, and ends all the same', () => {
    start(...FOREVER);
    box.ok('pause', 'web');
    expect(state()).toBe('paused');
    expect(box.run('pause', 'web').stderr).toMatch(/is paused already/);
    box.ok('unpause', 'web');
    expect(state()).toBe('running');
    expect(box.run('unpause', 'web').stderr).toMatch(/is not paused/);
    box.ok('pause', 'web');
    box.ok('kill', 'web');
    expect(box.ok('wait', 'web')).toBe('137');
  });

  test('gets the signals it is sent', async () => {
    const id = start('sh', '-c', 'trap "echo hup" HUP; trap "exit 5" USR1; echo up; while :; do sleep 0.05; done');
    await expect.poll(() => output(id)).toContain('up');
    box.ok('kill', '-s', 'SIGHUP', 'web');
    await expect.poll(() => output(id)).toContain('hup');
    box.ok('kill', '--signal', '10', 'web');
    expect(box.ok('wait', 'web')).toBe('5');
    expect(box.run('kill', '-s', 'NOPE', 'web').stderr).toMatch(/'NOPE' is not a signal/);
  });

  test('that runs is neither removed nor un-mounted, but by force', async () => {
    start(...FOREVER);
    expect(box.run('rm', 'web').stderr).toMatch(/^veneer: cannot remove container web: it is running\n/);
    expect(box.run('umount', 'web').stderr).toMatch(/^veneer: container web is running\n/);
    expect(box.ok('start', 'web')).toBe('web');
    const mounted = box.ok('mount', 'web').trim();
    expect(readFileSync(path.join(mounted, 'etc/passwd'), 'utf8')).toContain('ada');
    expect(box.ok('rm', '-f', 'web')).toBe('web');
    // As docker: it says so, and that is no failure.
    expect(box.run('rm', '-f', 'web')).toMatchObject({ code: 0, stdout: '' });
    expect(box.run('rm', 'web').code).toBe(1);
    expect(await box.leaks()).toEqual([]);
  });

  test('that was mounted before it was started stays so after its end', () => {
    create('true');
    const mounted = box.ok('mount', 'web').trim();
    box.ok('start', 'web');
    box.ok('wait', 'web');
    box.ok('stop', 'web');
    expect(readFileSync(path.join(mounted, 'etc/passwd'), 'utf8')).toContain('ada');
    box.ok('umount', 'web');
  });

  test('ends with its server although another container has its tree, too', async () => {
    const id = start('sh', '-c', 'echo kept >/kept; echo up; exec sleep 1000');
    await expect.poll(() => output(id)).toContain('up');
    box.ok('run', '-d', '--name', 'other', '--network', 'none', '-v', `${box.root}:/store`, 'box', ...FOREVER);
    const seen = `/store/containers/${id}/merged/kept`;
    expect(box.ok('exec', 'other', 'cat', seen)).toBe('kept');
    box.ok('restart', '-t', '0', 'web');
    expect(box.ok('exec', 'web', 'cat', '/kept')).toBe('kept');
    expect(box.run('exec', 'other', 'cat', seen).stderr).toContain('not connected');
    box.ok('rm', '-f', 'web');
  });

  test('ends with its server although somebody is in its tree', async () => {
    const merged = (): string => path.join(box.root, 'containers', id, 'merged');
    const id = start(...FOREVER);
    const guest = spawn('sleep', ['1000'], { cwd: merged(), env: {} });
    await once(guest, 'spawn');
    try {
      box.ok('restart', '-t', '0', 'web');
      box.ok('rm', '-f', 'web');
      expect(await box.leaks()).toEqual([]);
    } finally {
      guest.kill('SIGKILL');
    }
  });

  test('is restarted, and keeps what it wrote', () => {
    const id = start('sh', '-c', 'echo x >>/times; cat /times; exec sleep 1000');
    box.ok('restart', '-t', '0', 'web');
    expect(state()).toBe('running');
    box.ok('restart', '-t', '0', 'web');
    return expect
      .poll(
        () =>
          output(id)
            .split('\n')
            .filter((line) => line.endsWith(' x')).length,
      )
      .toBe(6);
  });

  test('is waited for by whoever wants to know of its next end, or its removal', async () => {
    create('sh', '-c', 'exit 4');
    expect(box.ok('wait', 'web')).toBe('0');
    const next = startCli(['--root', box.root, 'wait', '--condition', 'next-exit', 'web']);
    const removed = startCli(['--root', box.root, 'wait', '--condition', 'removed', 'web']);
    await expect.poll(waiting).toBe(2);
    box.ok('start', 'web');
    box.ok('wait', 'web');
    box.ok('rm', '-f', 'web');
    expect((await removed.ended).stdout).toBe('4\n');
    expect((await next.ended).stdout).toBe('4\n');
  });

  test('tells all who wait for it its exit code, even if it is removed before they look', async () => {
    const wait = ['sh', '-c', 'until test -e /go; do sleep 0.05; done; exit 6'];
    for (const name of ['one', 'two']) box.ok('run', '-d', '--rm', '--network', 'none', '--name', name, 'box', ...wait);
    const two = startCli(['--root', box.root, 'wait', 'one', 'two']);
    await expect.poll(waiting).toBe(2);
    two.child.kill('SIGSTOP');
    for (const name of ['one', 'two']) box.ok('exec', name, 'touch', '/go');
    await expect.poll(() => box.ok('ps', '-aq')).toBe('');
    two.child.kill('SIGCONT');
    expect((await two.ended).stdout).toBe('6\n6\n');
    expect(waiting()).toBe(0);
  });

  test.each([
    ['stopped', ['stop', '-t', '0'], /^container web is not running$/],
    ['removed', ['rm', '-f'], /^no such container: web$/],
  ])('that is %s before a further command starts says so', async (_, end, message) => {
    const { Store, prepareExec } = await library();
    start(...FOREVER);
    const store = Store.open(box.root);
    try {
      const options = { command: ['true'], terminal: false, stdin: false, detached: false };
      const exec = await prepareExec(store, 'web', options);
      box.ok(...end, 'web');
      await expect(exec.start()).rejects.toThrow(message);
    } finally {
      store.close();
    }
  });

  test('has not ended while its policy starts it again', () => {
    box.ok(
      'run',
      '-d',
      '--network',
      'none',
      '--restart',
      'on-failure:2',
      '--name',
      'again',
      'box',
      'sh',
      '-c',
      'exit 3',
    );
    expect(box.ok('wait', 'again')).toBe('3');
    expect(box.ok('inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'again')).toBe('2 exited');
    box.ok('rm', 'again');
  });

  test('is started with all those that a boot is to start', () => {
    const made = ['no', 'always', 'unless-stopped', 'on-failure'].map((policy) =>
      box.ok('create', '--network', 'none', '--restart', policy, '--name', policy, 'box', ...FOREVER),
    );
    box.ok('start', 'always', 'unless-stopped');
    box.ok('stop', '-t', '0', 'always', 'unless-stopped');
    // Who has stopped one wants it to stay so, but for `always`.
    expect(box.ok('start', '--all', '--filter', 'should-start-on-boot=true')).toBe(made[1]);
    expect(box.ok('start', '--all', '--filter', 'restart-policy=no', '-f', 'name=no')).toBe(made[0]);
    expect(box.ok('ps', '--format', '{{.Names}}', '-f', 'status=running')).toBe('always\nno');
    expect(box.fails(2, 'start')).toContain('name containers, or say --all');
    expect(box.fails(2, 'start', '--all', 'always')).toContain('name containers, or say --all');
  });

  test('is in use only once: of several who start it, all see one run', async () => {
    create(...FOREVER);
    const starters = [1, 2, 3].map(() => startCli(['--root', box.root, 'start', 'web']));
    const codes = await Promise.all(starters.map(async ({ ended }) => (await ended).code));
    expect(codes).toEqual([0, 0, 0]);
    expect(state()).toBe('running');
    expect(readFileSync(path.join(runDirectory(box.root), box.ok('ps', '-aq').trim(), 'pidfile'), 'utf8')).toMatch(
      /^\d+$/,
    );
  });
});
