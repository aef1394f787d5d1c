import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { holds } from '../helpers/other-process.js';
import { requires } from '../helpers/requires.js';
import { CLI, sandboxWithBase } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('^C'), () => {
  test.each([
    ['import', ['import', '-', 'late']],
    ['load', ['load']],
  ])('ends %s with one line, and puts away what was half done', async (_verb, args) => {
    using box = sandboxWithBase('interrupt');
    // The start of an archive, and then nothing for long.
    const start = readFileSync(path.join(box.dir, 'base.tar')).subarray(0, 2048);
    const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, VENEER_ROOT: box.root } });
    const ended = once(child, 'exit');
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    child.stdin.write(start);
    while (!holds(child.pid ?? 0, path.join(box.root, 'staging/'))) await sleep(10);
    child.kill('SIGINT');
    const [code] = (await ended) as [number | null];
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'veneer: interrupted by SIGINT\n' });
    expect(readdirSync(path.join(box.root, 'staging'))).toEqual([]);
    expect(box.ok('images', '--format', '{{.Repository}}')).toBe('base');
    box.check();
  });
});
