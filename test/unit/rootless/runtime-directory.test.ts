import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { userRuntimeDirectory } from '../../../src/rootless/runtime-directory.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';
import type { TempDir } from '../../helpers/tmp.js';

/** Nobody is logged in with it. */
const UID = 1_999_999_999;
const gate = requires('root');

describe.skipIf(gate.skip)(gate.title('userRuntimeDirectory'), () => {
  let temp: TempDir;
  beforeEach(() => {
    temp = tempDir('runtime');
    mkdirSync(`${temp.path}/his`);
    chownSync(`${temp.path}/his`, UID, UID);
  });
  afterEach(() => {
    temp.remove();
    rmSync(`/tmp/veneer-${String(UID)}`, { recursive: true, force: true });
  });

  test('is what XDG_RUNTIME_DIR names', () => {
    const named = `${temp.path}/his`;
    expect(userRuntimeDirectory({ XDG_RUNTIME_DIR: named }, UID)).toBe(named);
  });

  test.each(['another’s', 'relative', 'missing'])('is not one that is %s', (what) => {
    const named = what === 'relative' ? 'his' : what === 'missing' ? `${temp.path}/nowhere` : temp.path;
    // What root makes in its place belongs to root: none is left.
    const found = userRuntimeDirectory({ XDG_RUNTIME_DIR: named }, UID);
    expect(found).toBeUndefined();
  });
});
