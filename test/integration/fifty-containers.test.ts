// Fifty containers of one image at once: what they share, what each costs, and that they all go.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { boxStore, processesOf } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';

const gate = requires('root', 'fuse', 'tar', 'build', 'busybox', 'containers', 'seccomp');

const COUNT = Number(process.env['VENEER_TEST_CONTAINERS'] ?? 50);
const AT_ONCE = 4;

/** MiB of all processes of a store, shared pages divided among who shares them. */
function memory(root: string): number {
  const sizes = processesOf(root).map(({ pid }) => {
    const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
    return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0);
  });
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

describe.skipIf(gate.skip)(gate.title(`${String(COUNT)} containers of one image`), () => {
  test('run at once, share its layers, and go', { timeout: 180_000 }, async () => {
    await using box = await boxStore('fifty');
    const names = Array.from({ length: COUNT }, (_, at) => `c${String(at)}`);
    const queue = [...names];
    const worker = async (): Promise<void> => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const script = `echo ${name} >/mine; exec sleep 1000`;
        const { code, stderr } = await box.start(['run', '-d', '--name', name, 'box', 'sh', '-c', script]).ended;
        expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(box.ok('ps', '--format', '{{.Names}}').split('\n').toSorted()).toEqual(names.toSorted());
    expect(readdirSync(path.join(box.root, 'layers'))).toHaveLength(1);
    for (const name of [names[0]!, names.at(-1)!]) expect(box.ok('exec', name, 'cat', '/mine')).toBe(name);
    process.stdout.write(`${(memory(box.root) / COUNT).toFixed(1)} MiB per container\n`);
    const removed = box.ok('rm', '-f', ...names);
    expect(removed.split('\n')).toEqual(names);
    await box.expectNoLeaks();
  });
});
