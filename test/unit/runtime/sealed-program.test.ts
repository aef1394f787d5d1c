import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sealedProgram } from '../../../src/runtime/sealed-program.js';

let directory = '';
beforeAll(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'veneer-sealed-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('is a copy of crun that nobody can change', () => {
  const crun = path.join(directory, 'crun');
  copyFileSync('/bin/echo', crun);
  const copy = sealedProgram(crun);
  expect(copy).toMatch(/^\/proc\/\d+\/fd\/\d+$/);
  expect(sealedProgram(crun)).toBe(copy);
  expect(execFileSync(copy, ['it', 'runs'], { encoding: 'utf8' })).toBe('it runs\n');
  expect(() => writeFileSync(openSync(copy, 'r+'), 'x')).toThrow('EPERM');
});

test('is the program itself where it is another one, or a script', () => {
  expect(sealedProgram('/usr/bin/runc')).toBe('/usr/bin/runc');
  const script = path.join(directory, 'scripts', 'crun');
  execFileSync('mkdir', [path.dirname(script)]);
  writeFileSync(script, '#!/bin/sh\n');
  chmodSync(script, 0o755);
  expect(sealedProgram(script)).toBe(script);
});
