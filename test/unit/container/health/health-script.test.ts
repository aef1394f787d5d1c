import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { NOT_WATCHED_YET, healthDirectory, healthOf } from '../../../../src/container/health/health-file.js';
import type { Health } from '../../../../src/container/health/health-file.js';
import { healthSettings } from '../../../../src/container/health/health-settings.js';
import { healthScript } from '../../../../src/container/health/health-script.js';
import { identityOf } from '../../../../src/sys/index.js';
import { tempDir } from '../../../helpers/tmp.js';

interface Watched extends AsyncDisposable {
  readonly dir: string;
  /** Resolves to the first that is told which meets this. */
  until(holds: (health: Health) => boolean): Promise<Health>;
  /** The end of what is watched; resolves when the watcher has ended. */
  end(): Promise<void>;
  /** When the watcher has ended. */
  readonly ended: Promise<unknown>;
}

/** Watches a process with checks that a shell makes: $dir is theirs. */
async function watched(
  check: string,
  options: {
    retries?: number;
    timeout?: number;
    startPeriod?: number;
    freezers?: readonly string[];
    /** What the kernel says of the container is in a file `stat`, for checks to change. */
    ownStat?: boolean;
  } = {},
): Promise<Watched> {
  const temp = tempDir('health');
  const settings = healthSettings({ Test: ['CMD', 'x'] })!;
  const { retries = 2, timeout = 5000, startPeriod = 0, freezers = [], ownStat = false } = options;
  const first = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(first, 'spawn');
  const stat = path.join(temp.path, 'stat');
  if (ownStat) writeFileSync(stat, readFileSync(`/proc/${String(first.pid)}/stat`));
  const directory = healthDirectory(temp.path);
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'state'), NOT_WATCHED_YET);
  const script = path.join(directory, 'watch');
  const text = healthScript({
    settings: { ...settings, interval: 20, startInterval: 10, timeout, startPeriod, retries },
    first: identityOf(first.pid!)!,
    freezers,
    check: ['sh', '-c', `echo $$ >pid; dir='${temp.path}'; ${check}`],
    origin: Date.now() - uptime() * 1000,
  });
  writeFileSync(script, ownStat ? text.replace('/proc/$1/stat', stat) : text);
  const watcher = spawn('/bin/sh', [script], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    cwd: directory,
  });
  const ended = once(watcher, 'exit');
  const end = async (): Promise<void> => {
    first.kill('SIGKILL');
    await ended;
  };
  return {
    dir: temp.path,
    end,
    ended,
    async until(holds) {
      const changes = watch(directory);
      try {
        for (;;) {
          const changed = once(changes, 'change');
          const health = healthOf(temp.path);
          if (health !== undefined && holds(health)) return health;
          await changed;
        }
      } finally {
        changes.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await end();
      temp[Symbol.dispose]();
    },
  };
}

/** As the kernel changes it: at once. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const codes = ({ log }: Health): number[] => log.map(({ ExitCode }) => ExitCode);

describe('the watcher of a container', () => {
  test('tells what the checks say, and ends with the container', async () => {
    await using it = await watched('cat "$dir/words"; printf \'a\\0"\\377\' >&2; test -e $dir/well');
    const before = Date.now();
    writeFileSync(path.join(it.dir, 'words'), 'it is\n');
    const sick = await it.until(({ status }) => status === 'unhealthy');
    expect(sick).toMatchObject({ failingStreak: 2, log: [{}, { ExitCode: 1, Output: 'it is\na\0"\uFFFD' }] });
    const [start, end] = [Date.parse(sick.log[0]!.Start), Date.parse(sick.log[0]!.End)];
    // In hundredths of a second.
    expect(start).toBeGreaterThan(before - 20);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(Date.now() + 20);
    writeFileSync(path.join(it.dir, 'well'), '');
    expect(await it.until(({ status }) => status === 'healthy')).toMatchObject({ failingStreak: 0 });
    rmSync(path.join(it.dir, 'well'));
    // One failure does not make it unhealthy.
    expect(await it.until(({ failingStreak }) => failingStreak === 1)).toMatchObject({ status: 'healthy' });
    await it.end();
    expect(healthOf(it.dir)).toMatchObject({ status: 'unknown' });
  });

  test('keeps the last five results, and of each 4 KiB', async () => {
    await using it = await watched(
      'n=$(cat $dir/n || echo 0); echo $((n + 1)) >$dir/n; echo $n; yes | head -c 9999; exit $n',
      {
        retries: 8,
      },
    );
    const health = await it.until(({ failingStreak }) => failingStreak === 7);
    expect(health).toMatchObject({ status: 'healthy' });
    expect(codes(health)).toEqual([3, 4, 5, 6, 7]);
    expect(health.log.map(({ Output }) => Output.slice(0, 5))).toEqual(
      [3, 4, 5, 6, 7].map((n) => `${String(n)}\ny\ny`.slice(0, 5)),
    );
    expect(health.log.map(({ Output }) => Output.length)).toEqual([4096, 4096, 4096, 4096, 4096]);
  });

  test('ends a check that takes too long, with what it has started', async () => {
    await using it = await watched('sleep 1000 & echo $! >>$dir/pids; trap "" TERM; wait; sleep 1000', {
      timeout: 50,
      retries: 1,
    });
    const health = await it.until(({ status }) => status === 'unhealthy');
    expect(health.log[0]).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (0.05s)' });
    const [left] = readFileSync(path.join(it.dir, 'pids'), 'utf8').split('\n');
    await expect.poll(() => existsSync(`/proc/${left!}`)).toBe(false);
  });

  test('does not count failures in the start period, until it was well once', async () => {
    await using it = await watched('test -e $dir/well', { startPeriod: 3_600_000, retries: 1 });
    const starting = await it.until(({ log }) => log.length === 3);
    expect(starting).toMatchObject({ status: 'starting', failingStreak: 0 });
    writeFileSync(path.join(it.dir, 'well'), '');
    await it.until(({ status }) => status === 'healthy');
    rmSync(path.join(it.dir, 'well'));
    await it.until(({ status }) => status === 'unhealthy');
  });

  test('what cannot be started is no exit code', async () => {
    await using it = await watched('rm pid; echo no such command; exit 127', { retries: 1 });
    const health = await it.until(({ status }) => status === 'unhealthy');
    expect(health.log[0]).toMatchObject({ ExitCode: -1, Output: 'no such command\n' });
  });

  test('does not check what is held', async () => {
    using temp = tempDir('freezer');
    const files = ['none', 'freezer.state', 'cgroup.events'].map((name) => path.join(temp.path, name));
    const [, state = '', events = ''] = files;
    writeFileSync(state, 'FROZEN\n');
    writeFileSync(events, 'populated 1\nfrozen 1\n');
    await using it = await watched(`grep THAWED ${state} && grep 'frozen 0' ${events}`, { freezers: files });
    // Some rounds, each of which would be a failure.
    await sleep(100);
    replace(state, 'THAWED\n');
    await sleep(100);
    replace(events, 'populated 1\nfrozen 0\n');
    const health = await it.until(({ log }) => log.length > 0);
    expect(codes(health)).toEqual([0]);
  });

  test('does not judge a check that fails because the container is ending', async () => {
    const ends = 'awk "{ \\$9 += 4 } 1" $dir/stat >$dir/stat.new && mv $dir/stat.new $dir/stat';
    await using it = await watched(`[ -e $dir/ending ] || exit 1; ${ends}; exit 137`, { ownStat: true, retries: 9 });
    await it.until(({ log }) => log.length === 1);
    writeFileSync(path.join(it.dir, 'ending'), '');
    await it.ended;
    expect(codes(healthOf(it.dir)!)).not.toContain(137);
  });

  test('survives a check that kills its process group', async () => {
    await using it = await watched('kill -9 0', { retries: 2 });
    const health = await it.until(({ status }) => status === 'unhealthy');
    expect(codes(health)).toEqual([137, 137]);
  });
});
