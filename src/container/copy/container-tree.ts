// A container's tree as it is seen from inside: with its volumes where it runs, mounted for as long as it takes where it is not.

import { toByteString } from '../../core/index.js';
import type { ContainerRecord, Store } from '../../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_PATH, close, must, openat } from '../../sys/index.js';
import { currentMountpoint, mountRecord } from '../mount.js';
import { unmountRecord } from '../unmount.js';
import { confinedTree } from './tree.js';
import type { Tree } from './tree.js';

export interface ContainerTree {
  readonly tree: Tree;
  close(): Promise<void> | void;
}

/** Throws `not-found`. A container that is not mounted stays locked until the tree is closed. */
export async function openContainerTree(store: Store, reference: string): Promise<ContainerTree> {
  const found = store.containers.resolve(reference);
  const lock = await store.containers.lock(found);
  try {
    const record = store.containers.get(found.id);
    const live = currentMountpoint(record);
    if (live !== undefined) {
      const tree = openRoot(live, record);
      lock.release();
      return { tree: tree.tree, close: () => tree.close() };
    }
    const { mountpoint } = await mountRecord(store, record);
    const tree = openRoot(mountpoint, record);
    return {
      tree: tree.tree,
      close: async () => {
        tree.close();
        try {
          await unmountRecord(store, record, mountpoint);
        } finally {
          lock.release();
        }
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openRoot(path: string, { name }: ContainerRecord): { tree: Tree; close: () => void } {
  const fd = must(openat(AT_FDCWD, toByteString(path), O_PATH | O_DIRECTORY), 'open', path);
  return { tree: confinedTree(fd, name), close: () => void close(fd) };
}
