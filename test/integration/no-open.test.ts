// Read-only mounts, where the kernel opens files without asking: many at once, read in parts, sparse, mapped, run.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { SEEK_DATA, SEEK_HOLE, lseek } from '../../src/sys/index.js';
import { backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import { file } from '../helpers/layer-spec.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';

const MIB = 1 << 20;
/** More than a server keeps open. */
const FILES = 300;
const BIG = Buffer.alloc(3 * MIB, 'big file ');

const gate = backendGate('veneer');
let temp: TempDir;
let mounted: Mounted;

const mountReadOnly = async (passthrough: 'auto' | 'all' | 'off'): Promise<string> => {
  temp = tempDir('no-open');
  const base = path.join(temp.path, 'layers');
  mkdirSync(base, { mode: 0o755 });
  const small = Object.fromEntries(Array.from({ length: FILES }, (_, n) => [`d/${String(n)}`, `content ${String(n)}`]));
  const lower = {
    ...small,
    big: file(BIG),
    sparse: file('head', { size: 4 * MIB }),
    program: file(readFileSync('/bin/true'), { mode: 0o755 }),
  };
  const staged = stage(base, { lower: [lower, { 'd/0': 'hidden', below: 'below' }] }, 'veneer');
  mounted = await mountStaged('veneer', staged, { passthrough });
  return mounted.root;
};

const openFiles = (): number => readdirSync(`/proc/${String(mounted.pid)}/fd`).length;

describe.skipIf(gate.skip)(gate.title('a read-only mount'), () => {
  afterEach(async () => {
    await mounted.unmount();
    expect(loggedErrors(mounted.staged)).toEqual([]);
    temp.remove();
  });

  test.each(['auto', 'all', 'off'] as const)('passthrough=%s: everything can be read', async (passthrough) => {
    const root = await mountReadOnly(passthrough);
    expect(readFileSync(`${root}/big`).equals(BIG)).toBe(true);
    expect(readFileSync(`${root}/below`, 'latin1')).toBe('below');
    for (let n = 0; n < FILES; n += 1)
      expect(readFileSync(`${root}/d/${String(n)}`, 'latin1')).toBe(`content ${String(n)}`);
    execFileSync(`${root}/program`);
    const fd = openSync(`${root}/sparse`, 'r');
    expect([lseek(fd, 0, SEEK_HOLE) < 4 * MIB, lseek(fd, 2 * MIB, SEEK_DATA)]).toEqual([true, -6]);
    closeSync(fd);
  });

  test('what the server keeps open is bounded, and what it let go is read again', async () => {
    const root = await mountReadOnly('auto');
    const before = openFiles();
    const fds = Array.from({ length: FILES }, (_, n) => openSync(`${root}/d/${String(n)}`, 'r'));
    const into = Buffer.alloc(9);
    for (const fd of fds) expect(readSync(fd, into, 0, 9, 0)).toBe(9);
    expect(openFiles() - before).toBeLessThan(100);
    execFileSync('sh', ['-c', 'echo 1 > /proc/sys/vm/drop_caches']);
    for (const [n, fd] of fds.entries()) {
      readSync(fd, into, 0, 9, 0);
      expect(into.toString()).toBe(`content ${String(n)}`.slice(0, 9));
      closeSync(fd);
    }
  });
});
