// What is left when a part of a running container is killed: `ps` tells the truth, and the next command puts everything right.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { identityOf } from '../../src/sys/index.js';
import { statisticsSocket } from '../../src/overlay/statistics-door.js';
import { boxStore, runDirectory } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';
import { startCli } from '../helpers/run-cli.js';

const needs = requires('root', 'fuse', 'containers', 'busybox', 'build');

interface Run {
  readonly process: { readonly pid: number };
  readonly monitor: { readonly pid: number };
  readonly server: { readonly pid: number };
}

describe.skipIf(needs.skip)(needs.title('a container that runs'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('run-death');
  });
  afterEach(() => box.empty());
  afterAll(async () => {
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  /** The row of the last run, changed if there is something to change. */
  const row = (change?: (run: Record<string, unknown>) => object): Run => {
    const sql = new Database(path.join(box.root, 'veneer.db'));
    try {
      const json = sql.prepare('SELECT run FROM container_runs').pluck().get() as string;
      const run = JSON.parse(json) as Record<string, unknown>;
      if (change !== undefined) sql.prepare('UPDATE container_runs SET run = ?').run(JSON.stringify(change(run)));
      return run as unknown as Run;
    } finally {
      sql.close();
    }
  };
  const create = (...words: string[]): string => box.ok('create', '--name', 'web', ...words).trim();
  const start = (...words: string[]): Run => {
    create(...words);
    box.ok('start', 'web');
    return row();
  };
  const startForever = (): Run => start('box', 'sleep', '1000');
  const state = (): string => box.ok('ps', '-a', '--format', '{{.State}}').trim();
  /** What is said of its end, once somebody has cleaned up. */
  const error = (): string => {
    box.ok('stop', 'web');
    return (row() as unknown as { error?: string }).error ?? '';
  };
  const kill = (...pids: number[]): void => pids.forEach((pid) => process.kill(pid, 'SIGKILL'));
  const isThere = (pid: number): boolean => {
    try {
      return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${String(pid)}/stat`, 'latin1'));
    } catch {
      return false;
    }
  };

  test('has ended when its process was killed', async () => {
    kill(startForever().process.pid);
    expect(box.ok('wait', 'web')).toBe('137');
    await expect.poll(state).toBe('exited');
    expect(await box.leaks()).toEqual([]);
  });

  test('goes on without its monitor, and ends when it is told to', async () => {
    const { monitor } = startForever();
    kill(monitor.pid);
    expect(state()).toBe('running');
    box.ok('stop', '-t', '0', 'web');
    expect(box.ok('wait', 'web')).toBe('137');
    expect(await box.leaks()).toEqual([]);
    box.ok('start', 'web');
    expect(state()).toBe('running');
  });

  test('of which everything was killed at once is known as ended, and can be started again', async () => {
    const { process: init, monitor, server } = startForever();
    kill(server.pid, monitor.pid, init.pid);
    await expect.poll(() => [server, monitor, init].some(({ pid }) => isThere(pid))).toBe(false);
    expect(state()).toBe('exited');
    expect(error()).toMatch(/its monitor \(conmon\) was killed/);
    box.ok('start', 'web');
    expect(state()).toBe('running');
    const again = row();
    const tree = path.join(box.root, 'containers', box.ok('ps', '-q', '--no-trunc').trim(), 'merged');
    const door = statisticsSocket(tree, { env: process.env, uid: 0 }) ?? '';
    await expect.poll(() => existsSync(door)).toBe(true);
    kill(again.server.pid, again.monitor.pid, again.process.pid);
    box.ok('rm', '-f', 'web');
    expect(await box.leaks()).toEqual([]);
    expect(existsSync(door)).toBe(false);
  });

  test('without the server of its tree says so, and works again after a restart', async () => {
    const { server } = startForever();
    kill(server.pid);
    await expect.poll(() => isThere(server.pid)).toBe(false);
    expect(state()).toBe('running');
    expect(box.ok('ps', '--format', '{{.Status}}')).toMatch(/^Up .* \(file system died\)$/);
    const reason = `its server, process ${String(server.pid)}, is gone`;
    expect(box.ok('inspect', '--format', '{{.State.Error}}', 'web')).toBe(`the file system has died: ${reason}`);
    for (const words of [
      ['diff', 'web'],
      ['commit', 'web', 'new'],
      ['cp', 'web:/etc/passwd', '-'],
    ]) {
      const { code, stderr } = box.run(...words);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^veneer: the file system of container web has died \\(its server, process ${String(server.pid)}, is gone; .*/log\\)\n` +
            '  hint: veneer restart web\n$',
        ),
      );
    }
    box.ok('restart', '-t', '0', 'web');
    expect(box.ok('diff', 'web')).toBe('');
    expect(state()).toBe('running');
    box.ok('rm', '-f', 'web');
    expect(await box.leaks()).toEqual([]);
  });

  test('whose server was stopped is told from one that works, and can be removed', () => {
    const { server } = startForever();
    process.kill(server.pid, 'SIGSTOP');
    expect(box.ok('ps', '--format', '{{.Status}}')).toMatch(/^Up .* \(file system halted\)$/);
    const number = String(server.pid);
    const reason = `its server, process ${number}, is stopped (kill -CONT ${number} lets it go on)`;
    expect(box.ok('inspect', '--format', '{{.State.Error}}', 'web')).toBe(`the file system does not answer: ${reason}`);
    for (const words of [
      ['diff', 'web'],
      ['commit', 'web', 'new'],
      ['cp', 'web:/etc/passwd', '-'],
      ['exec', 'web', 'true'],
    ]) {
      const { code, stderr } = box.run(...words);
      expect(code).toBe(words[0] === 'exec' ? 125 : 1);
      expect(stderr).toBe(
        `veneer: the file system of container web does not answer: ${reason}\n  hint: veneer restart web\n`,
      );
    }
    process.kill(server.pid, 'SIGCONT');
    expect(box.ok('exec', 'web', 'echo', 'on')).toBe('on');
    process.kill(server.pid, 'SIGSTOP');
    box.ok('restart', '-t', '0', 'web');
    process.kill(row().server.pid, 'SIGSTOP');
    box.ok('rm', '-f', 'web');
  });

  test('has ended when the host went down', async () => {
    const { process: init, monitor, server } = startForever();
    // As a boot later: nothing runs, nothing is mounted, and the run directory is empty.
    kill(server.pid, monitor.pid, init.pid);
    await expect.poll(() => [server, monitor, init].some(({ pid }) => isThere(pid))).toBe(false);
    box.run('umount', 'web');
    rmSync(runDirectory(box.root), { recursive: true });
    row((run) => ({ ...run, phase: 'started', boot: '00000000-0000-0000-0000-000000000000' }));
    expect(state()).toBe('exited');
    // Who was starting it is gone, too.
    row((run) => ({ ...run, phase: 'starting' }));
    expect(box.ok('wait', 'web')).toBe('137');
    expect(error()).toMatch(/the host went down/);
    box.ok('start', 'web');
    expect(state()).toBe('running');
  });

  test('is not ended by the death of who started it', async () => {
    create('box', 'sleep', '1000');
    const starter = startCli(['--root', box.root, 'start', 'web']);
    await starter.ended;
    starter.child.kill('SIGKILL');
    expect(state()).toBe('running');
  });

  test.each([60, 120, 180, 240])(
    'can be started although who started it was killed after %s ms',
    async (milliseconds) => {
      create('box', 'sleep', '1000');
      const starter = startCli(['--root', box.root, 'start', 'web']);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      starter.child.kill('SIGKILL');
      await starter.ended;
      expect(['created', 'mounted', 'running']).toContain(state());
      box.ok('start', 'web');
      expect(state()).toBe('running');
      box.ok('rm', '-f', 'web');
      expect(await box.leaks()).toEqual([]);
    },
  );

  describe('with a policy', () => {
    test('is started again when it fails, so often', async () => {
      const id = create('--restart', 'on-failure:2', 'box', 'sh', '-c', 'echo again; exit 1');
      box.ok('start', 'web');
      const log = path.join(box.root, 'containers', id, 'output.log');
      const times = (): number => readFileSync(log, 'utf8').split('again').length - 1;
      await expect.poll(times).toBe(3);
      await expect.poll(state).toBe('exited');
      expect(times()).toBe(3);
      expect(await box.leaks()).toEqual([]);
    });

    test('stays stopped when it was, also while it waits to be started', async () => {
      create('--restart', 'always', 'box', 'sleep', '1000');
      box.ok('start', 'web');
      box.ok('stop', '-t', '0', 'web');
      expect(state()).toBe('exited');
      expect(await box.leaks()).toEqual([]);
      box.ok('rm', 'web');
      create('--restart', 'always', 'box', 'true');
      box.ok('start', 'web');
      await expect.poll(state).toBe('restarting');
      box.ok('stop', 'web');
      expect(state()).toBe('exited');
      expect(await box.leaks()).toEqual([]);
    });

    test('is restarting while somebody starts it', () => {
      create('--restart', 'always', 'box', 'sleep', '1000');
      box.ok('start', 'web');
      box.ok('stop', '-t', '0', 'web');
      // Its starter is this test.
      row((run) => ({ ...run, phase: 'starting', exitCode: 3, pause: 100, starter: identityOf(process.pid) }));
      expect(box.ok('ps', '-a', '--format', '{{.Status}}')).toMatch(/^Restarting \(3\)/);
      row((run) => ({ ...run, phase: 'ended' }));
    });

    test('is restarting from its end on', async () => {
      create('--restart', 'always', 'box', 'sleep', '1000');
      box.ok('start', 'web');
      const { monitor: first } = row();
      box.ok('stop', '-t', '0', 'web');
      // It has become who cleans up, and would believe what follows.
      await expect.poll(() => isThere(first.pid)).toBe(false);
      const status = (): string => box.ok('ps', '-a', '--format', '{{.Status}}');
      // Its monitor, which becomes who cleans up, is this test.
      const monitor = identityOf(process.pid);
      for (const phase of ['ending', 'ended'] as const) {
        row(({ stopped: _, ...run }) => ({ ...run, phase, exitCode: 3, monitor }));
        expect(status()).toMatch(/^Restarting \(3\)/);
      }
      row((run) => ({ ...run, stopped: true }));
      expect(status()).toMatch(/^Exited \(3\)/);
    });

    test('stays stopped although who cleans up at its end comes after who stopped it', () => {
      const id = create('--restart', 'always', 'box', 'sleep', '1000');
      box.ok('start', 'web');
      const { process: init, monitor } = row();
      kill(monitor.pid, init.pid);
      box.ok('stop', 'web');
      // As conmon has it done.
      box.ok('container', 'cleanup', id);
      expect(state()).toBe('exited');
    });
  });
});
