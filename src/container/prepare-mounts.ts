// Before a container starts: the sources of its mounts are there, and new volumes have what the image has at their place.

import { existsSync, statSync } from 'node:fs';
import { VeneerError } from '../core/index.js';
import type { MountPoint } from '../runtime/index.js';
import type { Store } from '../store/index.js';
import { ensureSource } from './bind-source.js';
import { ensureMountPoint } from './mount-points.js';
import { fillVolume, finishFilling } from './fill-volume.js';

export interface PrepareMountsOptions {
  /** Where the container's tree is mounted. */
  readonly rootfs: string;
  /** Volumes are filled before a container runs for the first time. */
  readonly isFirstRun: boolean;
}

/** Also makes the places to mount on, as docker does: a runtime's own have other modes. Throws `not-found` for a host directory that is not there, and may not be made. */
export async function prepareMounts(
  store: Store,
  mounts: readonly MountPoint[],
  { rootfs, isFirstRun }: PrepareMountsOptions,
): Promise<void> {
  for (const mount of mounts) {
    const { Type, Source, Destination, Name, NoCopy } = mount;
    if (Type === 'bind') ensureSource(mount);
    if (Name === undefined) continue;
    if (!existsSync(Source)) throw new VeneerError('not-found', `volume ${Name} has no directory '${Source}'`);
    await finishFilling(store, Name);
    if (isFirstRun && NoCopy !== true) await fillVolume(store, { volume: Name, rootfs, path: Destination });
  }
  for (const { Type, Source, Destination } of mounts) {
    if (mounts.some((other) => Destination.startsWith(`${other.Destination}/`))) continue;
    ensureMountPoint({
      root: rootfs,
      path: Destination,
      isDirectory: Type === 'tmpfs' || statSync(Source).isDirectory(),
    });
  }
}
