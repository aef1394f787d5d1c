// Long work does not delay the others: while a big file is copied up, and while a slow file is synced, look-ups, reads and new files of
// other processes go on, whatever else waits for the disk. How long they take is printed; what is asserted is that they are done while
// the long work is not.
//   VENEER_LONG_MIB=2048 npx vitest run test/integration/nothing-blocks.test.ts

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import type { LayerNode } from '../helpers/layer-spec.js';
import { file } from '../helpers/layer-spec.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';

const gate = backendGate('veneer');
const MIB = 1 << 20;
const LONG = Number(process.env['VENEER_LONG_MIB'] ?? 1024) * MIB;
/** Were the others to wait for the long work, one of a kind would be done; how many are is the machine's and its disk's affair. */
const AT_LEAST = 10;

/** Bigger than what the server copies at once. */
const MEDIUM = Buffer.alloc(300_000, 'medium');
const FILES = 2000;

let temp: TempDir;
afterEach(() => temp.remove());

/** Real data, not a hole and not compressible by a fast path. */
function writeLong(at: string): void {
  const fd = openSync(at, 'w');
  const block = Buffer.alloc(4 * MIB);
  for (let done = 0; done < LONG; done += block.length) {
    block.writeDoubleLE(done, done % 4096);
    writeSync(fd, block);
  }
  closeSync(fd);
}

async function start(): Promise<Mounted> {
  temp = tempDir('blocks');
  const base = path.join(temp.path, 'layers');
  mkdirSync(base, { mode: 0o755 });
  const lower = Object.fromEntries(
    Array.from({ length: FILES }, (_, n): [string, LayerNode | string] => [
      `d/${String(n)}`,
      n % 10 === 0 ? file(MEDIUM) : 'x',
    ]),
  );
  const staged = stage(base, { lower: [lower], upper: {} }, 'veneer');
  writeLong(path.join(staged.lowers[0]!, 'long'));
  return mountStaged('veneer', staged);
}

type Probe = (root: string, n: number) => void;

const read = (at: string): void => {
  const fd = openSync(at, 'r');
  readSync(fd, Buffer.alloc(64));
  closeSync(fd);
};

/** Each asks the server: names never asked for before, opens, and changes. */
const PROBES: Readonly<Record<string, Probe>> = {
  'lookup of no file': (root, n) => void existsSync(`${root}/d/none-${String(n)}`),
  'stat of a new name': (root, n) => void statSync(`${root}/d/${String(n % FILES)}`),
  'open and read': (root, n) => read(`${root}/d/${String(n % FILES)}`),
  create: (root, n) => closeSync(openSync(`${root}/new-${String(n)}`, 'w')),
};
/** These wait for the disk, which the long work keeps busy: beside the others, and as long as it takes. */
const SLOWER: Readonly<Record<string, (root: string, n: number) => Promise<void>>> = {
  'copy-up of 300 kB': async (root, n) => (await open(`${root}/d/${String((n * 10) % FILES)}`, 'a')).close(),
  'write and fsync': async (root, n) => {
    const synced = await open(`${root}/synced-${String(n)}`, 'w');
    await synced.write('x');
    await synced.sync();
    await synced.close();
  },
};

/** Milliseconds each took, until the process has ended. */
async function measure(root: string, long: ReturnType<typeof spawn>): Promise<Map<string, number[]>> {
  const taken = new Map([...Object.keys(PROBES), ...Object.keys(SLOWER)].map((name) => [name, [] as number[]]));
  const done = new Promise<number | null>((resolve) => long.on('exit', resolve));
  let status: number | null | undefined;
  void done.then((code) => (status = code));
  const time = (name: string, probe: Probe, n: number): void => {
    const before = performance.now();
    probe(root, n);
    // What ends after the long work says nothing.
    if (long.exitCode === null) taken.get(name)!.push(performance.now() - before);
  };
  const timeSlower = async (name: string, n: number): Promise<void> => {
    const before = performance.now();
    await SLOWER[name]!(root, n);
    taken.get(name)!.push(performance.now() - before);
  };
  const slower: Promise<void>[] = [];
  for (let n = 0; status === undefined; n += 1) {
    for (const [name, probe] of Object.entries(PROBES)) time(name, probe, n);
    if (n % 50 === 0) slower.push(...Object.keys(SLOWER).map((name) => timeSlower(name, n / 50)));
    await turn();
  }
  await Promise.all(slower);
  expect(status).toBe(0);
  return taken;
}

function report(title: string, seconds: number, taken: ReadonlyMap<string, readonly number[]>): void {
  const lines = [...taken].map(([name, values]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2).padStart(9);
    const most = (sorted.at(-1) ?? 0).toFixed(2).padStart(9);
    return `  ${name.padEnd(20)} ${String(sorted.length).padStart(7)} done  p50 ${at(0.5)}  p99 ${at(0.99)}  max ${most} ms`;
  });
  process.stdout.write(`${[`${title}, ${seconds.toFixed(1)} s; meanwhile:`, ...lines].join('\n')}\n`);
}

async function whileRunning(title: string, mounted: Mounted, command: string): Promise<void> {
  const before = performance.now();
  const long = spawn('sh', ['-c', command], { cwd: mounted.root, stdio: 'ignore' });
  const taken = await measure(mounted.root, long);
  report(title, (performance.now() - before) / 1000, taken);
  for (const name of Object.keys(PROBES)) expect(taken.get(name)!.length, name).toBeGreaterThanOrEqual(AT_LEAST);
}

describe.skipIf(gate.skip)('long work', () => {
  test('the copy-up of a big file delays nobody', { timeout: 180_000 }, async () => {
    const mounted = await start();
    await whileRunning(`copy-up of ${String(LONG / MIB)} MiB`, mounted, 'echo end >> long');
    expect(statSync(path.join(mounted.staged.upper!, 'long')).size).toBe(LONG + 4);
    await mounted.unmount();
    expect(loggedErrors(mounted.staged)).toEqual([]);
  });

  test('the fsync of a big file delays nobody', { timeout: 180_000 }, async () => {
    const mounted = await start();
    const write = `dd if=/dev/zero of=dirty bs=1M count=${String(LONG / MIB)} conv=fsync status=none`;
    await whileRunning(`write and fsync of ${String(LONG / MIB)} MiB`, mounted, write);
    await mounted.unmount();
    expect(loggedErrors(mounted.staged)).toEqual([]);
  });
});
