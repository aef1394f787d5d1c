// What is removed when nobody waits.

import { existsSync, linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { WorkDir } from '../../../src/overlay/work-dir.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';

const gate = requires('root', 'trusted-xattr');
const scratch = tempDir('work-dir');
afterAll(() => scratch.remove());

/** One with a directory `work/gone` of so many files. */
function withDiscarded(name: string, files: number): { work: WorkDir; gone: string } {
  const root = `${scratch.path}/${name}`;
  mkdirSync(root);
  const work = new WorkDir(root);
  const gone = `${root}/work/gone`;
  mkdirSync(gone);
  if (files > 0) writeFileSync(`${gone}/0`, '');
  for (let n = 1; n < files; n += 1) linkSync(`${gone}/0`, `${gone}/${String(n)}`);
  return { work, gone };
}

function roundsUntilTidy(work: WorkDir): number {
  let rounds = 1;
  while (work.tidy() && rounds < 1000) rounds += 1;
  return rounds;
}

describe.skipIf(gate.skip)(gate.title('discarded directories'), () => {
  test('nothing is to be done where nothing was discarded', () => {
    const { work } = withDiscarded('none', 0);
    expect(work.tidy()).toBe(false);
    work.close();
  });

  test.each([0, 1, 64, 65, 5000])('one of %i files goes, a slice at a time', (files) => {
    const { work, gone } = withDiscarded(`files-${String(files)}`, files);
    work.discard('gone');
    expect(existsSync(gone)).toBe(true);
    const rounds = roundsUntilTidy(work);
    expect(rounds).toBeGreaterThanOrEqual(Math.ceil(files / 64));
    expect(rounds).toBeLessThan(files / 64 + 3);
    expect(existsSync(gone)).toBe(false);
    work.close();
  });

  test('several go, also those discarded in between', () => {
    const { work, gone } = withDiscarded('several', 100);
    work.discard('gone');
    expect(work.tidy()).toBe(true);
    mkdirSync(`${gone}2`);
    writeFileSync(`${gone}2/f`, '');
    work.discard('gone2');
    roundsUntilTidy(work);
    expect([existsSync(gone), existsSync(`${gone}2`), work.tidy()]).toEqual([false, false, false]);
    work.close();
  });

  test('what cannot be removed so is left, and goes with the end of the mount', () => {
    const { work, gone } = withDiscarded('stubborn', 3);
    mkdirSync(`${gone}/directory`);
    work.discard('gone');
    roundsUntilTidy(work);
    expect(readdirSync(gone)).toEqual(['directory']);
    work.close();
    expect(existsSync(gone)).toBe(false);
  });

  test('one that has gone meanwhile is passed over', () => {
    const { work } = withDiscarded('missing', 1);
    work.discard('never');
    expect(work.tidy()).toBe(false);
    work.close();
  });
});
