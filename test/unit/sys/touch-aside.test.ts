// Seen from outside, by strace(1): nobody is told what another thread has looked at.

import { describe, expect, test } from 'vitest';
import path from 'node:path';
import { runWell } from '../../helpers/other-process.js';
import { missing } from '../../helpers/requires.js';

const SYS = path.resolve('dist/sys/index.js');

/** The paths a process looks at when it is to touch these. */
async function touched(paths: readonly string[]): Promise<string[]> {
  const script = `
    import { touchAside } from ${JSON.stringify(SYS)};
    touchAside(${JSON.stringify(paths)});`;
  const command = ['-f', '-qq', '-e', 'trace=%%stat', process.execPath, '--input-type=module', '-e', script];
  const seen = await runWell('sh', ['-c', 'exec strace "$@" 2>&1', 'sh', ...command]);
  return [...seen.matchAll(/"(\/touch\/[^"]*)"/g)].map(([, name]) => name!);
}

describe.skipIf(missing('build') !== undefined || missing('strace') !== undefined)('touching many paths', () => {
  test('looks at each of them once, also at those that are not there', async () => {
    const paths = Array.from({ length: 40 }, (_, n) => `/touch/a-b.c_${String(n)}/.wh..wh..opq`);
    expect(await touched(paths)).toEqual(paths);
  });

  test('passes over what has a meaning in a pattern', async () => {
    const strange = ['{b,c}', '*', '?', '[x]', '\\', 'a b', '~', '\u00fc', '$x'].map((name) => `/touch/${name}`);
    expect(await touched(['/touch/1', ...strange, '/touch/2'])).toEqual(['/touch/1', '/touch/2']);
  });

  test('does nothing for one path alone, which we would ask for at once', async () => {
    expect(await touched(['/touch/1'])).toEqual([]);
    expect(await touched([])).toEqual([]);
  });
});
