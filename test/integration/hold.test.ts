// Who holds a container for a moment lets it go, whenever the one who asked for that dies.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';

const needs = requires('build');
const HOLD = pathToFileURL(path.join(import.meta.dirname, '../../dist/runtime/hold.js')).href;

/** A runtime that notes what it does below $0: it holds at once, and says so when it may. */
const RUNTIME = `case $1 in
pause) : >"$0/held"; until [ -e "$0/go-on" ]; do sleep 0.01; done;;
resume) : >"$0/let-go";;
esac`;

const HOLDER = `import { hold } from '${HOLD}';
const release = await hold(['/bin/sh', '-c', process.argv[2], process.argv[3]], 'id');
console.log('held');
process.stdin.resume().once('end', release);`;

describe.skipIf(needs.skip)(needs.title('a container that is held'), () => {
  test.each(['before it is held', 'while it is held'] as const)('is let go when who asked dies %s', async (when) => {
    using temp = tempDir('hold');
    const [held, goOn, letGo] = ['held', 'go-on', 'let-go'].map((name) => path.join(temp.path, name)) as [
      string,
      string,
      string,
    ];
    const program = path.join(temp.path, 'holder.mjs');
    writeFileSync(program, HOLDER);
    const child = spawn(process.execPath, [program, RUNTIME, temp.path], { stdio: ['pipe', 'pipe', 'inherit'] });
    await expect.poll(() => existsSync(held)).toBe(true);
    if (when === 'while it is held') {
      writeFileSync(goOn, '');
      await once(child.stdout, 'data');
    }
    expect(existsSync(letGo)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    writeFileSync(goOn, '');
    await expect.poll(() => existsSync(letGo)).toBe(true);
  });
});
