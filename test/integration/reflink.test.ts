// Layers on one file system that can share blocks: copy-up shares them with the lower file, and so do copies made through
// the mount.

import { appendFileSync, closeSync, copyFileSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { errno } from '../../src/core/index.js';
import { copyFileRange, ficlone, must, syncfs } from '../../src/sys/index.js';
import { backendGate, mountStaged, stage } from '../helpers/backends.js';
import { file } from '../helpers/layer-spec.js';
import { LoopImage } from '../helpers/loop-image.js';
import { requires, runProgram } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';

const xfs = requires('xfs', 'filefrag');
const MIB = 1 << 20;
const CONTENT = Buffer.alloc(8 * MIB, 'content ');

let temp: TempDir | undefined;
afterEach(() => {
  temp?.remove();
  temp = undefined;
});

/** Whether a file has blocks that another one has, too. */
function sharesBlocks(name: string): boolean {
  return /\bshared\b/.test(runProgram('filefrag', ['-v', name]));
}

describe.each(['kernel', 'veneer'] as const)('on %s over an xfs with reflinks', (kind) => {
  const gate = backendGate(kind);

  test.skipIf(xfs.skip || gate.skip)(xfs.title(gate.title('copies share blocks')), async () => {
    temp = tempDir('reflink');
    const image = new LoopImage(temp.path, 'xfs', { mkfs: ['-m', 'reflink=1'] });
    const base = path.join(image.mountpoint, 'layers');
    mkdirSync(base);
    const lower = { up: file(CONTENT), range: file(CONTENT) };
    const staged = stage(base, { lower: [lower], upper: { own: file(CONTENT) } }, kind);
    const mounted = await mountStaged(kind, staged);
    const [root, upper] = [mounted.root, staged.upper!];
    try {
      appendFileSync(`${root}/up`, '+');
      for (const from of ['range', 'own']) {
        const [source, target] = [openSync(`${root}/${from}`, 'r'), openSync(`${root}/${from}-copied`, 'w')];
        const copied = copyFileRange({ fd: source, offset: 0 }, { fd: target, offset: 0 }, CONTENT.length);
        expect(copied).toBe(CONTENT.length);
        closeSync(source);
        closeSync(target);
      }
      const [source, target] = [openSync(`${root}/own`, 'r'), openSync(`${root}/cloned`, 'w')];
      expect(ficlone(target, source)).toBe(kind === 'kernel' ? 0 : -errno.EOPNOTSUPP);
      must(syncfs(target), 'syncfs', root);
      closeSync(source);
      closeSync(target);
      copyFileSync(`${root}/own`, `${root}/copied`);
      for (const name of ['range-copied', 'own-copied', 'copied']) {
        expect(readFileSync(`${root}/${name}`).equals(CONTENT), name).toBe(true);
      }
      expect(statSync(`${root}/up`).size).toBe(CONTENT.length + 1);
    } finally {
      await mounted.unmount();
    }
    runProgram('sync', ['-f', upper]);
    for (const name of ['up', 'range-copied', 'own-copied', 'copied']) {
      expect([name, sharesBlocks(`${upper}/${name}`)]).toEqual([name, true]);
    }
    await image.unmount();
  });
});
