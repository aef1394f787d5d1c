// A server that is photographed: what is on disk before each of its changes, which is what a kill there leaves.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { logFileOf } from './backends.js';
import type { OverlayDoor, Staged } from './backends.js';

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
