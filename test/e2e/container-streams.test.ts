// The streams and exit codes of containers, as scripts meet them.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';
import { CLI, runCli } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'tar', 'build', 'busybox', 'containers');
const ALONE = ['--network', 'none'];

describe.skipIf(gate.skip)(gate.title('the streams of a container'), () => {
  let box: BoxStore;

  beforeAll(async () => {
    box = await boxStore('streams');
  });
  afterEach(() => box.empty());
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  const env = (): Record<string, string> => ({ VENEER_ROOT: box.root });
  const run = (...args: string[]): ReturnType<typeof runCli> => box.run('run', '--rm', ...ALONE, ...args);

  test('are kept apart, and the exit code is the command’s', () => {
    expect(run('box', 'sh', '-c', 'echo out; echo err >&2; exit 42')).toEqual({
      code: 42,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test.each([
    [['box', 'nonesuch'], 127, /no such command in the container: nonesuch/],
    [['box', '/etc/passwd'], 126, /cannot start container \w+: \/etc\/passwd: permission denied$/m],
    [['--pull', 'never', 'nosuch:1', 'x'], 125, /no such image: nosuch:1/],
  ])('%j exits with %i', (args, code, message) => {
    const result = run(...args);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
  });

  test('an --env-file is the container’s, and not Node’s', () => {
    const PATH = `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
    const { status, stderr } = spawnSync(CLI, ['run', '--env-file', '/nosuch/env', 'box', 'true'], {
      encoding: 'utf8',
      env: { ...process.env, ...env(), PATH },
    });
    expect(status).toBe(125);
    expect(stderr).toMatch(/^veneer: --env-file '\/nosuch\/env': no such file or directory/);
  });

  test.each([
    ['echo', 'c\n'],
    ['["echo","a b"]', 'a b c\n'],
  ])('the entry point %s', (entrypoint, stdout) => {
    expect(run('--entrypoint', entrypoint, 'box', 'c')).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('without a command there is no container', () => {
    const { code, stderr } = box.run('run', 'scratch');
    expect(code).toBe(125);
    expect(stderr).toContain('there is no command to run');
    expect(box.ok('ps', '-aq')).toBe('');
  });

  test('a pipe into it loses nothing, both ways, and ends', () => {
    const input = Buffer.alloc(20_000_000, 'all of this, and no more. ');
    const child = spawnSync(process.execPath, [CLI, 'run', '-i', '--rm', ...ALONE, 'box', 'cat'], {
      input,
      env: { ...process.env, ...env() },
      maxBuffer: 1 << 28,
    });
    expect(child.stderr.toString()).toBe('');
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect([child.status, child.stdout.length, digest(child.stdout)]).toEqual([0, input.length, digest(input)]);
  });

  test('a command that does not read its input is not waited for', async () => {
    const child = spawn(process.execPath, [CLI, 'run', '-i', '--rm', ...ALONE, 'box', 'true'], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { ...process.env, ...env() },
    });
    // It stays open.
    child.stdin.on('error', () => undefined).write(Buffer.alloc(1 << 20));
    expect(await once(child, 'exit')).toEqual([0, null]);
    child.stdin.destroy();
  });

  test('without -i, standard input is not touched', () => {
    const script = `'${process.execPath}' '${CLI}' run --rm --network none box cat; cat`;
    const child = spawnSync('sh', ['-c', script], { input: 'for the next one\n', env: { ...process.env, ...env() } });
    expect(child.stdout.toString()).toBe('for the next one\n');
  });

  test('one whose reader has gone ends', () => {
    const script = `'${process.execPath}' '${CLI}' run --rm --network none box yes | head -n 1`;
    const child = spawnSync('sh', ['-c', script], { env: { ...process.env, ...env() }, timeout: 30_000 });
    expect([child.stdout.toString(), child.stderr.toString()]).toEqual(['y\n', '']);
    expect(box.ok('ps', '-aq')).toBe('');
  });

  test('signals reach the command', async () => {
    const script = 'trap "echo got it; exit 5" TERM; echo ready; while :; do sleep 0.05; done';
    const running = box.start(['run', '--rm', ...ALONE, 'box', 'sh', '-c', script]);
    await expect.poll(() => running.output.stdout).toBe('ready\n');
    running.child.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 5, stdout: 'ready\ngot it\n', stderr: '' });
  });

  test('a third ^C leaves a command that takes none', async () => {
    const running = box.start([
      'run',
      '--name',
      'stubborn',
      ...ALONE,
      'box',
      'sh',
      '-c',
      'echo ready; exec sleep 1000',
    ]);
    await expect.poll(() => running.output.stdout).toBe('ready\n');
    for (let times = 0; times < 3; times += 1) {
      running.child.kill('SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(box.ok('ps', '--format', '{{.Names}}')).toBe('stubborn');
  });

  test('exec: streams, codes, users, directories, variables', () => {
    box.ok('run', '-d', '--name', 'web', ...ALONE, 'box', 'sleep', '1000');
    const exec = (...args: string[]): ReturnType<typeof runCli> => box.run('exec', ...args);
    expect(exec('web', 'sh', '-c', 'echo out; echo err >&2; exit 3')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(exec('-u', 'ada', '-w', '/tmp', '-e', 'A=b', 'web', 'sh', '-c', 'id -un; pwd; echo $A $HOME').stdout).toBe(
      'ada\n/tmp\nb /home/ada\n',
    );
    expect(runCli(['exec', '-i', 'web', 'cat'], { input: 'piped', env: env() }).stdout).toBe('piped');
    expect(exec('web', 'nonesuch').code).toBe(127);
    expect(exec('-d', 'web', 'touch', '/tmp/made')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(exec('nosuch', 'true')).toMatchObject({ code: 125 });
    box.ok('pause', 'web');
    expect(exec('web', 'true').stderr).toBe('veneer: container web is paused\n  hint: veneer unpause web\n');
    box.ok('unpause', 'web');
    box.ok('stop', '-t', '0', 'web');
    expect(exec('web', 'true').stderr).toBe('veneer: container web is not running\n  hint: veneer start web\n');
  });

  test('exec outlives who started it', async () => {
    box.ok('run', '-d', '--name', 'web', ...ALONE, 'box', 'sleep', '1000');
    const running = box.start(['exec', 'web', 'sh', '-c', 'echo on; sleep 0.5; echo done >/tmp/done']);
    await expect.poll(() => running.output.stdout).toBe('on\n');
    running.child.kill('SIGKILL');
    await once(running.child, 'exit');
    await expect.poll(() => box.run('exec', 'web', 'cat', '/tmp/done').stdout).toBe('done\n');
  });

  test('logs: apart, joined, cut, followed to the end', async () => {
    const script = 'echo one; echo two >&2; printf three; sleep 0.2; echo " and four"; sleep 0.5; echo five';
    box.ok('run', '-d', '--name', 'talks', ...ALONE, 'box', 'sh', '-c', script);
    const followed = await box.start(['logs', '-f', 'talks']).ended;
    expect(followed).toEqual({ code: 0, stdout: 'one\nthree and four\nfive\n', stderr: 'two\n' });
    expect(box.run('logs', 'talks')).toEqual(followed);
    expect(box.ok('logs', '-n', '1', 'talks')).toBe('five');
    expect(box.ok('logs', '-n', '1', '-t', 'talks')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z five$/);
    expect(box.ok('logs', '--since', '0s', 'talks')).toBe('');
    box.ok('run', '--name', 'bb', ...ALONE, 'box', 'echo', 'hello');
    expect(box.ok('logs', '-n', '1', 'talks', 'bb')).toBe('talks | five\nbb    | hello');
    box.ok('run', '--name', 'mute', '--log-driver', 'none', ...ALONE, 'box', 'echo', 'hello');
    expect(box.fails(1, 'logs', 'mute')).toMatch(/container mute keeps no log/);
  });

  test('attach shows what comes, and has the exit code', () => {
    box.ok('run', '-d', '-i', '--name', 'web', ...ALONE, 'box', 'sh', '-c', 'read -r word; echo $word; exit 6');
    const attached = runCli(['attach', 'web'], { input: 'hello\n', env: env() });
    expect(attached).toEqual({ code: 6, stdout: 'hello\n', stderr: '' });
    expect(box.fails(1, 'attach', 'web')).toBe('veneer: container web is not running\n  hint: veneer start -a web\n');
    expect(runCli(['start', '-ai', 'web'], { input: 'again\n', env: env() })).toEqual({
      code: 6,
      stdout: 'again\n',
      stderr: '',
    });
  });
});
