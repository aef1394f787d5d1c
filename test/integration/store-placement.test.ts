// Where ext4 puts what a store makes.

import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Store } from '../../src/store/index.js';
import { FS_TOPDIR_FL, getFlags } from '../../src/sys/index.js';
import { LoopImage } from '../helpers/loop-image.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';

const needs = requires('root', 'ext4');

function isSpreadOut(directory: string): boolean {
  const fd = openSync(directory, 'r');
  try {
    return (getFlags(fd) & FS_TOPDIR_FL) !== 0;
  } finally {
    closeSync(fd);
  }
}

test.skipIf(needs.skip)(
  needs.title('layers and containers begin away from each other; what is in them stays together'),
  () => {
    using temp = tempDir('placement');
    const { mountpoint } = new LoopImage(temp.path, 'ext4');
    const root = path.join(mountpoint, 'root');
    const store = Store.open(root);
    try {
      const layer = store.layers.stage();
      mkdirSync(path.join(layer.diff, 'etc'));
      const directories = {
        staging: '',
        containers: '',
        layers: '',
        'a layer': layer.diff,
        etc: path.join(layer.diff, 'etc'),
      };
      const spread = Object.entries(directories).filter(([name, at]) =>
        isSpreadOut(at === '' ? path.join(root, name) : at),
      );
      expect(spread.map(([name]) => name)).toEqual(['staging', 'containers']);
      store.layers.discard(layer);
    } finally {
      store.close();
    }
  },
);
