// Directories of 100,000 entries, walks of many files and what remains of them, 500 layers, paths longer than PATH_MAX, and
// listings while another process is at work. VENEER_TEST_FILES sets the size of the walk (default 10,000).

import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { backendGate } from '../helpers/backends.js';
import type { LayerSpec } from '../helpers/layer-spec.js';
import { OtherProcess, runWell } from '../helpers/other-process.js';
import { Scenario } from '../helpers/scenario.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;
const ENTRIES = 100_000;
const FILES = Number(process.env['VENEER_TEST_FILES'] ?? 10_000);
const MEGA = 1024;

let scenario: Scenario;
afterEach(() => scenario.remove());

/** Resident memory in KiB. */
const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))![1]);

const touch = (path: string): void => closeSync(openSync(path, 'w'));

describe.skipIf(skip)('veneer', () => {
  test('lists 100,000 entries twice, removes them while listing, and lists none', { timeout: 120_000 }, async () => {
    scenario = new Scenario('entries', { lower: [{ 'd/keep': '' }], upper: {} });
    // Half of them lower, half upper: a removal makes a whiteout or none.
    for (const [layer, from] of [
      [scenario.staged.lowers[0]!, 0],
      [scenario.staged.upper!, ENTRIES / 2],
    ] as const) {
      mkdirSync(`${layer}/d`, { recursive: true });
      for (let n = from; n < from + ENTRIES / 2; n += 1) touch(`${layer}/d/entry-${String(n)}`);
    }
    await scenario.on('veneer', async (root) => {
      for (const _round of [0, 1]) {
        const names = readdirSync(`${root}/d`);
        expect([names.length, new Set(names).size]).toEqual([ENTRIES + 1, ENTRIES + 1]);
      }
      // find -delete removes while it lists.
      await runWell('find', ['d', '-name', 'entry-*99', '-delete'], { cwd: root, timeout: 100_000 });
      const left = readdirSync(`${root}/d`);
      expect(left).toHaveLength(ENTRIES - ENTRIES / 100 + 1);
      expect(left.filter((name) => /^entry-.*99$/.test(name))).toEqual([]);
    });
  });

  test(`gives memory back after a walk of ${String(FILES)} files`, { timeout: 300_000 }, async () => {
    scenario = new Scenario('walk', { lower: [{ 'd/keep': '' }], upper: {} });
    for (let n = 0; n < FILES; n += 1) {
      const dir = `${scenario.staged.lowers[0]!}/t${String(n % 200)}`;
      if (n < 200) mkdirSync(dir);
      touch(`${dir}/file-${String(n)}`);
    }
    await scenario.on('veneer', async (root, { pid }) => {
      const resident: number[] = [residentOf(pid!)];
      for (let round = 0; round < 3; round += 1) {
        const count = await runWell('sh', ['-c', 'find . -type f -newermt 2000-01-01 | wc -l'], {
          cwd: root,
          timeout: 200_000,
        });
        expect(Number(count)).toBe(FILES + 1);
        resident.push(residentOf(pid!));
        writeFileSync('/proc/sys/vm/drop_caches', '2');
        readdirSync(root);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        resident.push(residentOf(pid!));
      }
      const shown = resident.map((size) => String(Math.round(size / MEGA))).join(' ');
      process.stdout.write(`resident MiB at start, and after each walk and drop: ${shown}\n`);
      // The heap has its size after the first walk, and another walk adds nothing.
      expect(resident[6]! - resident[4]!).toBeLessThan(25 * MEGA);
    });
  });

  test('mounts 500 layers read-only', async () => {
    const layer = (n: number): LayerSpec => ({
      [`own-${String(n)}`]: String(n),
      all: String(n),
      [`d/${String(n)}`]: '',
    });
    scenario = new Scenario('layers', { lower: Array.from({ length: 500 }, (_, n) => layer(n)) });
    await scenario.on('veneer', (root) => {
      expect(readdirSync(root)).toHaveLength(502);
      expect(readdirSync(`${root}/d`)).toHaveLength(500);
      expect(readFileSync(`${root}/all`, 'utf8')).toBe('0');
      expect(readFileSync(`${root}/own-499`, 'utf8')).toBe('499');
    });
    scenario.expectLowersUnchanged();
  });

  test('nests deeper than a path can tell, over copy-up, rename and removal', async () => {
    scenario = new Scenario('deep', { lower: [{ 'd/x': '' }], upper: {} });
    const name = 'n'.repeat(250);
    const down = `for i in $(seq 20); do mkdir ${name} && cd -P ${name}; done`;
    const make = (at: string): Promise<string> => runWell('sh', ['-c', `${down}; echo bottom > f`], { cwd: at });
    await make(`${scenario.staged.lowers[0]!}/d`);
    try {
      await scenario.on('veneer', async (root) => {
        const walk = `for i in $(seq 20); do cd -P ${name}; done`;
        const bottom = await runWell('sh', ['-c', `${walk}; echo more >> f; mv f g; mkdir e; cat g; ls`], {
          cwd: `${root}/d`,
        });
        expect(bottom).toBe('bottom\nmore\ne\ng\n');
        await make(root);
        await runWell('mv', [name, 'd/moved'], { cwd: root });
        await runWell('mv', [`d/${name}`, 'renamed'], { cwd: root });
        expect(await runWell('sh', ['-c', 'find . | wc -l; cd renamed; find . -name g | wc -l'], { cwd: root })).toBe(
          `${String(20 + 3 + 21 + 2)}\n1\n`,
        );
        await runWell('rm', ['-r', 'renamed', 'd'], { cwd: root });
        expect(readdirSync(root)).toEqual([]);
      });
    } finally {
      // Node refuses paths of this length.
      await runWell('rm', ['-rf', scenario.staged.base]);
    }
  });

  test('lists what stays exactly once while another process makes and removes', async () => {
    const stays = Array.from({ length: 700 }, (_, n) => `stays-${String(n)}`);
    scenario = new Scenario('busy', {
      lower: [Object.fromEntries(stays.slice(0, 400).map((name) => [`d/${name}`, '']))],
      upper: Object.fromEntries(stays.slice(400).map((name) => [`d/${name}`, ''])),
    });
    await scenario.on('veneer', async (root) => {
      const other = new OtherProcess(`${root}/d`);
      const work = other.ask('for i in $(seq 300); do : > a$i; mv a$i b$i; rm b$i; done', 50_000);
      let done = false;
      void work.then(() => (done = true));
      let rounds = 0;
      while (!done) {
        const names = readdirSync(`${root}/d`).filter((name) => name.startsWith('stays'));
        expect(names.length).toBe(stays.length);
        expect(new Set(names).size).toBe(stays.length);
        rounds += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await work;
      await other.end();
      expect(rounds).toBeGreaterThan(2);
      expect(readdirSync(`${root}/d`)).toHaveLength(stays.length);
    });
  });
});
