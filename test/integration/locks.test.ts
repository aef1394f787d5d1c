// Locks between processes: fcntl's and flock's, on the plain directory, kernel overlayfs and veneer alike.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';
import { errno } from '../../src/core/index.js';
import { backendGate, mountStaged } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import { link } from '../helpers/layer-spec.js';
import { run } from '../helpers/other-process.js';
import { Scenario } from '../helpers/scenario.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;
const SCRIPT = path.resolve(import.meta.dirname, '../helpers/lock-process.mjs');
const BUSY = `errno ${String(errno.EAGAIN)}`;
const PAUSE = 150;

class LockProcess {
  readonly child: ChildProcess;
  readonly #lines: Interface;

  constructor(root: string) {
    this.child = spawn(process.execPath, [SCRIPT], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.child.stdout! });
  }

  async ask(command: string): Promise<string> {
    const answer = once(this.#lines, 'line');
    this.child.stdin!.write(`${command}\n`);
    return String((await answer)[0]);
  }

  async end(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}

let scenario: Scenario;
let mounted: Mounted;
afterEach(async () => {
  await mounted.unmount();
  scenario.remove();
});

const layers = { lower: [{ f: 'lower', l: link('f') }], upper: { u: 'upper' } };
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE));

describe.skipIf(skip).each(['kernel', 'veneer'] as const)('between processes on %s', (kind) => {
  test.each([
    ['an upper file', 'u', 'u'],
    ['a lower file', 'f', 'f'],
    ['two names of a lower file', 'f', 'l'],
  ])('record locks conflict, wait and end with their process: %s', async (_name, one, two) => {
    scenario = new Scenario('locks', layers);
    mounted = await mountStaged(kind, scenario.staged);
    const [a, b] = [new LockProcess(mounted.root), new LockProcess(mounted.root)];
    try {
      await a.ask(`open ${one}`);
      await b.ask(`open ${two}`);
      expect(await a.ask('lock write')).toBe('ok');
      expect(await b.ask('lock write')).toBe(BUSY);
      expect(await b.ask('lock read')).toBe(BUSY);
      expect(await a.ask('lock read')).toBe('ok');
      expect(await b.ask('lock read')).toBe('ok');
      expect(await b.ask('lock write')).toBe(BUSY);
      // Closing any handle of the file ends the locks of its process.
      await a.ask('close');
      expect(await b.ask('lock write')).toBe('ok');
      await a.ask(`open ${one}`);
      const waiting = a.ask('lock write wait');
      await pause();
      expect(await Promise.race([waiting, Promise.resolve('waits')])).toBe('waits');
      await b.end();
      expect(await waiting).toBe('ok');
    } finally {
      if (b.child.signalCode === null) await b.end();
      await a.end();
    }
  });

  test('flock conflicts, waits and ends with its process', async () => {
    scenario = new Scenario('flock', layers);
    mounted = await mountStaged(kind, scenario.staged);
    const script = `
      flock f sh -c 'echo taken; sleep 0.4' & sleep 0.2
      flock -n l true || echo busy
      flock -s -n l true || echo busy
      flock -n u true && echo free
      flock l echo waited
      wait
      (flock -s 9; flock -s -n f echo shared) 9< f`;
    const { stdout } = await run('sh', ['-c', script], { cwd: mounted.root });
    expect(stdout.split('\n')).toEqual(['taken', 'busy', 'busy', 'free', 'waited', 'shared', '']);
  });
});
