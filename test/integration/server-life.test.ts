// The server as a process: when it is ready, how it ends, what it leaves.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync, openSync, closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { MNT_DETACH, umount2 } from '../../src/sys/index.js';
import { backendGate, logFileOf, mountStaged, overlayDoor } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import { runWell } from '../helpers/other-process.js';
import { FORGET_MOUNTS } from '../helpers/own-mounts.js';
import { CLI } from '../helpers/run-cli.js';
import { Scenario } from '../helpers/scenario.js';

const alive = (pid: number): boolean => {
  try {
    // A zombie of a detached process belongs to init; its state is Z until reaped.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
};

async function ends(pid: number, within = 10_000): Promise<boolean> {
  const deadline = Date.now() + within;
  while (alive(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

const isMounted = (at: string): boolean => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${at} `);

/** The server of a mount is the same process whatever carries the requests to it. */
const TRANSPORTS = ['veneer', 'fuse-native'] as const;
type Transport = (typeof TRANSPORTS)[number];

let scenario: Scenario;
afterEach(() => scenario.remove());

async function start(kind: Transport): Promise<Mounted & { pid: number }> {
  scenario = new Scenario('server', { lower: [{ f: 'content', 'd/x': '' }], upper: {} });
  const mounted = await mountStaged(kind, scenario.staged);
  return { ...mounted, pid: mounted.pid! };
}

for (const kind of TRANSPORTS) {
  const gate = backendGate(kind);
  describe.skipIf(gate.skip)(gate.title(`the server of ${kind}`), () => {
    test('is another process, ready when the call returns', async () => {
      const { pid, root, unmount } = await start(kind);
      expect(pid).not.toBe(process.pid);
      expect(alive(pid)).toBe(true);
      expect(readFileSync(`${root}/f`, 'utf8')).toBe('content');
      expect((await overlayDoor()).mountedAt(root)).toBe(true);
      await unmount();
      expect((await overlayDoor()).mountedAt(root)).toBe(false);
    });

    test('shows as a FUSE file system in the mount table', async () => {
      const { root, unmount } = await start(kind);
      expect(await runWell('stat', ['-f', '-c', '%T', root])).toMatch(/fuse/);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).toMatch(new RegExp(` ${root} .* - fuse`));
      await unmount();
    });

    test('ends when un-mounted by unmountOverlay, before that resolves', async () => {
      const { pid, root, unmount } = await start(kind);
      writeFileSync(`${root}/new`, 'new');
      await unmount();
      expect(isMounted(root)).toBe(false);
      expect(await ends(pid, 500)).toBe(true);
      expect(readFileSync(`${scenario.staged.upper!}/new`, 'utf8')).toBe('new');
    });

    test('ends when un-mounted by umount(8)', async () => {
      const { pid, root } = await start(kind);
      await runWell('umount', [root]);
      expect(await ends(pid)).toBe(true);
    });

    test('un-mounts and ends on SIGTERM', async () => {
      const { pid, root } = await start(kind);
      writeFileSync(`${root}/new`, 'new');
      process.kill(pid, 'SIGTERM');
      expect(await ends(pid)).toBe(true);
      expect(isMounted(root)).toBe(false);
      expect(readFileSync(`${scenario.staged.upper!}/new`, 'utf8')).toBe('new');
    });

    test('ends on SIGTERM while a file is open, once it is closed or at once', async () => {
      const { pid, root } = await start(kind);
      const fd = openSync(`${root}/f`, 'r');
      process.kill(pid, 'SIGTERM');
      await sleep(300);
      closeSync(fd);
      expect(await ends(pid)).toBe(true);
      expect(isMounted(root)).toBe(false);
    });

    test('ends after a lazy un-mount, when the last file is closed', async () => {
      const { pid, root } = await start(kind);
      const fd = openSync(`${root}/f`, 'r');
      umount2(root, MNT_DETACH);
      await sleep(200);
      expect(alive(pid)).toBe(true);
      closeSync(fd);
      expect(await ends(pid)).toBe(true);
    });

    test('killed hard, it leaves layers that mount again', async () => {
      const { pid, root } = await start(kind);
      writeFileSync(`${root}/new`, 'new');
      process.kill(pid, 'SIGKILL');
      expect(await ends(pid)).toBe(true);
      umount2(root, MNT_DETACH);
      await scenario.on('veneer', (again) => expect(readdirSync(again).sort()).toEqual(['d', 'f', 'new']));
      scenario.expectLowersUnchanged();
    });

    test('writes a log file of JSON lines', async () => {
      const { unmount } = await start(kind);
      await unmount();
      const log = logFileOf(scenario.staged);
      expect(existsSync(log)).toBe(true);
      const lines = readFileSync(log, 'utf8').trim().split('\n');
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty('level');
    });

    test('keeps no file of the starter open, and stands in no directory of its', async () => {
      const { pid, unmount } = await start(kind);
      const links = readdirSync(`/proc/${String(pid)}/fd`).map((fd) => {
        try {
          return readlinkSync(`/proc/${String(pid)}/fd/${fd}`);
        } catch {
          return '';
        }
      });
      expect(links.filter((target) => target.startsWith('pipe:') && isMine(target))).toEqual([]);
      expect(readlinkSync(`/proc/${String(pid)}/cwd`)).toBe('/');
      await unmount();
    });

    test('refuses a second mount of one upper', async () => {
      const { unmount } = await start(kind);
      const other = new Scenario('server-2', { lower: [{}], upper: {} });
      try {
        const staged = { ...other.staged, upper: scenario.staged.upper!, work: scenario.staged.work };
        await expect(mountStaged(kind, staged)).rejects.toThrow(/in use|mounted|lock/i);
      } finally {
        other.remove();
      }
      await unmount();
    });
  });
}

const gate = backendGate('veneer');

describe.skipIf(gate.skip)(gate.title('a server that has ended'), () => {
  test('counts as ended where nobody waits for it', async () => {
    scenario = new Scenario('server', { lower: [{ f: 'content' }], upper: {} });
    const { base, lowers, mountpoint } = scenario.staged;
    // As in a container whose first process is no init: what has ended stays in the process table.
    const steps = `"$@" overlay -o lowerdir=${lowers[0]!} ${mountpoint} && timeout 20 "$@" umount ${mountpoint}`;
    const script = `${FORGET_MOUNTS}(${steps}; echo $? > ${base}/code) & exec sleep 30`;
    const args = ['-fpm', '--mount-proc', 'sh', '-c', script, 'sh', process.execPath, CLI];
    const child = spawn('unshare', args, { stdio: 'ignore', detached: true });
    const deadline = Date.now() + 25_000;
    while (!existsSync(`${base}/code`) && Date.now() < deadline) await sleep(50);
    process.kill(-child.pid!, 'SIGKILL');
    expect(readFileSync(`${base}/code`, 'utf8')).toBe('0\n');
  });
});

/** True for a pipe that this process has, too. */
function isMine(target: string): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === target;
    } catch {
      return false;
    }
  });
}
