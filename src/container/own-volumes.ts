// The volumes of a container that is branched off: those without a name are its own, filled with what the other one's have.

import type { MountPoint } from '../runtime/index.js';
import { newVolumeName } from '../store/index.js';
import type { NewVolume, Store } from '../store/index.js';
import { copyForVolume } from './volume-copy.js';
import type { VolumeCopy } from './volume-copy.js';

export interface OwnVolumes extends Disposable {
  readonly mounts: readonly MountPoint[];
  /** Those with a name, which are shared, and the copies, which wait for the container to be made. */
  readonly volumes: readonly NewVolume[];
}

export function hasOwnVolumes(store: Store, mounts: readonly MountPoint[]): boolean {
  return mounts.some(({ Name }) => Name !== undefined && store.volumes.get(Name).isAnonymous);
}

/** Copies the volumes without a name. Throws `not-found` for one that is gone, and a SysError. */
export function ownVolumes(store: Store, mounts: readonly MountPoint[]): OwnVolumes {
  const copies: VolumeCopy[] = [];
  const dispose = (): void => {
    for (const copy of copies) copy[Symbol.dispose]();
  };
  try {
    const each = mounts.map((mount): { mount: MountPoint; volume?: NewVolume } => {
      if (mount.Name === undefined) return { mount };
      const volume = store.volumes.get(mount.Name);
      if (!volume.isAnonymous) return { mount, volume };
      const copy = copyForVolume(store, store.volumes.path(mount.Name));
      copies.push(copy);
      const name = newVolumeName();
      return { mount: { ...mount, Name: name, Source: '' }, volume: { ...volume, name, content: copy.content } };
    });
    return {
      mounts: each.map(({ mount }) => mount),
      volumes: each.flatMap(({ volume }) => volume ?? []),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
