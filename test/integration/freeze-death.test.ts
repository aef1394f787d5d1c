// The server of a mount dies at each of the steps that freezing it is made of.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, linkSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { alive } from '../helpers/death.js';
import { requires } from '../helpers/requires.js';
import { expectSameTree, snapshot, withoutTimes } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';
import { fixture, needs, serverOf } from './container-fixture.js';

const gate = requires('strace');

/** The system calls of these steps. */
const STEPS = ['renameat2', 'renameat', 'linkat'] as const;

/** Has a process killed as it begins its n-th call of one kind from now on. To be ended. */
async function killAt(call: string, n: number, pid: number): Promise<() => Promise<void>> {
  const inject = `inject=${call}:signal=KILL:when=${String(n)}`;
  const args = ['-f', '-p', String(pid), '-e', `trace=${call}`, '-e', inject, '-o', '/dev/null'];
  const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(tracer, 'exit');
  let said = '';
  tracer.stderr.on('data', (data) => {
    said += String(data);
  });
  await expect.poll(() => said).toContain('attached');
  return async () => {
    // On any other signal it lets go of its threads one by one, and may wait for one that has just been killed.
    tracer.kill('SIGKILL');
    await ended;
  };
}

/** Whether the server of a mount answers, or else has died. */
function answers(root: string): boolean {
  try {
    return statSync(path.join(root, `asked-${String(performance.now())}`), { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** Appends numbered lines to a file that it keeps open. Its end tells how many were written. */
async function appendLines(file: string): Promise<() => Promise<number>> {
  const program = `exec 3>"$0"; n=0; trap 'echo $n; exit' TERM; while printf "line %d\\n" $((n + 1)) >&3; do n=$((n + 1)); done; echo $n`;
  const writer = spawn('bash', ['-c', program, file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const said = text(writer.stdout);
  await expect.poll(() => existsSync(file) && readFileSync(file).length).toBeGreaterThan(0);
  return async () => {
    writer.kill();
    return Number(await said);
  };
}

describe.skipIf(needs.skip || gate.skip)(gate.title('a mount that is being frozen'), () => {
  test.each(STEPS)('keeps its links and what is written, whenever its server dies (at %s)', async (call) => {
    using box = await fixture();
    const { name } = box.api.createContainer(box.store, { image: 'base' });
    const mounted = async (): Promise<string> => (await box.api.mountContainer(box.store, name)).mountpoint;
    const treeOf = (root: string): Tree =>
      new Map([...withoutTimes(snapshot(root), ['dir'])].filter(([at]) => at !== 'growing'));
    const root = await mounted();
    linkSync(path.join(root, 'usr/share/doc/b/1'), path.join(root, 'usr/share/doc/b/linked'));
    linkSync(path.join(root, 'usr/share/doc/b/1'), path.join(root, 'home/linked'));
    let deaths = 0;
    for (let lives = false; !lives;) {
      await mounted();
      const fds = ['etc/passwd', 'home/linked', 'bin/tool'].map((file) => openSync(path.join(root, file), 'a'));
      for (const fd of fds) writeSync(fd, `at death ${String(deaths)}\n`);
      const before = treeOf(root);
      const server = serverOf(root);
      const stopAppending = await appendLines(path.join(root, 'growing'));
      const stopTracing = await killAt(call, deaths + 1, server);
      await box.api.snapshotContainer(box.store, name).catch(() => undefined);
      await stopTracing();
      lives = answers(root);
      if (!lives) {
        await expect.poll(() => alive(server)).toBe(false);
        deaths += 1;
      }
      const lines = await stopAppending();
      for (const fd of fds) closeSync(fd);
      await mounted();
      expectSameTree(before, treeOf(root));
      const expected = Array.from({ length: lines }, (_, index) => `line ${String(index + 1)}\n`).join('');
      expect(readFileSync(path.join(root, 'growing'), 'utf8').slice(0, expected.length)).toBe(expected);
      await box.api.unmount(box.store, name);
      expect(box.store.check()).toEqual([]);
    }
    expect(deaths).toBeGreaterThan(7);
  });
});
