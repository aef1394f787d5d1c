// A copy of the build whose libc is another one: for tests that look at each call a server makes.

import { execFileSync } from 'node:child_process';
import { cpSync, copyFileSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OverlayDoor } from './backends.js';
import { DOOR } from './requires.js';

/**
 * A copy of the build below `dir` in which `libc`, a file beside this one, stands for sys/libc.js; it finds the
 * original as `libc-original.js`. Returns the overlay room's functions.
 */
export async function buildWithLibc(dir: string, libc: string): Promise<OverlayDoor> {
  const project = path.resolve(import.meta.dirname, '../..');
  const dist = path.join(dir, 'dist');
  cpSync(path.resolve(path.dirname(DOOR), '..'), dist, { recursive: true });
  symlinkSync(path.join(project, 'node_modules'), path.join(dir, 'node_modules'));
  copyFileSync(path.join(project, 'package.json'), path.join(dir, 'package.json'));
  renameSync(path.join(dist, 'sys/libc.js'), path.join(dist, 'sys/libc-original.js'));
  copyFileSync(path.join(import.meta.dirname, libc), path.join(dist, 'sys/libc.js'));
  execFileSync(process.execPath, [path.join(project, 'scripts/bundle.mjs'), dist]);
  return (await import(pathToFileURL(path.join(dist, 'overlay/index.js')).href)) as OverlayDoor;
}
