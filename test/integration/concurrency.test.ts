// Several processes at work on the same names: nothing hangs, nothing goes wrong in the server, and what is left is the same
// for kernel overlayfs.

import { readFileSync, readdirSync } from 'node:fs';
import { chmod, chown, open, stat, truncate, utimes } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { backendGate, loggedErrors } from '../helpers/backends.js';
import { file, link } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { run, runWell } from '../helpers/other-process.js';
import { Scenario } from '../helpers/scenario.js';
import { inodes } from '../helpers/tree.js';

const skip = backendGate('kernel').skip || backendGate('veneer').skip;
const PROCESSES = 4;

/** Two layers of directories with files, some of them hard links. */
const lower: LayerSpec[] = [0, 1].map((level) => {
  const spec: Record<string, LayerNode | string> = {};
  for (let d = 0; d < 6; d += 1) {
    for (let f = level; f < 10; f += 1) spec[`d${String(d)}/f${String(f)}`] = `layer ${String(level)}\n`;
    spec[`d${String(d)}/link`] = link(`d${String(d)}/f5`);
  }
  return spec;
});

/** Every kind of change, on few names; most fail because another process was faster, and that is fine. */
const WORK = `
d() { echo d$((RANDOM % 6)); }
f() { echo $(d)/f$((RANDOM % 10)); }
for i in $(seq 250); do
  case $((RANDOM % 12)) in
    0) mkdir $(d) ;;
    1) rm -rf $(d) ;;
    2) mv -T $(d) $(d) ;;
    3|4) echo $i >> $(f) ;;
    5) ln $(f) $(f) ;;
    6) mv $(f) $(f) ;;
    7) rm $(f) ;;
    8) ls -l $(d) ;;
    9) : > $(f) ;;
    10) chmod 6$((RANDOM % 8))4 $(f) ;;
    11) cat $(f) ;;
  esac
done >/dev/null 2>&1
exit 0`;

let scenario: Scenario;
afterEach(() => scenario.remove());

describe.skipIf(skip)('several processes', () => {
  test('change the same names, and leave one sound tree', async () => {
    scenario = new Scenario('concurrency', { lower, upper: {} });
    const left = await scenario.on('veneer', async (root) => {
      const workers = Array.from({ length: PROCESSES }, (_, index) =>
        run('bash', ['-c', `RANDOM=${String(index + 1)}${WORK}`], { cwd: root, timeout: 50_000 }),
      );
      for (const { status } of await Promise.all(workers)) expect(status).toBe(0);
      return { tree: scenario.tree(root), inodes: inodes(root) };
    });
    expect(loggedErrors(scenario.staged)).toEqual([]);
    for (const kind of ['kernel', 'veneer'] as const) {
      await scenario.on(kind, (root) => expect([...scenario.tree(root)]).toEqual([...left.tree]));
    }
    await scenario.on('veneer', (root) => expect(inodes(root)).toEqual(left.inodes));
    scenario.expectLowersUnchanged();
    // Nothing half-made stays behind.
    const work = readdirSync(scenario.staged.work, { recursive: true, encoding: 'utf8' });
    expect(work.filter((name) => /^work\/./.test(name))).toEqual([]);
  });

  test('append to one lower file, and every line is there', async () => {
    scenario = new Scenario('append', { lower: [{ log: 'start\n' }], upper: {} });
    await scenario.on('veneer', async (root) => {
      const script = 'for i in $(seq 300); do echo $0 $i >> log; done';
      await Promise.all(
        Array.from({ length: PROCESSES }, (_, index) => runWell('sh', ['-c', script, String(index)], { cwd: root })),
      );
      const lines = readFileSync(`${root}/log`, 'utf8').trim().split('\n');
      expect(lines).toHaveLength(1 + 300 * PROCESSES);
      expect(new Set(lines).size).toBe(1 + 300 * PROCESSES);
    });
  });

  test('change the attributes of a lower file that is being copied up for a writer, beside a reader', async () => {
    const SIZE = 48 << 20;
    scenario = new Scenario('attributes', { lower: [{ big: file(Buffer.alloc(SIZE, 'x')) }], upper: {} });
    await scenario.on('veneer', async (root) => {
      const path = `${root}/big`;
      const reader = await open(path, 'r');
      const [writer] = await Promise.all([
        open(path, 'r+'),
        chmod(path, 0o600),
        chown(path, 5, 6),
        utimes(path, 1, 2),
        runWell('setfattr', ['-n', 'user.k', '-v', 'v', path], { cwd: root }),
        truncate(path, SIZE - 1),
      ]);
      await writer.write('y', 0);
      const { mode, uid, gid, size } = await stat(path);
      expect({ mode: mode & 0o7777, uid, gid, size }).toEqual({ mode: 0o600, uid: 5, gid: 6, size: SIZE - 1 });
      await runWell('getfattr', ['-n', 'user.k', path], { cwd: root });
      await Promise.all([reader.close(), writer.close()]);
    });
    scenario.expectLowersUnchanged();
    expect(loggedErrors(scenario.staged)).toEqual([]);
  });

  test('make one name: one of them wins', async () => {
    scenario = new Scenario('create', { lower: [{ 'd/x': '' }], upper: {} });
    await scenario.on('veneer', async (root) => {
      const script = 'n=0; for i in $(seq 200); do mkdir d/$i 2>/dev/null && n=$((n+1)); done; echo $n';
      const wins = await Promise.all(
        Array.from({ length: PROCESSES }, () => runWell('sh', ['-c', script], { cwd: root })),
      );
      expect(wins.reduce((sum, won) => sum + Number(won), 0)).toBe(200);
    });
  });

  test('leave few files open in the server', async () => {
    scenario = new Scenario('fds', {
      lower: [Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`d${String(n % 300)}/${String(n)}`, 'x']))],
      upper: {},
    });
    await scenario.on('veneer', async (root, { pid }) => {
      await runWell(
        'sh',
        ['-c', 'cat d*/* > /dev/null; for f in d*/*; do echo y >> $f; done; ls -lR > /dev/null; rm -r d1*'],
        { cwd: root },
      );
      expect(readdirSync(`/proc/${String(pid)}/fd`).length).toBeLessThan(1500);
    });
  });
});
