// Deaths in what `run` does, networks included: veneer at any moment of starting, stopping and removing, everything at once, the host.
// Afterwards the list tells what is, a removal removes everything, and the store is in order.

import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isFrozen } from '../../src/runtime/index.js';
import { MNT_DETACH, umount2 } from '../../src/sys/index.js';
import { boxStore, processesOf, runDirectory } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { alive } from '../helpers/death.js';
import { runWell } from '../helpers/other-process.js';
import { FORGET_MOUNTS } from '../helpers/own-mounts.js';
import { requires } from '../helpers/requires.js';
import { CLI } from '../helpers/run-cli.js';
import { mountsBelow } from '../helpers/tmp.js';

const gate = requires('root', 'fuse', 'tar', 'build', 'busybox', 'containers', 'seccomp', 'netavark');

const DETACHED = ['run', '-d', '--name', 'web', '-p', '127.0.0.1::80', 'box', 'sleep', '1000'];

describe.skipIf(gate.skip)(gate.title('a death'), () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore('deaths');
  });
  afterAll(() => box[Symbol.asyncDispose]());
  beforeEach(() => box.empty());

  async function kill(...pids: readonly number[]): Promise<void> {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // ESRCH: one of the others took it along.
      }
    }
    await expect.poll(() => pids.filter(alive), { interval: 5 }).toEqual([]);
  }

  /** Kills a command at a moment of its life, then the next one has to find its way. */
  async function killAfter(milliseconds: number, ...words: string[]): Promise<void> {
    const { child, ended } = box.start(words);
    await sleep(milliseconds);
    child.kill('SIGKILL');
    await ended;
    box.ok('ps', '-a');
  }

  const status = (): string => box.ok('ps', '-a', '--format', '{{.Status}}');
  const removeAll = async (): Promise<void> => {
    if (box.ok('ps', '-aq') !== '') box.ok('rm', '-f', 'web');
    expect(await box.leaks()).toEqual([]);
  };

  test('of everything at once is told, and the ports are free again', async () => {
    const publish = `127.0.0.1:${String(20_000 + (process.pid % 10_000))}:80`;
    const run = ['run', '-d', '--name', 'web', '-p', publish, 'box', 'sleep', '1000'];
    box.ok(...run);
    await kill(...processesOf(box.root).map(({ pid }) => pid));
    expect(status()).toMatch(/^Exited \(137\)/);
    box.ok('start', 'web');
    expect(status()).toMatch(/^Up/);
    await kill(...processesOf(box.root).map(({ pid }) => pid));
    await removeAll();
    box.ok(...run);
    await box.expectNoLeaks();
  });

  test('of veneer in the foreground leaves a container that ends as others do', async () => {
    const { child } = box.start(['run', '--rm', '--name', 'web', 'box', 'sh', '-c', 'echo started; sleep 1000']);
    await once(child.stdout!, 'data');
    await kill(child.pid!);
    expect(status()).toMatch(/^Up/);
    box.ok('kill', 'web');
    await expect.poll(() => box.ok('ps', '-aq')).toBe('');
    expect(await box.leaks()).toEqual([]);
  });

  test.each([50, 110, 170, 230, 290, 350])(
    'of run -d after %i ms leaves nothing that cannot be removed',
    async (ms) => {
      await killAfter(ms, ...DETACHED);
      await removeAll();
    },
  );

  test.each([60, 140, 220])('of stop after %i ms leaves what can be started', async (ms) => {
    box.ok(...DETACHED);
    await killAfter(ms, 'stop', '-t', '0', 'web');
    box.ok('restart', '-t', '0', 'web');
    expect(status()).toMatch(/^Up/);
    await removeAll();
  });

  test.each([60, 140, 220])('of rm -f after %i ms leaves what can be removed', async (ms) => {
    box.ok(...DETACHED);
    await killAfter(ms, 'rm', '-f', 'web');
    await removeAll();
  });

  test.each([60, 140, 220])('of commit after %i ms leaves a container that goes on', async (ms) => {
    box.ok('run', '-d', '--name', 'web', 'box', 'sh', '-c', 'while echo x >>/written; do sleep 0.01; done');
    await killAfter(ms, 'commit', 'web', `half:${String(ms)}`);
    // Who held it lets it go when it finds that the commit has died.
    await expect.poll(status).toMatch(/^Up [^(]*$/);
    const size = (): number => Number(box.ok('exec', 'web', 'stat', '-c', '%s', '/written'));
    const before = size();
    await expect.poll(size).toBeGreaterThan(before);
    box.ok('commit', 'web', 'whole');
    await removeAll();
    // A dead process may leave things in staging/, which harm nobody and go with the next prune.
    box.ok('system', 'prune', '-f');
    box.check();
  });

  test('of commit while it holds the container lets that go', async () => {
    box.ok('run', '-d', '--name', 'web', '--network', 'none', 'box', 'sh', '-c', 'echo x >/written; sleep 1000');
    const init = Number(box.ok('inspect', '-f', '{{.State.Pid}}', 'web'));
    // Under load it may be through before it is killed.
    for (let code: number | null = 0; code === 0;) {
      const { child, ended } = box.start(['commit', 'web', 'held']);
      while (!isFrozen(init) && child.exitCode === null) await nextTurn();
      child.kill('SIGKILL');
      ({ code } = await ended);
    }
    await expect.poll(() => isFrozen(init), { interval: 5 }).toBe(false);
    expect(status()).toMatch(/^Up [^(]*$/);
    await removeAll();
    // As above.
    box.ok('system', 'prune', '-f');
    box.check();
  });

  test('of the host is told after the next boot, and a container starts again', async () => {
    box.ok('run', '-d', '--name', 'web', '-p', '127.0.0.1::80', 'box', 'sh', '-c', 'echo kept >/kept; sleep 1000');
    box.ok('exec', 'web', 'sh', '-c', 'until [ -e /kept ]; do sleep 0.01; done');
    await kill(...processesOf(box.root).map(({ pid }) => pid));
    for (const target of mountsBelow(box.root).reverse()) umount2(target, MNT_DETACH);
    rmSync(runDirectory(box.root), { recursive: true, force: true });
    // A boot has another number; whoever is to see it lives in a mount namespace where it is.
    const boot = box.at('boot_id');
    writeFileSync(boot, readFileSync('/proc/sys/kernel/random/uuid'));
    const script = `${FORGET_MOUNTS}mount --bind '${boot}' /proc/sys/kernel/random/boot_id
veneer() { '${process.execPath}' '${CLI}' "$@"; }
veneer ps -a --format '{{.Names}} {{.Status}}'
veneer start web; veneer exec web cat /kept; veneer ps --format '{{.Names}}'; veneer rm -f web; veneer ps -aq`;
    const shown = await runWell('unshare', ['-m', 'sh', '-euc', script], {
      env: { ...process.env, VENEER_ROOT: box.root },
    });
    expect(shown).toMatch(/^web Exited \(137\).*\nweb\nkept\nweb\nweb\n$/);
    await box.expectNoLeaks();
  });
});
