import { inspectContainer, mountContainer, mountImage } from '../container/index.js';
import { hasCode, VeneerError } from '../core/index.js';
import type { Transport } from '../overlay/index.js';
import type { Store } from '../store/index.js';
import { isArchiveName } from './archived-images.js';

function isContainer(store: Store, name: string): boolean {
  try {
    inspectContainer(store, name);
    return true;
  } catch (error) {
    if (hasCode(error, 'not-found')) return false;
    throw error;
  }
}

export interface MountByNameOptions {
  readonly directory: string | undefined;
  readonly transport: Transport | undefined;
  /** Sees to it that the store has the image, and returns what it is called there. */
  readonly present: (name: string) => Promise<string>;
}

/** Mounts the container, else the image, of that name, and returns where. */
export async function mountByName(store: Store, name: string, options: MountByNameOptions): Promise<string> {
  const { directory, transport, present } = options;
  if (isContainer(store, name)) {
    const mounted = await mountContainer(store, name, {
      transport,
      ...(directory === undefined ? {} : { mountpoint: directory }),
    });
    return mounted.mountpoint;
  }
  // Without a directory an image cannot be mounted, and the name is rather a container's that is mistyped.
  if (directory === undefined && !isArchiveName(store, name) && store.images.find(name) === undefined) {
    throw new VeneerError('not-found', `mount '${name}': no such container or image`, {
      hint: "'veneer ps -a' lists containers, 'veneer images' images",
    });
  }
  if (directory === undefined) {
    throw new VeneerError('usage', `mount image '${name}': the directory is missing`, {
      hint: `veneer mount ${name} DIR mounts it read-only; to change it, make a container: veneer create ${name}`,
    });
  }
  return (await mountImage(store, await present(name), directory, { transport })).mountpoint;
}
