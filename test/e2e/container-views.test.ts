import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boxStore, processesOf } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires, runProgram } from '../helpers/requires.js';
import { CLI } from '../helpers/run-cli.js';

const gate = requires('containers', 'build', 'root', 'fuse', 'busybox');

/** Three containers: one that runs, one that is paused, one that has ended; and one that was only made. */
describe.skipIf(gate.skip)(gate.title('containers that run'), () => {
  let box: BoxStore;

  beforeAll(async () => {
    box = await boxStore('views');
    const create = (name: string, script: string, ...more: string[]): string =>
      box.ok('create', '--network', 'none', '--name', name, ...more, 'box', 'sh', '-c', script);
    create('web', 'echo shm > /dev/shm/file; sleep 1000 & exec sleep 1000', '-l', 'part=front', '--expose', '80');
    create('held', 'exec sleep 1000', '-l', 'part=back');
    create('gone', 'exit 3', '-l', 'part=back');
    create('made', 'true');
    box.ok('start', 'web', 'held', 'gone');
    box.ok('pause', 'held');
    box.ok('wait', 'gone');
  }, 60_000);

  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  const names = (...args: string[]): string => box.ok('ps', '--format', '{{.Names}}', ...args).replaceAll('\n', ' ');

  test('ps tells what each does', () => {
    const line = '{{.Names}} {{.State}} {{.Status}}';
    expect(box.ok('ps', '-a', '--format', line).split('\n')).toEqual([
      'made created Created',
      expect.stringMatching(/^gone exited Exited \(3\) (?:\d+ seconds?|Less than a second) ago$/),
      expect.stringMatching(/^held paused Up .*seconds? \(Paused\)$/),
      expect.stringMatching(/^web running Up (?:\d+ seconds?|Less than a second)$/),
    ]);
    expect(names()).toBe('held web');
    expect(box.ok('ps', '--format', 'table {{.Names}}\t{{.Label "part"}}\t{{.Networks}}')).toMatch(
      /^NAMES +part +NETWORKS\nheld +back +none\nweb +front +none$/,
    );
    expect(box.ok('ps', '-s').split('\n')[0]).toMatch(/NAMES +SIZE$/);
    expect(box.ok('ps', '-s', '-f', 'name=web', '--format', '{{.Size}}')).toMatch(/^0B \(virtual \d.*MB\)$/);
  });

  test.each([
    [['--filter', 'status=exited'], 'gone'],
    [['--filter', 'status=running', '--filter', 'status=paused'], 'held web'],
    [['--filter', 'exited=3'], 'gone'],
    [['--filter', 'exited=0'], ''],
    [['--filter', 'label=part'], 'held web'],
    [['-a', '--filter', 'label=part=back'], 'gone held'],
    [['-a', '--filter', 'label=part=back', '--filter', 'name=^h'], 'held'],
    [['-a', '--filter', 'name=e'], 'made gone held web'],
    [['-a', '--filter', 'name=^/web$'], 'web'],
    [['-a', '--filter', 'before=gone'], 'held web'],
    [['-a', '--filter', 'since=gone'], 'made'],
    [['-a', '--filter', 'ancestor=box'], 'made gone held web'],
    [['-a', '--filter', 'ancestor=other'], ''],
    [['-a', '--filter', 'health=none'], 'made gone held web'],
    [['--filter', 'network=none', '--filter', 'expose=80'], 'web'],
    [['--filter', 'publish=80'], ''],
    [['-a', '--filter', 'volume=/data'], ''],
    [['-n', '2'], 'made gone'],
    [['-l'], 'made'],
    [['-n', '1', '--filter', 'label=part'], 'gone'],
  ])('ps %j lists %j', (args, expected) => {
    expect(names(...args)).toBe(expected);
  });

  test('top shows the processes', () => {
    const [head, ...lines] = box.ok('top', 'web').split('\n');
    expect(head).toMatch(/^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
    expect(lines.map((line) => line.split(/ {2,}/).at(-1))).toEqual(['sleep 1000', 'sleep 1000']);
    expect(box.ok('container', 'top', 'web', '-o', 'pid,comm').split('\n')).toHaveLength(3);
    expect(box.fails(1, 'top', 'web', '-o', 'comm')).toContain('no column PID');
    expect(box.fails(1, 'top', 'web', '--no-such')).toContain('ps --no-such: ');
    expect(box.fails(1, 'top', 'gone')).toContain('container gone is not running');
    expect(box.fails(1, 'top', 'none')).toContain('no such container: none');
  });

  test('stats shows what they use', () => {
    const [head, ...lines] = box.ok('stats', '--no-stream').split('\n');
    expect(head).toMatch(/^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/);
    const cells = lines.map((line) => line.split(/ {2,}/));
    expect(cells.map((line) => [line[1], line.at(-1)])).toEqual([
      ['held', '1'],
      ['web', '2'],
    ]);
    expect(cells[0]?.[2]).toBe('0.00%');
    expect(cells[1]?.[3]).toMatch(/^[\d.]+[KM]iB \/ [\d.]+GiB$/);
    expect(box.ok('stats', '--no-stream', '-a', '--format', '{{.Name}} {{.PIDs}}').split('\n')).toEqual([
      'made --',
      'gone --',
      'held 1',
      'web 2',
    ]);
    expect(box.fails(1, 'stats', 'none')).toContain('no such container: none');
  });

  test('stats tells what is busy', () => {
    box.ok('create', '--network', 'none', '--name', 'busy', 'box', 'sh', '-c', 'while :; do :; done');
    box.ok('start', 'busy');
    // Others may be as busy beside it.
    const share = box.ok('stats', '--no-stream', '--format', '{{.CPUPerc}}', 'busy');
    expect(Number.parseFloat(share)).toBeGreaterThan(5);
    box.ok('rm', '-f', 'busy');
  });

  test('stats goes on until it is told to stop', async () => {
    const child = spawn(process.execPath, [CLI, '--root', box.root, 'stats', '--format', '{{.Name}}', 'web'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      expect(line).toBe('web');
      seen += 1;
      if (seen === 2) child.kill('SIGTERM');
    }
    await ended;
    expect(seen).toBeGreaterThanOrEqual(2);
  });

  test('cp sees what the programs see', () => {
    writeFileSync(box.at('new'), 'new\n');
    box.ok('cp', '-q', 'new', 'web:/dev/shm/new');
    box.ok('cp', '-q', 'new', 'web:/srv/../../../../etc/new');
    box.ok('cp', '-q', 'web:/dev/shm', box.at('shm'));
    expect(readdirSync(box.at('shm'))).toEqual(['file', 'new']);
    // A link of the kernel's that would lead out.
    expect(box.fails(1, 'cp', 'web:/proc/1/root/etc/passwd', '.')).toContain('web:/proc/1/root/etc/passwd');
  });

  test('health checks run as long as the container', async () => {
    const check = ['--health-cmd', 'echo looked; test -e /well', '--health-interval', '200ms', '--health-retries', '2'];
    box.ok('create', '--network', 'none', '--name', 'sick', '--restart', 'always', ...check, 'box', 'sleep', '1000');
    box.ok('start', 'sick');
    expect(box.ok('ps', '-f', 'name=sick', '--format', '{{.Status}}')).toMatch(/\((?:health: starting|unhealthy)\)$/);
    await expect.poll(() => names('-f', 'health=unhealthy')).toBe('sick');
    writeFileSync(box.at('well'), '');
    box.ok('cp', 'well', 'sick:/well');
    await expect.poll(() => names('-f', 'health=healthy')).toBe('sick');
    // Killed, it is started again by its policy, and so are its checks.
    const inspect = (path: string): string => box.ok('inspect', '-f', `{{json .${path}}}`, 'sick');
    runProgram('kill', ['-9', inspect('State.Pid')]);
    await expect.poll(() => inspect('RestartCount')).toBe('1');
    await expect.poll(() => inspect('State.Health.Status')).toBe('"healthy"');
    box.ok('stop', '-t', '0', 'sick');
    const log = JSON.parse(inspect('State.Health.Log')) as unknown[];
    expect(log.at(-1)).toMatchObject({ ExitCode: 0, Output: 'looked\n' });
    expect(processesOf(box.root).filter(({ command }) => command.includes('health'))).toEqual([]);
    expect(names('-a', '-f', 'health=healthy')).toBe('sick');
    box.ok('start', 'sick');
    // Its watcher killed, nobody knows.
    const watcher = processesOf(box.root).find(({ command }) => command.includes('/health/watch'))!;
    expect(watcher.command).toMatch(/^\/bin\/sh /);
    process.kill(watcher.pid, 'SIGKILL');
    await expect.poll(() => box.ok('ps', '-f', 'name=sick')).toContain('(health: unknown)');
    box.ok('rm', '-f', 'sick');
  });

  test('container prune leaves what runs', () => {
    const table = box.ok('container', 'prune', '-f');
    expect(table).toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n[0-9a-f]{64}\n\nTotal reclaimed space: /);
    expect(names('-a')).toBe('held web');
  });
});
