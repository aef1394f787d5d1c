// A store with the image `box`, for the tests of one file: everything that it started goes with it.

import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { sandbox } from '../run-cli.js';
import type { Sandbox } from '../run-cli.js';
import { writeBoxTar } from './box-image.js';
import { watchLeaks } from './leaks.js';
import type { LeakWatch } from './leaks.js';

export interface BoxStore extends Omit<Sandbox, typeof Symbol.dispose>, AsyncDisposable {
  /** Removes all containers, so that the next test begins with none. */
  empty(): void;
  /** What of this store still is on the machine, one line each; after everything was removed, nothing. */
  leaks(settleMs?: number): Promise<string[]>;
  /** Removes all containers and asserts that none of them has left a trace. */
  expectNoLeaks(): Promise<void>;
}

/** Processes, mounts and directories are searched for by the path of the store, so that files may be run side by side. */
export async function boxStore(label = 'box'): Promise<BoxStore> {
  const box = sandbox(label);
  let watch: LeakWatch | undefined;
  try {
    watch = await watchLeaks(box.root);
    const tar = writeBoxTar(box.dir);
    box.ok('import', '-c', 'CMD ["sh"]', tar, 'box');
    for (const name of ['box', 'box.tar']) rmSync(path.join(box.dir, name), { recursive: true });
  } catch (error) {
    box[Symbol.dispose]();
    throw error;
  }
  return { ...box, ...lifeOf(box, watch) };
}

function lifeOf(
  box: Sandbox,
  watch: LeakWatch,
): Pick<BoxStore, 'empty' | 'leaks' | 'expectNoLeaks' | typeof Symbol.asyncDispose> {
  const empty = (): void => {
    const ids = box.ok('ps', '-aq', '--no-trunc').split('\n').filter(Boolean);
    if (ids.length > 0) box.ok('rm', '-f', ...ids);
  };
  return {
    empty,
    leaks: (settleMs) => watch.leaks(settleMs),
    async expectNoLeaks() {
      empty();
      box.ok('umount', '--all');
      expect(await watch.leaks()).toEqual([]);
      box.check();
    },
    async [Symbol.asyncDispose]() {
      const ids = box.run('ps', '-aq', '--no-trunc').stdout.split('\n').filter(Boolean);
      if (ids.length > 0) box.run('rm', '-f', ...ids);
      box.run('umount', '--all');
      await watch.end();
      box[Symbol.dispose]();
    },
  };
}
