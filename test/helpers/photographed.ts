// A server that is photographed: what is on disk before each of its changes, which is what a kill there leaves.

import { cpSync, copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { logFileOf } from './backends.js';
import type { OverlayDoor, Staged } from './backends.js';
import { DOOR } from './requires.js';

/** A copy of the build below `dir` whose libc takes photographs. Returns the overlay room's functions. */
export async function photographedBuild(dir: string): Promise<OverlayDoor> {
  const project = path.resolve(import.meta.dirname, '../..');
  const dist = path.join(dir, 'dist');
  cpSync(path.resolve(path.dirname(DOOR), '..'), dist, { recursive: true });
  symlinkSync(path.join(project, 'node_modules'), path.join(dir, 'node_modules'));
  copyFileSync(path.join(project, 'package.json'), path.join(dir, 'package.json'));
  renameSync(path.join(dist, 'sys/libc.js'), path.join(dist, 'sys/libc-original.js'));
  copyFileSync(path.join(import.meta.dirname, 'photographing-libc.mjs'), path.join(dist, 'sys/libc.js'));
  return (await import(pathToFileURL(path.join(dist, 'overlay/index.js')).href)) as OverlayDoor;
}

/**
 * Mounts, prepares, and photographs what `act` makes the server do: one stage for each change on disk, as it was before
 * it; the last one is how it was at the end.
 */
export async function photograph(
  door: OverlayDoor,
  staged: Staged,
  work: { prepare: (root: string) => void; act: (root: string) => void },
): Promise<readonly Staged[]> {
  const photos = path.join(staged.base, 'photos');
  const armed = path.join(staged.base, 'armed');
  mkdirSync(photos);
  process.env['VENEER_PHOTOS'] = JSON.stringify({ upper: staged.upper, work: staged.work, photos, armed });
  const { lowers: lowerdir, mountpoint, upper: upperdir, work: workdir } = staged;
  await door.startOverlay({ lowerdir, mountpoint, upperdir: upperdir!, workdir, logFile: logFileOf(staged) });
  try {
    work.prepare(mountpoint);
    writeFileSync(armed, '');
    work.act(mountpoint);
    rmSync(armed);
  } finally {
    await door.unmountOverlay(mountpoint);
    delete process.env['VENEER_PHOTOS'];
  }
  const stages = readdirSync(photos)
    .sort()
    .map((name) => ({
      ...staged,
      upper: path.join(photos, name, 'upper'),
      work: path.join(photos, name, 'work'),
    }));
  return [...stages, staged];
}
