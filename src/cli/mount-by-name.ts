import { inspectContainer, mountContainer, mountImage } from '../container/index.js';
import { hasCode, VeneerError } from '../core/index.js';
import type { Transport } from '../overlay/index.js';
import type { Store } from '../store/index.js';

function isContainer(store: Store, name: string): boolean {
  try {
    inspectContainer(store, name);
    return true;
  } catch (error) {
    if (hasCode(error, 'not-found')) return false;
    throw error;
  }
}

/** Mounts the container, else the image, of that name, and returns where. */
export async function mountByName(
  store: Store,
  name: string,
  options: { directory: string | undefined; transport: Transport | undefined },
): Promise<string> {
  const { directory, transport } = options;
  if (isContainer(store, name)) {
    const mounted = await mountContainer(store, name, {
      transport,
      ...(directory === undefined ? {} : { mountpoint: directory }),
    });
    return mounted.mountpoint;
  }
  if (store.images.find(name) === undefined) {
    throw new VeneerError('not-found', `mount '${name}': no such container or image`, {
      hint: "'veneer ps -a' lists containers, 'veneer images' images",
    });
  }
  if (directory === undefined) {
    throw new VeneerError('usage', `mount image '${name}': the directory is missing`, {
      hint: `veneer mount ${name} DIR mounts it read-only; to change it, make a container: veneer create ${name}`,
    });
  }
  return (await mountImage(store, name, directory, { transport })).mountpoint;
}
