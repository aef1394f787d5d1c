// A copy of a directory that is to become the content of a volume: made where a process that dies leaves no half of it.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../store/index.js';
import { copyTrees } from './copy-tree.js';
import { sync } from './readable-upper.js';

export interface VolumeCopy extends Disposable {
  /** On disk, with the owner, mode and times of the original. */
  readonly content: string;
}

/** Blocks are shared with the original where the file system can. Throws a SysError. */
export function copyForVolume(store: Store, from: string): VolumeCopy {
  const staged = store.volumes.stage();
  try {
    const [content, links] = [join(staged.path, 'data'), join(staged.path, 'links')];
    for (const directory of [content, links]) mkdirSync(directory);
    copyTrees({ trees: [{ from, to: content }], scratch: links });
    sync(content);
    return { content, [Symbol.dispose]: () => store.volumes.discard(staged) };
  } catch (error) {
    store.volumes.discard(staged);
    throw error;
  }
}
