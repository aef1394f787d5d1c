import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { runCli, sandbox, sandboxWithBase } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer system'), () => {
  test('check finds a store in order, and says so on stderr only', () => {
    using box = sandboxWithBase('system');
    const { code, stdout, stderr } = box.run('system', 'check');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'The store is in order.\n' });
    expect(box.ok('system', 'check', '-q')).toBe('');
  });

  test('check names what is missing, with exit code 1', () => {
    using box = sandboxWithBase('system');
    const blobs = path.join(box.root, 'blobs/sha256');
    const [blob = ''] = readdirSync(blobs);
    rmSync(path.join(blobs, blob));
    const { code, stdout } = box.run('system', 'check', '--format', 'json');
    expect(code).toBe(1);
    expect(stdout).toContain(blob);
    expect(box.run('system', 'check').stdout).toMatch(/^KIND +OBJECT +WHAT IS WRONG\n/);
  });

  test('prune removes leftovers, and only those', () => {
    using box = sandboxWithBase('system');
    const leftover = path.join(box.root, 'staging', 'leftover');
    mkdirSync(leftover);
    writeFileSync(path.join(leftover, 'file'), 'x');
    expect(box.ok('system', 'prune')).toContain('leftover');
    expect(readdirSync(path.join(box.root, 'staging'))).toEqual([]);
    expect(box.ok('system', 'prune')).toBe('');
    expect(box.ok('images', '--format', '{{.Repository}}')).toBe('base');
    box.check();
  });

  test('refuses', () => {
    using box = sandbox('system');
    box.fails(2, 'system', 'chekc');
    box.fails(2, 'system', 'check', 'x');
  });
});

describe.skipIf(gate.skip)(gate.title('the store'), () => {
  test('is the one of --root, before or after the command, else of VENEER_ROOT', () => {
    using box = sandboxWithBase('root');
    const other = box.at('other');
    const env = { VENEER_ROOT: box.root };
    expect(runCli(['images', '-q'], { env }).stdout).not.toBe('');
    expect(runCli(['--root', other, 'images', '-q'], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(runCli(['images', '-q', '--root', other], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readdirSync(other)).toContain('veneer.db');
  });

  test('in a place that cannot be is one line', () => {
    using box = sandbox('root');
    writeFileSync(box.at('file'), '');
    expect(box.fails(1, '--root', box.at('file'), 'images')).toContain(box.at('file'));
    expect(box.fails(1, '--root', box.at('file/below'), 'images')).toContain(box.at('file'));
  });
});
