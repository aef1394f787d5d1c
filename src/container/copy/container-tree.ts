// A container's tree as it is seen from inside, with its volumes; one that does not run is mounted for as long as it takes.

import { SysError, errno, toByteString } from '../../core/index.js';
import type { ContainerRecord, Store } from '../../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_PATH, close, must, openat } from '../../sys/index.js';
import { currentMountpoint, mountRecord } from '../mount.js';
import { refuseLostTree } from '../lost-tree.js';
import { containerState } from '../state.js';
import { unmountRecord } from '../unmount-record.js';
import { openMountedView } from './mounted-view.js';
import { confinedTree } from './tree.js';
import type { Tree } from './tree.js';

export interface ContainerTree {
  readonly tree: Tree;
  close(): Promise<void> | void;
}

/** Throws `not-found`, and `unavailable` where the tree has died. A container that is not mounted stays locked until it is closed. */
export async function openContainerTree(store: Store, reference: string): Promise<ContainerTree> {
  const found = store.containers.resolve(reference);
  const running = openRunning(store, found);
  if (running !== undefined) return running;
  const lock = await store.containers.lock(found);
  try {
    const record = store.containers.get(found.id);
    const live = currentMountpoint(record);
    if (live !== undefined) {
      const mounted = await openMounted(store, record, live);
      lock.release();
      return mounted;
    }
    const hasRun = store.runs.get(record.id)?.startedAt !== undefined;
    const { mountpoint } = await mountRecord(store, record, { toRun: hasRun });
    const unmount = (): Promise<void> => unmountRecord(store, record, mountpoint);
    const mounted = await openMounted(store, record, mountpoint).catch(async (error: unknown) => {
      await unmount();
      throw error;
    });
    return {
      tree: mounted.tree,
      close: async () => {
        await mounted.close();
        try {
          await unmount();
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

/** As the first process of a container that runs sees it. */
function openRunning(store: Store, record: ContainerRecord): ContainerTree | undefined {
  const { pid } = containerState(store, record);
  if (pid === undefined) return undefined;
  refuseLostTree(store, record);
  const fd = openat(AT_FDCWD, `/proc/${String(pid)}/root`, O_PATH | O_DIRECTORY);
  if (fd < 0 && fd !== -errno.ENOENT) throw new SysError(-fd, 'open', `/proc/${String(pid)}/root`);
  if (fd >= 0 && containerState(store, record).pid === pid) return rootOf(fd, record);
  // It ended meanwhile: the number may be another's.
  if (fd >= 0) close(fd);
  return undefined;
}

function rootOf(fd: number, { name }: ContainerRecord): ContainerTree {
  return { tree: confinedTree(fd, name), close: () => void close(fd) };
}

/** With what would be mounted in it, where it would be. */
async function openMounted(store: Store, record: ContainerRecord, path: string): Promise<ContainerTree> {
  const view = await openMountedView(store, record, path);
  if (view !== undefined) return { tree: confinedTree(view.root, record.name), close: () => view.close() };
  return rootOf(must(openat(AT_FDCWD, toByteString(path), O_PATH | O_DIRECTORY), 'open', path), record);
}
