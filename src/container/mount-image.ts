// `mount` of an image: its layers, read-only.

import { startOverlay } from '../overlay/index.js';
import type { Transport } from '../overlay/index.js';
import type { Store } from '../store/index.js';
import { refuseMounted, wantedMountpoint } from './mount.js';

/**
 * Mounts an image read-only at a directory and resolves when the mount answers. The image cannot be removed while it is mounted.
 * Throws `not-found`, and `in-use` when something is mounted there.
 */
export async function mountImage(
  store: Store,
  reference: string,
  directory: string,
  options: { transport?: Transport | undefined } = {},
): Promise<{ mountpoint: string }> {
  const image = store.images.resolve(reference);
  const mountpoint = wantedMountpoint(directory);
  refuseMounted(mountpoint);
  // Recorded first, so that the image stays; the record of a mount that was not made is harmless.
  using lease = store.lease();
  store.mounts.add(mountpoint, image.id, lease);
  try {
    const { transport = 'direct' } = options;
    await startOverlay({ lowerdir: store.layers.paths(image.layers), mountpoint, transport });
  } catch (error) {
    store.mounts.remove(mountpoint);
    throw error;
  }
  return { mountpoint };
}
